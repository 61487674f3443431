"""Thresholds and what they promise."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.evaluation.metrics import rates
from fracture.evaluation.thresholds import (
    MIN_IMAGES_RUN_BOTH_WAYS,
    balanced_threshold,
    operating_points,
    settled_below,
)


def table(label, probability) -> pd.DataFrame:
    return pd.DataFrame({"group": [str(row) for row in range(len(label))], "label": label, "probability": probability})


ANY = st.floats(0, 1) | st.floats(0, 1e-3) | st.sampled_from([0.0, 0.25, 0.3, 0.5, 0.95, 1.0])  # ties are common
ROWS = st.lists(st.tuples(st.integers(0, 1), ANY), min_size=2, max_size=60).filter(lambda rows: len(dict(rows)) == 2)


def both(label, probability, threshold) -> tuple[float, float]:
    """Sensitivity and specificity."""
    called = probability >= threshold
    return called[label == 1].mean(), (~called)[label == 0].mean()


@settings(deadline=None)
@given(ROWS)
def test_operating_points_keep_their_promise(rows):
    """Whatever the labels and probabilities: 0.95 is kept, no other threshold does more than rounding costs better."""
    label, probability = (np.array(column) for column in zip(*rows, strict=True))
    points = operating_points(table(label, probability))
    sensitivity, specificity = both(label, probability, points["high_sensitivity"])
    candidates = [both(label, probability, each) for each in (*probability, *np.nextafter(probability, 2))]
    assert sensitivity >= 0.95
    assert specificity >= max(spec for sens, spec in candidates if sens >= 0.95) - 0.01
    sensitivity, specificity = both(label, probability, points["high_specificity"])
    assert specificity >= 0.95
    assert sensitivity >= max(sens for sens, spec in candidates if spec >= 0.95) - 0.01


@settings(deadline=None)
@given(ROWS)
def test_operating_points_are_as_round_as_can_be(rows):
    """A threshold of more than three decimals is there because three would cost too much."""
    label, probability = (np.array(column) for column in zip(*rows, strict=True))
    points = operating_points(table(label, probability))
    assert all(math.isfinite(threshold) and 0 <= threshold <= 1.001 for threshold in points.values())
    sensitive = points["high_sensitivity"]
    if round(sensitive, 3) != sensitive and (coarse := math.floor(sensitive * 1000) / 1000) > 0:
        lost = both(label, probability, sensitive)[1] - both(label, probability, coarse)[1]
        assert lost > 0


def test_by_hand():
    """Of 20 positives 19 must be found, of 20 negatives 19 cleared; what rates says of it agrees."""
    probability = np.concatenate([np.linspace(0.40, 0.97, 20), np.linspace(0.03, 0.60, 20)])
    predictions = table([1] * 20 + [0] * 20, probability)
    points = operating_points(predictions)
    assert points["high_sensitivity"] == 0.43
    assert points["high_specificity"] == 0.571
    assert rates(predictions, points["high_sensitivity"])["sensitivity"]["value"] == 0.95
    assert rates(predictions, points["high_specificity"])["specificity"]["value"] == 0.95
    assert points["balanced"] == balanced_threshold(predictions)


def test_tiny_probabilities_have_tiny_thresholds():
    """Rounded to thousandths, these would all be 0 and everything positive."""
    predictions = table([0, 0, 1, 1], [0.00001, 0.00002, 0.000437, 0.0005])
    points = operating_points(predictions)
    assert points["high_sensitivity"] == 0.0004
    assert points["high_specificity"] == 0.0001


@pytest.mark.parametrize(
    ("label", "probability", "sensitive", "specific"),
    [
        ([1, 1], [0.2, 0.9], 0.5, 0.5),  # one label only
        ([0], [0.2], 0.5, 0.5),
        ([0, 1], [0.3, 0.3], 0.3, 0.301),  # nothing to tell them apart by
        ([0, 1], [0.0, 0.0], 0.0, 0.001),
        ([0, 1], [1.0, 1.0], 1.0, 1.001),
        ([0, 1], [0.2, 0.8], 0.8, 0.201),
        ([1, 0], [0.2, 0.8], 0.2, 0.801),  # the wrong way round
    ],
)
def test_tiny_sets(label, probability, sensitive, specific):
    """Two images are enough for a threshold, and one label is not."""
    points = operating_points(table(label, probability))
    assert (points["high_sensitivity"], points["high_specificity"]) == (sensitive, specific)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_settled_below_changes_no_outcome_of_its_images(seed, limit):
    """Below it no mean reaches the limit, and at most one rise in a hundred exceeds its distance from the limit."""
    random = np.random.default_rng(seed)
    straight = random.normal(0, 2, 600)
    mirrored = straight + random.standard_t(2, 600)
    below = settled_below(straight, mirrored, limit)
    mean = (straight + mirrored) / 2
    assert not (mean[straight < below] >= limit).any()
    assert ((mean - straight) > limit - below).mean() <= 0.01


def test_settled_below_with_equal_passes_is_the_limit():
    """A network that says the same of a mirror image never needs it."""
    logits = np.linspace(-5, 5, MIN_IMAGES_RUN_BOTH_WAYS)
    assert settled_below(logits, logits, -1.0) == pytest.approx(-1.0)


def test_settled_below_of_few_images_is_none():
    """They say nothing about rare ones."""
    logits = np.linspace(-5, 5, MIN_IMAGES_RUN_BOTH_WAYS - 1)
    assert settled_below(logits, logits, -1.0) is None
