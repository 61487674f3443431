"""What is unusual about a radiograph: drawn changes are recognized, and nothing is said of an ordinary one."""

from dataclasses import replace

import numpy as np
import pytest

from fracture.imaging.film import measure_film
from fracture.inference.unusual import Explanation, explain, unusual
from tests.inference.test_ood import cloud, known
from tests.inference.test_prediction import view
from tests.support.film_changes import change


def film() -> np.ndarray:
    """A bright bone with soft edges on a dark ground, (400, 320)."""
    rows, columns = np.mgrid[:400, :320]
    bone = 150 * np.exp(-(((columns - 160) / 60) ** 2))
    grain = np.random.default_rng(0).normal(0, 3, (400, 320))
    return np.clip(25 + bone + rows / 40 + grain, 0, 255).astype(np.uint8)


def test_nothing_is_unusual_about_an_ordinary_film():
    """Dark ground, a bone, no margins."""
    assert unusual(film()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inverted", "bright up to its edges, as inverted X-rays are"),
        ("brighter", "much brighter"),
        ("flat", "few gray levels"),
        ("white border", "a white border of"),
    ],
)
def test_a_change_of_the_film_is_named(name, words):
    """One of the words for each change."""
    assert any(found.startswith(words) for found in unusual(change(film(), name, 1)))


def test_a_film_in_an_eighth_of_the_gray_levels_is_much_darker():
    """And has few of them."""
    assert unusual(film() // 8) == ["much darker", "few gray levels"]


def test_two_views_in_one_picture_are_named_by_seam_and_shape():
    """A bright gutter between two films."""
    gutter = np.full((400, 6), 255, np.uint8)
    assert unusual(np.hstack([film(), gutter, film()])) == [
        "several views in one picture",
        "a long shape, 1.6 to 1, as two views side by side have",
    ]


def test_measures_of_a_uniform_picture_are_numbers():
    """Every row and column of it is a margin."""
    assert np.isfinite(measure_film(np.full((50, 30), 7, np.uint8))).all()
    assert np.isfinite(measure_film(np.zeros((1, 1), np.uint8))).all()


def test_explain_counts_the_body_parts_of_the_nearest_images_where_a_radiograph_is_unlike_them():
    """The most frequent first; for others, only what is unusual about them."""
    parts = tuple("hand" if row % 3 else "leg" for row in range(30))
    unlike = replace(view(0.5, known=False), embedding=cloud(1, 5)[0])
    explanation = explain(unlike, known(parts=parts), film() // 8)
    assert sum(count for _, count in explanation.parts) == 10
    assert explanation.parts[0][1] >= explanation.parts[-1][1] and explanation.unusual
    assert explain(unlike, known(), film()) == Explanation()
    answered = explain(replace(unlike, known=True), known(parts=parts), film() // 8)
    assert answered.parts == () and answered.unusual == explanation.unusual
    assert explain(replace(unlike, radiograph=False), known(parts=parts), film() // 8) == Explanation()
