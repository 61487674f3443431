"""The fit of the radiograph check, to drawn embeddings and textures."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.evaluation.radiograph_check_fit import Pictures, fit_radiograph_check, left_out_scores
from fracture.inference.radiograph_check import COLOR_COST

VALUES = 30
MEASURES = 8


def drawn(number: int, seed: int, raised: slice) -> Pictures:
    """Embeddings (number, VALUES), none negative, some of whose values are larger on average; equal textures."""
    rng = np.random.default_rng(seed)
    embeddings = rng.random((number, VALUES)).astype(np.float32)
    embeddings[:, raised] += 1
    return Pictures(embeddings, np.zeros((number, MEASURES), np.float32), np.zeros(number, np.float32))


def with_textures(pictures: Pictures, level: float) -> Pictures:
    """The same embeddings; the first measure of each texture is ``level`` to ``level + 0.1``."""
    textures = pictures.textures.copy()
    textures[:, 0] = level + 0.1 * pictures.embeddings[:, 0]
    return pictures._replace(textures=textures)


def test_fit_separable_embeddings_tells_new_pictures_apart():
    """Of new pictures of both kinds, all are told apart, though one kind has ten times as many in the fit."""
    check = fit_radiograph_check(drawn(300, 1, slice(0, 5)), drawn(30, 2, slice(5, 10)), source="drawn")
    assert check.scores(*drawn(50, 3, slice(0, 5))).min() > check.scores(*drawn(50, 4, slice(5, 10))).max()
    assert (check.counts, check.source) == ((300, 30), "drawn")


def test_fit_separable_textures_tells_new_pictures_apart():
    """Where the embeddings tell nothing, the textures alone tell the kinds apart."""
    alike = slice(0, 0)
    check = fit_radiograph_check(with_textures(drawn(60, 1, alike), 0), with_textures(drawn(60, 2, alike), 1))
    assert (check.scores(*with_textures(drawn(50, 3, alike), 0)) > 0).all()
    assert (check.scores(*with_textures(drawn(50, 4, alike), 1)) < 0).all()


def test_fit_colors_change_the_scores_alone():
    """The machines are the same whatever colors the pictures have; a picture with color has a lower score."""
    radiographs, others = drawn(30, 1, slice(0, 5)), drawn(30, 2, slice(5, 10))
    colored = others._replace(colors=np.full(30, 0.1, np.float32))
    gray, check = fit_radiograph_check(radiographs, others), fit_radiograph_check(radiographs, colored)
    np.testing.assert_array_equal(check.weights, gray.weights)
    np.testing.assert_allclose(gray.scores(*others) - check.scores(*colored), 0.1 * COLOR_COST)


def test_fit_value_that_never_varies_is_ignored():
    """A value that is 0 in all pictures gives no division by zero."""
    radiographs, others = drawn(20, 1, slice(0, 5)), drawn(20, 2, slice(5, 10))
    for pictures in (radiographs, others):
        pictures.embeddings[:, -1] = 0
    check = fit_radiograph_check(radiographs, others)
    assert np.isfinite(check.weights).all()
    assert check.weights[-1] == 0
    assert np.isfinite(check.scores(*radiographs)).all()


def test_fit_too_few_pictures_is_an_error():
    """The sentence says what is needed and what came."""
    with pytest.raises(DatasetError, match=r"at least 2 radiographs and 2 other pictures\. Received: 20 and 1\."):
        fit_radiograph_check(drawn(20, 1, slice(0, 5)), drawn(1, 2, slice(5, 10)))


def test_left_out_scores_group_unlike_the_others_is_missed():
    """A source whose pictures look like radiographs is called so only by a fit that has not seen it."""
    radiographs = drawn(40, 1, slice(0, 5))
    plain, alike = drawn(40, 2, slice(5, 10)), drawn(40, 3, slice(0, 5))
    alike.embeddings[:, 20:25] += 0.5
    others = Pictures(*(np.concatenate(both) for both in zip(plain, alike, strict=True)))
    sources = ["a"] * 40 + ["b"] * 40
    _, left_out = left_out_scores(radiographs, others, ["hand"] * 20 + ["leg"] * 20, sources)
    seen = fit_radiograph_check(radiographs, others).scores(*others)
    assert (seen[40:] < left_out[40:]).all()
    assert left_out[40:].mean() > left_out[:40].max()


def test_left_out_scores_keep_the_order_of_the_pictures():
    """Each picture gets its own score, in whatever order the groups come."""
    radiographs, others = drawn(20, 1, slice(0, 5)), drawn(20, 2, slice(5, 10))
    groups = ["b", "a"] * 10
    first, second = left_out_scores(radiographs, others, groups, groups)
    is_b = np.array(groups) == "b"
    without_b = fit_radiograph_check(radiographs.where(~is_b), others).scores(*radiographs.where(is_b))
    np.testing.assert_allclose(first[::2], without_b)
    assert first.shape == second.shape == (20,)
