"""Metrics and their intervals."""

import numpy as np
import pandas as pd
import pytest

from fracture.learn.evaluation import balanced_threshold, by_study, evaluate, mean, rates


def table(label, probability, group=None, study=None) -> pd.DataFrame:
    rows = [str(row) for row in range(len(label))]
    return pd.DataFrame({"study": study or rows, "group": group or rows, "label": label, "probability": probability})


def test_rates_by_hand():
    """Accuracy, sensitivity and specificity are the textbook ratios; the threshold itself counts as positive."""
    point = rates(table([1, 1, 1, 0, 0], [0.9, 0.5, 0.1, 0.6, 0.2]), 0.5)
    assert point["sensitivity"]["value"] == pytest.approx(2 / 3)
    assert point["specificity"]["value"] == pytest.approx(1 / 2)
    assert point["accuracy"]["value"] == pytest.approx(3 / 5)
    assert point["confusion"] == {"true_positive": 2, "false_negative": 1, "false_positive": 1, "true_negative": 1}


def test_intervals_are_by_group_and_not_by_image():
    """Ten copies of each image tell no more than one: the interval stays as wide."""
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 60)
    probability = np.clip(label * 0.3 + rng.random(60) * 0.7, 0, 1)
    groups = [str(row) for row in range(60)]
    one = evaluate(table(label, probability, groups), {"half": 0.5})["image"]
    ten = evaluate(table(np.tile(label, 10), np.tile(probability, 10), groups * 10), {"half": 0.5})["image"]
    assert ten["groups"] == one["groups"] == 60
    for metric in ("accuracy", "sensitivity", "specificity"):
        assert ten["points"]["half"][metric] == pytest.approx(one["points"]["half"][metric])
    assert ten["auc"] == pytest.approx(one["auc"])
    assert one["auc"]["low"] < one["auc"]["value"] < one["auc"]["high"]


def test_the_interval_is_about_as_wide_as_theory_says():
    """With independent images the bootstrap agrees with the normal approximation of a share."""
    label = np.ones(400, int)
    probability = np.where(np.arange(400) < 320, 0.9, 0.1)
    found = rates(table(label, probability), 0.5)["sensitivity"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.12)


def test_the_interval_of_a_mean_is_by_group():
    """Ten copies of each value in the same groups give the same interval; values of unequal groups count each once."""
    values, group = np.random.default_rng(3).random(40), pd.Series([str(row // 2) for row in range(40)])
    one, ten = mean(values, group), mean(np.tile(values, 10), pd.concat([group] * 10))
    assert ten == pytest.approx(one)
    assert one["low"] < one["value"] < one["high"]
    assert mean(np.array([1.0, 1, 1, 0]), pd.Series(["a", "a", "a", "b"]))["value"] == 0.75
    assert mean(np.array([1.0, 0]), pd.Series(["a", "a"])) == {"value": 0.5, "low": None, "high": None}
    assert mean(np.array([]), pd.Series([], dtype=str))["value"] is None


def test_one_class_only_has_no_auc_and_no_specificity():
    """What is not defined is None, not an invented number."""
    level = evaluate(table([1, 1], [0.2, 0.9]), {"half": 0.5})["image"]
    assert level["auc"] == {"value": None, "low": None, "high": None}
    assert level["points"]["half"]["specificity"]["value"] is None
    assert balanced_threshold(table([1, 1], [0.2, 0.9])) == 0.5


def test_figures_that_are_all_alike_have_no_interval():
    """Resampling three hits gives three hits: that is no certainty."""
    assert mean(np.ones(3), pd.Series(["a", "b", "c"])) == {"value": 1.0, "low": None, "high": None}
    assert mean(np.array([1.0, 0, 1]), pd.Series(["a", "b", "c"]))["low"] is not None


def test_a_study_is_the_mean_of_its_views():
    """Study-level metrics use the mean probability, and appear only where studies have several views."""
    predictions = table([1, 1, 0], [0.2, 0.9, 0.4], study=["a", "a", "b"], group=["p", "p", "q"])
    assert by_study(predictions)["probability"].tolist() == pytest.approx([0.55, 0.4])
    metrics = evaluate(predictions, {"half": 0.5})
    assert metrics["study"]["points"]["half"]["accuracy"]["value"] == 1.0
    assert set(evaluate(table([0, 1], [0.1, 0.9]), {"half": 0.5})) == {"image"}


def test_the_balanced_threshold_has_the_highest_youden_index():
    """No other threshold has a higher sensitivity + specificity on the same predictions."""
    rng = np.random.default_rng(2)
    label = rng.integers(0, 2, 200)
    predictions = table(label, rng.random(200) * 0.6 + label * 0.2)

    def youden(threshold):
        point = rates(predictions, threshold)
        return point["sensitivity"]["value"] + point["specificity"]["value"]

    best = youden(balanced_threshold(predictions))
    assert all(youden(threshold) <= best + 1e-12 for threshold in np.linspace(0, 1, 101))
