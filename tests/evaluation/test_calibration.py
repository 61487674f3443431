"""Temperatures and reliability."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from fracture.evaluation.calibration import COOLEST, HOTTEST, error_by_chance, fit_temperature, reliability


def simulated(temperature: float, seed: int = 0, count: int = 20_000):
    """Labels and logits for which expit(logit / temperature) is exactly right."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 3, count)
    return (rng.random(count) < expit(logit / temperature)).astype(int), logit


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 5), st.integers(0, 100))
def test_the_temperature_of_simulated_logits_is_found(temperature, seed):
    """Labels drawn at a known temperature give that temperature back."""
    assert fit_temperature(*simulated(temperature, seed)) == pytest.approx(temperature, rel=0.15)


def test_no_other_temperature_has_a_lower_loss():
    """Against scikit-learn's log loss, on a grid."""
    label, logit = simulated(1.7, count=300)
    best = log_loss(label, expit(logit / fit_temperature(label, logit)))
    assert all(best <= log_loss(label, expit(logit / other)) + 1e-9 for other in np.geomspace(0.05, 20, 200))


@pytest.mark.parametrize(
    ("label", "logit", "temperature"),
    [
        ([1, 1, 1], [0.3, -2.0, 5.0], 1.0),  # one label only
        ([0, 0], [0.3, -2.0], 1.0),
        ([1, 0], [0.0, 0.0], 1.0),  # nothing to choose by
        ([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0], COOLEST),  # no mistake
        ([0, 0, 1, 1], [2.0, 1.0, -1.0, -2.0], HOTTEST),  # nothing but mistakes
        ([0, 1], [-1e6, 1e6], 1.0),  # no mistake, and no doubt already
    ],
)
def test_logits_without_a_temperature_of_their_own(label, logit, temperature):
    """An end of the range, or 1, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit_temperature(np.array(label), np.array(logit)) == pytest.approx(temperature)


def test_single_precision_logits_are_fine():
    """Networks give float32, and saturate in it."""
    label, logit = simulated(2.0, count=2000)
    assert fit_temperature(label, logit.astype(np.float32)) == pytest.approx(fit_temperature(label, logit), rel=1e-4)


def test_reliability_agrees_with_scikit_learn():
    """Means and shares by bin are those of ``calibration_curve``, the score that of ``brier_score_loss``."""
    rng = np.random.default_rng(1)
    probability = rng.random(500)
    label = (rng.random(500) < probability**2).astype(int)
    found = reliability(label, probability, bins=10)
    shares, means = calibration_curve(label, probability, n_bins=10)
    assert [each["share_positive"] for each in found["bins"]] == pytest.approx(list(shares))
    assert [each["mean_probability"] for each in found["bins"]] == pytest.approx(list(means))
    assert found["brier"] == pytest.approx(brier_score_loss(label, probability))
    weights = [each["count"] / 500 for each in found["bins"]]
    assert found["expected_calibration_error"] == pytest.approx(np.abs(shares - means) @ weights)
    json.dumps(found)


def test_bins_by_hand():
    """Empty bins are left out, an edge belongs to the bin above it, and 1 to the last one."""
    found = reliability(np.array([0, 1, 1, 1]), np.array([0.0, 0.5, 0.7, 1.0]), bins=2)
    assert [(each["low"], each["high"], each["count"]) for each in found["bins"]] == [(0, 0.5, 1), (0.5, 1, 3)]
    assert found["expected_calibration_error"] == pytest.approx(3 / 4 * (1 - 2.2 / 3))
    assert len(reliability(np.array([0, 1]), np.array([0.1, 0.9]))["bins"]) == 2


def test_the_interval_of_a_share_is_wilsons():
    """By hand, for 8 of 10: (p + z²/2n ± z sqrt(pq/n + z²/4n²)) / (1 + z²/n)."""
    (only,) = reliability(np.array([1] * 8 + [0] * 2), np.full(10, 0.81))["bins"]
    z, n, p = 1.959964, 10, 0.8
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert only["share_low"] == pytest.approx((middle - half) / (1 + z**2 / n))
    assert only["share_high"] == pytest.approx((middle + half) / (1 + z**2 / n))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=50), st.integers(1, 20))
def test_reliability_holds_for_anything(rows, bins):
    """Every image is in one bin whose ends hold its mean, and no error leaves its range."""
    label, probability = (np.array(column) for column in zip(*rows, strict=True))
    found = reliability(label, probability, bins)
    assert sum(each["count"] for each in found["bins"]) == len(rows)
    for each in found["bins"]:
        assert each["low"] - 1e-12 <= each["mean_probability"] <= each["high"] + 1e-12
        assert 0 <= each["share_low"] <= each["share_positive"] + 1e-12
        assert each["share_positive"] <= each["share_high"] + 1e-12 <= 1 + 1e-9
    assert 0 <= found["expected_calibration_error"] <= 1
    assert 0 <= found["brier"] <= 1


def test_the_error_by_chance_is_what_perfect_probabilities_show():
    """The mean over simulated labels, within a tenth."""
    rng = np.random.default_rng(2)
    probability = rng.beta(0.7, 0.7, 300)
    drawn = [
        reliability((rng.random(300) < probability).astype(int), probability)["expected_calibration_error"]
        for _ in range(100)
    ]
    assert error_by_chance(probability) == pytest.approx(np.mean(drawn), rel=0.1)
