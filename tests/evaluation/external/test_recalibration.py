"""Temperature and thresholds, refitted by cross-fitting."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from fracture.errors import DatasetError
from fracture.evaluation.external.recalibration import FOLDS, describe_brier_difference, recalibrate
from fracture.registry.card import Card

THRESHOLDS = {"half": 0.5, "balanced": 0.5, "high_sensitivity": 0.3, "high_specificity": 0.7}


class Source:
    """The part of a stored result that names the data."""

    data, split, body_part = "drawn", "valid", None


@pytest.fixture
def card(trained):
    from fracture.registry.model_folder import read_card

    return read_card(trained).model_copy(update={"thresholds": THRESHOLDS, "temperature": 1.0})


def overconfident(groups=400, views=2, times=4.0, seed=0) -> pd.DataFrame:
    """Labels drawn by probabilities whose log-odds the model multiplies by ``times``; the views of a study agree."""
    rng = np.random.default_rng(seed)
    true_logit = rng.normal(0, 1.5, groups)
    label = (rng.random(groups) < expit(true_logit)).astype(int)
    names = np.array([f"patient{row}" for row in range(groups)])
    rows = np.repeat(np.arange(groups), views)
    return pd.DataFrame(
        {
            "study": names[rows],
            "group": names[rows],
            "body_part": "humerus",
            "label": label[rows],
            "logit": times * true_logit[rows],
            "trained_on": False,
        }
    )


def test_recalibrate_finds_the_temperature_of_an_overconfident_model(card: Card):
    """Log-odds that are four times too large get a temperature of about four, and better probabilities."""
    made = recalibrate(overconfident(), card, Source)
    assert made.temperature == pytest.approx(4, rel=0.3)
    error = {
        side: getattr(made, side)["image"]["calibration"]["expected_calibration_error"] for side in ("before", "after")
    }
    assert error["after"]["value"] < error["before"]["value"] / 2
    assert made.brier_difference["high"] < 0 and "better probabilities" in describe_brier_difference(made)
    assert made.thresholds["half"] == 0.5 and set(made.thresholds) == set(THRESHOLDS)
    assert made.after["study"]["count"] == 400


def test_recalibrate_reports_figures_of_held_out_folds(card: Card):
    """On noise, thresholds look useful on the images that they were fitted on; held out, they are chance."""
    rng = np.random.default_rng(3)
    noise = overconfident(groups=60, views=1)
    noise["logit"] = rng.normal(size=60)
    made = recalibrate(noise, card, Source)
    called = expit(noise["logit"] / made.temperature) >= made.thresholds["balanced"]
    positive = noise["label"] == 1
    fitted_youden = called[positive].mean() + (~called)[~positive].mean() - 1
    point = made.after["image"]["points"]["balanced"]
    held_out_youden = point["sensitivity"]["value"] + point["specificity"]["value"] - 1
    assert fitted_youden > 0.1 > held_out_youden
    assert point["threshold"] == made.thresholds["balanced"]


def test_recalibrate_keeps_the_groups_together(card: Card, monkeypatch):
    """No patient is in the images that are fitted on and in those that are held out."""
    from fracture.evaluation.external import recalibration

    table = overconfident(groups=40, views=3)
    folds = list(recalibration._folds(table))
    assert len(folds) == FOLDS
    for fitting, held_out in folds:
        assert not set(table["group"].iloc[fitting]) & set(table["group"].iloc[held_out])
    assert sorted(np.concatenate([held_out for _, held_out in folds])) == list(range(len(table)))


def test_recalibrate_leaves_out_images_that_the_model_was_trained_on(card: Card):
    """They would make it overconfident; their number is reported."""
    clean = overconfident()
    seen = clean.assign(logit=50 * (2 * clean["label"] - 1), trained_on=True, group="seen " + clean["group"])
    seen["study"] = seen["group"]
    made = recalibrate(pd.concat([clean, seen], ignore_index=True), card, Source)
    assert made.left_out == len(seen) and made.images == len(clean)
    assert made.temperature == recalibrate(clean, card, Source).temperature


@pytest.mark.parametrize("rows", [slice(0, 30), slice(0, 0)])
def test_recalibrate_with_too_few_images_says_how_many_are_needed(card: Card, rows):
    """Of either label, and of how many groups."""
    with pytest.raises(DatasetError, match=r"at least 20 images of either label, from 5 patients or groups\. Rec"):
        recalibrate(overconfident().iloc[rows], card, Source)


def test_recalibrate_with_a_single_label_says_so(card: Card):
    """Neither a temperature nor a threshold can be fitted."""
    with pytest.raises(DatasetError, match="0 negative ones"):
        recalibrate(overconfident().assign(label=1), card, Source)
