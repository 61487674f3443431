"""External metrics beside those of the card."""

import numpy as np
import pandas as pd
import pytest

from fracture.evaluation.evaluate import evaluate_model
from fracture.evaluation.external.comparison import compare, explain, independent_difference
from fracture.evaluation.external.results import request_evaluation, summarize
from fracture.evaluation.metrics import evaluate
from fracture.registry.model_folder import read_card
from tests.support.drawing import draw_mura


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high}


def test_independent_difference_of_symmetric_intervals_is_that_of_normal_distributions():
    """The half widths add as squares."""
    found = independent_difference(estimate(0.9, 0.87, 0.93), estimate(0.7, 0.66, 0.74))
    assert found["value"] == pytest.approx(-0.2)
    assert (found["low"], found["high"]) == pytest.approx((-0.25, -0.15))


def test_independent_difference_covers_the_true_difference_as_often_as_it_says():
    """Of two shares, by simulation: 95 % of the intervals hold the true difference."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        intervals = []
        for share in (0.9, 0.7):
            seen = rng.random(120) < share
            draws = rng.choice(seen, (300, 120)).mean(axis=1)
            intervals.append(estimate(seen.mean(), *np.percentile(draws, [2.5, 97.5])))
        found = independent_difference(*intervals)
        covered.append(found["low"] <= -0.2 <= found["high"])
    assert 0.91 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("missing", [estimate(None, None, None), estimate(1.0, None, None)])
def test_independent_difference_without_an_interval_has_none(missing):
    """A value without an interval still has a difference."""
    found = independent_difference(missing, estimate(0.7, 0.6, 0.8))
    assert found["low"] is None and found["high"] is None
    assert (found["value"] is None) == (missing["value"] is None)


def predictions(count, share, body_part, seed=0):
    rng = np.random.default_rng(seed)
    label = (rng.random(count) < share).astype(int)
    names = [f"image{row}" for row in range(count)]
    return pd.DataFrame(
        {
            "study": names,
            "group": names,
            "label": label,
            "probability": np.clip(0.5 + 0.2 * (label - 0.5) + rng.normal(0, 0.2, count), 0, 1),
            "body_part": body_part,
        }
    )


@pytest.fixture
def external(homes, make_model, tmp_path):
    """A drawn data set of another body part, as the model sees it."""
    folder = make_model("m")
    data = draw_mura(tmp_path / "elbows", train_patients=2, valid_patients=12, seed=5, body_part="XR_ELBOW")
    evaluation = evaluate_model("m", str(data))
    return summarize(evaluation, folder, None), read_card(folder)


def test_compare_has_auc_points_and_calibration_of_both_sides(external):
    """Each with the difference of external minus validation."""
    result, card = external
    compared = {(each.metric, each.point): each for each in compare(result, card)}
    assert {("auc", ""), ("sensitivity", "balanced"), ("specificity", "balanced"), ("brier", "")} <= set(compared)
    auc = compared["auc", ""]
    assert auc.validation == card.metrics["image"]["auc"] and auc.external == result.metrics["image"]["auc"]
    assert auc.difference["value"] == pytest.approx(auc.external["value"] - auc.validation["value"])
    assert compare(result, card, "patient") == []


def test_explain_names_what_differs_in_measured_numbers(external):
    """Another body part, another share of positives, images out of distribution, a lower AUC, other labels."""
    result, card = external
    assert result.new_body_parts == {"XR_ELBOW": result.images}
    assert any("XR_ELBOW" in sentence for sentence in explain(result, card))
    own = {**card.metrics["image"], "auc": estimate(0.95, 0.93, 0.97), "count": 1000, "positives": 800}
    good = card.model_copy(update={"metrics": {"image": own}, "metrics_by_data": None})
    worse = result.model_copy(
        update={
            "metrics": evaluate(predictions(400, 0.2, "elbow"), card.thresholds),
            "images": 400,
            "out_of_distribution": 100,
            "prevalence": estimate(0.2, 0.16, 0.24),
            "data_labels": ["not fractured", "fractured"],
            "validated_on": 7,
        }
    )
    words = " ".join(explain(worse, good))
    assert "AUC is lower" in words and "100 of 400 images (25.0%) are out of distribution" in words
    assert "20% (16 to 24%) of these images are positive, against 80%" in words and "too high" in words
    assert "'fractured'" in words and "7 of these 400 images are the model's own validation images" in words


def test_explain_does_not_call_chance_a_drop(external):
    """A difference whose interval includes zero is not significant, and nothing else is said of equal images."""
    result, card = external
    own = {**card.metrics["image"], "auc": estimate(0.8, 0.7, 0.9), "count": 100, "positives": 50}
    same = card.model_copy(update={"metrics": {"image": own}, "metrics_by_data": None})
    level = {**result.metrics["image"], "auc": estimate(0.75, 0.65, 0.85)}
    equal = result.model_copy(
        update={
            "metrics": {"image": level},
            "out_of_distribution": 0,
            "prevalence": estimate(0.5, 0.4, 0.6),
            "new_body_parts": {},
        }
    )
    assert explain(equal, same) == [
        "The difference in AUC to the model's validation images, -0.050 (-0.191 to 0.091), is not significant: the "
        "interval includes zero."
    ]


def test_request_evaluation_has_a_folder_of_its_own_for_each_request(homes, drawn):
    """By model, data, split and body part; none leads out of the data home."""
    asked = [
        request_evaluation("m", str(drawn)),
        request_evaluation("n", str(drawn)),
        request_evaluation("m", str(drawn), "all"),
        request_evaluation("m", str(drawn), "valid", "XR_HUMERUS"),
    ]
    places = {each.folder for each in asked}
    assert len(places) == 4 and all(place.is_relative_to(homes / "data" / ".evaluations") for place in places)
