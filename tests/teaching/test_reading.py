"""How well a reader does, against scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, recall_score

from fracture.teaching.reading import Reading, balanced_threshold, count_right, measure_reading, share, who_was_right

LABELS = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
CALLED = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]


def test_measure_reading_agrees_with_scikit_learn():
    """Sensitivity and specificity with Wilson's intervals, Cohen's kappa, and the mean time."""
    found = measure_reading(LABELS, Reading(np.array(CALLED, np.bool_), np.arange(10.0)))
    assert found.sensitivity["value"] == recall_score(LABELS, CALLED)
    assert found.specificity["value"] == pytest.approx(recall_score(LABELS, CALLED, pos_label=0))
    assert found.kappa["value"] == pytest.approx(cohen_kappa_score(LABELS, CALLED))
    assert found.seconds["value"] == 4.5
    for estimate in found:
        assert estimate["low"] < estimate["value"] < estimate["high"]


def test_balanced_threshold_is_that_of_the_probabilities_in_use():
    """A recalibrated model has other probabilities, and another threshold for them."""
    card = SimpleNamespace(thresholds={"balanced": 0.3})
    assert balanced_threshold(SimpleNamespace(card=card, recalibration=None)) == 0.3
    refitted = SimpleNamespace(thresholds={"balanced": 0.6})
    assert balanced_threshold(SimpleNamespace(card=card, recalibration=refitted)) == 0.6


def test_count_right_counts_both_labels():
    """3 of 4 positive ones, and 5 of 6 negative ones."""
    assert count_right(LABELS, Reading(np.array(CALLED, np.bool_), np.arange(10.0))) == 8


def test_share_of_none_wrong_has_an_interval():
    """10 of 10: Wilson's lower bound is n / (n + z²), which is 72 %."""
    all_right = share(np.ones(10, np.bool_))
    assert all_right["low"] == pytest.approx(10 / (10 + 1.959964**2), abs=1e-4) and all_right["high"] == 1
    assert share(np.zeros(0, np.bool_))["value"] is None


@pytest.mark.parametrize(
    ("label", "reader", "model", "who"),
    [
        (1, True, True, "both"),
        (1, True, False, "reader"),
        (0, True, False, "model"),
        (0, True, True, "neither"),
        (0, False, False, "both"),
    ],
)
def test_who_was_right_names_the_reader_the_model_both_or_neither(label, reader, model, who):
    """By the label of the image."""
    assert who_was_right(label, reader, model) == who
