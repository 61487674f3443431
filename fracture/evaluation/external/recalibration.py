"""Temperature and thresholds of a model, refitted on another data set by cross-fitting.

The values that are used are fitted on all images. The figures that are reported are not theirs: the groups are split
into folds, each image is classified with the values that were fitted on the other folds, and the metrics are of all
these answers (Chernozhukov et al., Econometrics Journal 21:C1, 2018, call this cross-fitting). Ranks within a fold do
not change, and neither does what the network computes.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from fracture.errors import DatasetError
from fracture.estimate import excludes_zero, format_number
from fracture.evaluation.calibration import COOLEST, HOTTEST, fit_temperature
from fracture.evaluation.external.results import ExternalResult
from fracture.evaluation.metrics import evaluate, mean, rates
from fracture.evaluation.thresholds import operating_points
from fracture.registry.adjustments import Recalibration
from fracture.registry.card import Card
from fracture.registry.validation import Level

FOLDS = 5
"""Four fifths of the groups fit the values that judge the fifth."""

MIN_IMAGES = 20
"""Of either label: a sensitivity of 95 % needs twenty positives to differ from 100 % at all."""


class _Fitted(NamedTuple):
    """What is refitted."""

    temperature: float
    thresholds: dict[str, float]


def recalibrate(predictions: pd.DataFrame, card: Card, result: ExternalResult) -> Recalibration:
    """Refit the temperature and the thresholds, and measure on held-out folds what that changes.

    Args:
        predictions: of an evaluation: ``study, group, body_part, label, logit, trained_on``; a row an image. Images
            that the model was trained on are left out.
        card: the model's.
        result: of the same evaluation, for the data set's name.

    Raises:
        DatasetError: fewer than ``MIN_IMAGES`` images of either label are left, or in fewer than ``FOLDS`` groups.
    """
    unseen = predictions[~predictions["trained_on"]].reset_index(drop=True)
    _check_enough(unseen, len(predictions) - len(unseen))
    fitted = _fit(unseen, card.thresholds)
    before = _judged(unseen, card.temperature or 1.0)
    held_out = _held_out(unseen, card.thresholds)
    return Recalibration(
        data=result.data,
        split=result.split,
        body_part=result.body_part,
        made=time.time(),
        images=len(unseen),
        groups=int(unseen["group"].nunique()),
        left_out=len(predictions) - len(unseen),
        folds=FOLDS,
        temperature=fitted.temperature,
        thresholds=fitted.thresholds,
        before=evaluate(before, dict(card.thresholds)),
        after=_held_out_metrics(held_out, fitted.thresholds),
        brier_difference=mean(_squared_error(held_out) - _squared_error(before), unseen["group"]),
    )


def describe_brier_difference(made: Recalibration) -> str:
    """Whether the probabilities have become better on held-out folds: a sentence."""
    difference = made.brier_difference
    value = difference["value"] or 0.0
    if not excludes_zero(difference):
        verdict = "not significant: the interval includes zero"
    else:
        verdict = "better probabilities" if value < 0 else "worse probabilities"
    sentence = f"The Brier score changes by {format_number(difference)} (lower is better): {verdict}."
    if not COOLEST < made.temperature < HOTTEST:
        sentence += " The temperature is at the end of its search range: these images do not determine it."
    return sentence


def _check_enough(table: pd.DataFrame, left_out: int) -> None:
    positives = table[table["label"] == 1]
    negatives = table[table["label"] == 0]
    fewest_images = min(len(positives), len(negatives))
    fewest_groups = min(positives["group"].nunique(), negatives["group"].nunique())
    if fewest_images >= MIN_IMAGES and fewest_groups >= FOLDS:
        return
    without = f", without {left_out:,} that the model was trained on" if left_out else ""
    raise DatasetError(
        f"Recalibration needs at least {MIN_IMAGES} images of either label, from {FOLDS} patients or groups. Received: "
        f"{len(positives):,} positive and {len(negatives):,} negative ones of {positives['group'].nunique():,} and "
        f"{negatives['group'].nunique():,} groups{without}; choose a larger data set or split."
    )


def _fit(table: pd.DataFrame, former: dict[str, float]) -> _Fitted:
    """Fit on images. Points that are no fit, such as one half, keep their threshold."""
    temperature = fit_temperature(table["label"].to_numpy(), table["logit"].to_numpy())
    return _Fitted(temperature, {**former, **operating_points(_judged(table, temperature))})


def _judged(table: pd.DataFrame, temperature: float) -> pd.DataFrame:
    return table.assign(probability=expit(table["logit"].to_numpy(np.float64) / temperature))


def _squared_error(table: pd.DataFrame) -> NDArray[np.float64]:
    error = table["probability"] - table["label"]
    return error.to_numpy(np.float64) ** 2


def _held_out(table: pd.DataFrame, former: dict[str, float]) -> pd.DataFrame:
    """The images with the probability, and in a column for each operating point the threshold, of the other folds."""
    judged = table.assign(probability=0.0)
    for fitting, held_out in _folds(table):
        fitted = _fit(table.iloc[fitting], former)
        judged.loc[held_out, "probability"] = _judged(table.iloc[held_out], fitted.temperature)["probability"]
        for name, threshold in fitted.thresholds.items():
            judged.loc[held_out, name] = threshold
    return judged


def _held_out_metrics(held_out: pd.DataFrame, final: dict[str, float]) -> dict[str, Level]:
    """Metrics of images that are each judged by the values fitted on the other folds.

    The thresholds that stand beside the rates are the final ones, fitted on all images; those of the folds differ a
    little from them and from each other.
    """
    levels = evaluate(held_out.drop(columns="body_part"), {})
    for level_name, level in levels.items():
        table = held_out
        if level_name == "study":
            table = held_out.groupby("study", as_index=False, sort=False).agg(_study_columns(final))
        level["points"] = {name: _rates_of_folds(table, name, final[name]) for name in final}
    return levels


def _study_columns(thresholds: dict[str, float]) -> dict[str, str]:
    # A study lies in one group, and so in one fold: its images share their thresholds.
    return {"group": "first", "label": "max", "probability": "mean", **dict.fromkeys(thresholds, "first")}


def _rates_of_folds(table: pd.DataFrame, name: str, final: float) -> Any:
    """The rates where each row has a threshold of its own, in the column ``name``."""
    called = (table["probability"] >= table[name]).astype(float)
    return {**rates(table.assign(probability=called), 0.5), "threshold": final}


def _folds(table: pd.DataFrame) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows to fit on and the rows held out, for each fold; no group is in both, and both hold both labels."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    yield from splitter.split(table, table["label"], table["group"])
