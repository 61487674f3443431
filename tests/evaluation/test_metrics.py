"""Metrics and their intervals."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    cohen_kappa_score,
    confusion_matrix,
    roc_auc_score,
)

from fracture.evaluation.calibration import reliability
from fracture.evaluation.metrics import by_study, evaluate, mean, ranking, rates
from fracture.evaluation.thresholds import balanced_threshold


def table(label, probability, group=None, study=None) -> pd.DataFrame:
    rows = [str(row) for row in range(len(label))]
    return pd.DataFrame({"study": study or rows, "group": group or rows, "label": label, "probability": probability})


def scored(count: int, seed: int = 0, **columns) -> pd.DataFrame:
    """Predictions of a middling model, three images a group, with ties."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    probability = np.round(np.clip(label * 0.2 + rng.random(count) * 0.8, 0, 1), 2)
    return table(label, probability, [str(row // 3) for row in range(count)]).assign(**columns)


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


@pytest.mark.slow
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


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]) | st.floats(0, 1), st.integers(0, 3)),
        min_size=1,
        max_size=40,
    )
)
def test_ranking_agrees_with_scikit_learn(rows):
    """For any labels, probabilities and weights, ties and images that do not count among them."""
    label, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    times = np.stack([np.ones(len(rows)), weight])
    aucs, precisions = ranking(label, probability, times)
    for auc, precision, each in zip(aucs, precisions, times, strict=True):
        if 0 < each[label == 1].sum() < each.sum():
            assert auc == pytest.approx(roc_auc_score(label, probability, sample_weight=each))
            assert precision == pytest.approx(average_precision_score(label, probability, sample_weight=each))
        else:
            assert np.isnan([auc, precision]).all()


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.floats(0, 1))
def test_rates_agree_with_scikit_learn(rows, threshold):
    """Accuracy, kappa and the confusion matrix, one class only included."""
    label, probability = (np.array(column) for column in zip(*rows, strict=True))
    called, point = probability >= threshold, rates(table(label, probability), threshold)
    (tn, fp), (fn, tp) = confusion_matrix(label, called, labels=[0, 1]).tolist()
    expected = {"true_positive": tp, "false_negative": fn, "false_positive": fp, "true_negative": tn}
    assert point["confusion"] == expected
    assert point["accuracy"]["value"] == pytest.approx(accuracy_score(label, called))
    if len({*label.tolist(), *called.astype(int).tolist()}) == 1:
        assert point["kappa"]["value"] is None
    else:
        assert point["kappa"]["value"] == pytest.approx(cohen_kappa_score(label, called))


def test_a_level_agrees_with_scikit_learn():
    """Every figure of a level is the one that scikit-learn gives for the images as they are."""
    predictions = scored(90)
    label, probability = predictions["label"], predictions["probability"]
    level = evaluate(predictions, {"half": 0.5})["image"]
    figures = {
        "auc": (level["auc"], roc_auc_score(label, probability)),
        "average precision": (level["average_precision"], average_precision_score(label, probability)),
        "kappa": (level["points"]["half"]["kappa"], cohen_kappa_score(label, probability >= 0.5)),
        "brier": (level["calibration"]["brier"], brier_score_loss(label, probability)),
    }
    for estimate, expected in figures.values():
        assert estimate["value"] == pytest.approx(expected)
        assert estimate["low"] < estimate["value"] < estimate["high"]
    json.dumps(level)


@pytest.mark.slow
def test_intervals_are_those_of_resampled_groups():
    """The ends of the kappa's and the AUC's are what scikit-learn gives on a thousand copies of drawn groups."""
    predictions = scored(60)
    level, rng = evaluate(predictions, {"half": 0.5})["image"], np.random.default_rng(5)
    rows = predictions.groupby("group").indices
    drawn = [
        predictions.iloc[np.concatenate([rows[name] for name in rng.choice([*rows], len(rows))])] for _ in range(1000)
    ]
    aucs = [roc_auc_score(each["label"], each["probability"]) for each in drawn]
    kappas = [cohen_kappa_score(each["label"], each["probability"] >= 0.5) for each in drawn]
    for estimate, values in ((level["auc"], aucs), (level["points"]["half"]["kappa"], kappas)):
        assert [estimate["low"], estimate["high"]] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.03)


