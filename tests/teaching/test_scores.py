"""What a class scored."""

import numpy as np
import pandas as pd
import pytest

from fracture.teaching import scores


def given(*rows):
    """Votes from tuples (place, label, student, positive, confidence)."""
    return pd.DataFrame(rows, columns=["place", "label", "student", "positive", "confidence"])


def test_votes_lie_on_one_scale():
    """From sure of the negative label to sure of the positive one, in equal steps."""
    table = given(*[(0, 0, "a", positive, step) for positive in (0, 1) for step in (2, 1, 0)][:3])
    assert scores.vote_score(table["positive"], table["confidence"]).tolist() == [0, 0.2, 0.4]
    table = given(*[(0, 0, "a", 1, step) for step in (0, 1, 2)])
    assert scores.vote_score(table["positive"], table["confidence"]).tolist() == [0.6, 0.8, 1.0]


def test_majority_decides_and_confidence_breaks_a_tie():
    """Two guesses outvote one who is sure; one against one, the surer one decides."""
    table = given(
        (0, 1, "a", 1, 0), (0, 1, "b", 1, 0), (0, 1, "c", 0, 2),
        (1, 0, "a", 1, 0), (1, 0, "b", 0, 2),
        (2, 1, "a", 1, 1), (2, 1, "b", 0, 1),
    )  # fmt: skip
    answers = scores.class_answers(table)
    assert answers["called"].tolist() == [True, False, True]
    assert answers["score"].tolist() == pytest.approx([0.4, 0.3, 0.5])
    found = scores.class_rates(table)
    assert (found.correct, found.total, found.point) == (3, 3, (0.0, 1.0))


def test_student_has_rates_from_five_votes_on():
    """With fewer there is no point; with one label alone there is none either."""
    five = [(place, place % 2, "five", place % 2, 1) for place in range(5)]
    four = [(place, place % 2, "four", 1, 1) for place in range(4)]
    one = [(place, 1, "one label", 1, 1) for place in range(5)]
    found = scores.student_rates(given(*five, *four, *one))
    assert set(found) == {"five", "one label"}
    assert found["five"].point == (0.0, 1.0) and found["one label"].point is None


def test_intervals_are_wilson_s():
    """As published for 8 of 10 (Newcombe, Statistics in Medicine 17:857, 1998, formula 3): 0.490 to 0.943."""
    label = np.array([1] * 10 + [0] * 5)
    called = np.array([True] * 8 + [False] * 7)
    found = scores.rates(label, called)
    sensitivity = found.sensitivity
    assert (sensitivity["value"], round(sensitivity["low"], 3), round(sensitivity["high"], 3)) == (0.8, 0.49, 0.943)
    assert found.specificity["value"] == 1 and found.specificity["low"] < 1
    assert (found.correct, found.total) == (13, 15)


def test_model_is_judged_at_its_threshold():
    """A probability at the threshold is called positive."""
    images = pd.DataFrame({"label": [0, 1, 1], "probability": [0.1, 0.4, 0.9]})
    assert scores.model_rates(images, 0.4).point == (0.0, 1.0)
    assert scores.model_rates(images, 0.5).point == (0.0, 0.5)