def test_groups_of_like_images_have_wider_intervals():
    """Where the images of a group share their fate, counting them one by one looks surer than it is."""
    one = scored(60, seed=4)
    by_group = pd.concat([one] * 5).assign(study=[str(row) for row in range(300)])
    by_image = by_group.assign(group=by_group["study"])
    wide, narrow = (evaluate(each, {"half": 0.5})["image"] for each in (by_group, by_image))
    for pick in (
        lambda level: level["auc"],
        lambda level: level["average_precision"],
        lambda level: level["points"]["half"]["kappa"],
        lambda level: level["calibration"]["brier"],
        lambda level: level["calibration"]["expected_calibration_error"],
    ):
        assert pick(wide)["value"] == pytest.approx(pick(narrow)["value"])
        assert pick(wide)["high"] - pick(wide)["low"] > 1.5 * (pick(narrow)["high"] - pick(narrow)["low"])


def test_calibration_is_that_of_the_reliability_diagram():
    """The bins and both figures, the error with its interval around it and what chance would show."""
    predictions = scored(300)
    label, probability = predictions["label"].to_numpy(), predictions["probability"].to_numpy()
    found, expected = evaluate(predictions, {})["image"]["calibration"], reliability(label, probability)
    error = found["expected_calibration_error"]
    assert found["bins"] == expected["bins"]
    assert error["value"] == pytest.approx(expected["expected_calibration_error"])
    assert found["brier"]["value"] == pytest.approx(expected["brier"])
    assert 0 <= error["low"] < error["value"] < error["high"]
    assert 0 < error["chance"] < error["value"]


def test_body_parts_are_measured_by_themselves():
    """Those that are large enough as if there were nothing else; the others are counted."""
    parts = ["ELBOW"] * 40 + ["HAND"] * 40 + ["WRIST"] * 9 + [""] * 11
    predictions = scored(200, body_part=parts * 2)
    image = evaluate(predictions, {"half": 0.5})["image"]
    assert list(image["body_parts"]) == ["ELBOW", "HAND"]
    assert image["body_parts_too_small"] == {"WRIST": 18}
    alone = evaluate(predictions[predictions["body_part"] == "HAND"], {"half": 0.5})["image"]
    del alone["calibration"]["bins"]
    assert image["body_parts"]["HAND"] == alone
    assert "body_parts" not in alone


def test_a_body_part_with_one_label_only_is_too_small():
    """It takes both labels to tell anything, and two parts to compare them."""
    predictions = scored(120, body_part=["A"] * 40 + ["B"] * 40 + ["C"] * 40)
    predictions.loc[predictions["body_part"] == "C", "label"] = 1
    image = evaluate(predictions, {})["image"]
    assert (list(image["body_parts"]), image["body_parts_too_small"]) == (["A", "B"], {"C": 40})
    assert "body_parts" not in evaluate(predictions[predictions["body_part"] != "A"], {})["image"]


@pytest.mark.parametrize("label", [[1], [0], [0, 1], [1, 1], [0, 0, 0]])
def test_tiny_sets(label):
    """A single image and a single class are measured as far as that goes, and as JSON."""
    predictions = table(label, np.linspace(0.2, 0.8, len(label)))
    level = evaluate(predictions, {"half": 0.5})["image"]
    json.dumps(level, allow_nan=False)
    assert level["points"]["half"]["accuracy"]["value"] is not None
    assert (level["auc"]["value"] is None) == (len(set(label)) == 1) == (level["average_precision"]["value"] is None)


def test_a_single_group_has_no_interval():
    """Drawing one group gives it again each time."""
    predictions = scored(30).assign(group="only")
    level = evaluate(predictions, {"half": 0.5})["image"]
    for estimate in (level["auc"], level["average_precision"], level["points"]["half"]["kappa"]):
        assert estimate["value"] is not None
        assert estimate["low"] is estimate["high"] is None


def test_values_that_differ_by_rounding_only_are_alike():
    """Sums of 0.3 come out differently in the last digit, which is no interval."""
    assert mean(np.full(7, 0.3), pd.Series(list("abcdefg"))) == {"value": pytest.approx(0.3), "low": None, "high": None}
