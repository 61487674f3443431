"""Probabilities and labels -> metrics with intervals.

Intervals are 95 % percentile bootstraps over *groups* (patients, or whatever must not straddle a split), never over
images: images of one patient resemble each other, and counting them as independent would make the intervals too narrow
(Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13).

Each metric is computed for all resamples at once, as an array (1 + R,) whose first element is the metric of the images
as they are. Calling scikit-learn's functions a thousand times would take minutes; the tests compare with them.
"""

from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.evaluation.calibration import error_by_chance, gaps, reliability
from fracture.registry.validation import (
    Calibration,
    CalibrationMetrics,
    CommonMetrics,
    Level,
    OperatingPoint,
    PartLevel,
)

RESAMPLES = 1000
"""Bootstrap resamples; the bounds of a 95 % interval then move by less than a tenth of its width from seed to seed."""

MIN_PART_IMAGES = 10
"""The fewest images of either label with which a body part is measured on its own; fewer give no useful interval."""

CONFUSION = ("true_negative", "false_positive", "false_negative", "true_positive")
"""The cells of the confusion matrix, in the order in which scikit-learn flattens it and events list it."""

Floats = NDArray[np.float64]


def evaluate(predictions: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Level]:
    """Metrics by image, and by study where studies have several views.

    Args:
        predictions: ``study, group, label, probability`` and, where known, ``body_part``; a row an image.
        thresholds: operating points by name; a probability at or above the threshold is positive.

    Returns:
        ``{"image": level, "study": level}``. A level holds ``count, positives, groups``, the estimates ``auc`` and
        ``average_precision``, in ``points`` what :func:`rates` returns, by the names of the thresholds, and
        ``calibration``: see :func:`fracture.evaluation.calibration.reliability`, with both metrics as estimates and,
        as ``chance``, what perfect probabilities would show.

        ``image`` also holds ``body_parts``, levels without the bins of the reliability diagram, where at least two body
        parts have ``MIN_PART_IMAGES`` images of either label. ``body_parts_too_small`` counts the images of the others.
    """
    levels = {"image": _level(predictions, thresholds)}
    if predictions["study"].nunique() < len(predictions):
        levels["study"] = _level(by_study(predictions), thresholds)
    _add_body_parts(levels["image"], predictions, thresholds)
    return levels


def by_study(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a study: the mean probability of its views, and the highest of their labels."""
    return predictions.groupby("study", as_index=False, sort=False).agg(
        group=("group", "first"), label=("label", "max"), probability=("probability", "mean")
    )


def rates(table: pd.DataFrame, threshold: float) -> OperatingPoint:
    """``threshold``, the estimates ``accuracy, sensitivity, specificity, kappa`` there, and the ``confusion`` matrix.

    Kappa is Cohen's (Educational and Psychological Measurement 20:37, 1960): the agreement with the label beyond that
    of two raters who agree by chance alone. 0 is chance, 1 is perfect.
    """
    return _rates(table, threshold, _resample(table["group"]))


def mean(values: NDArray[Any], group: "pd.Series[str]") -> Estimate:
    """The mean of values (N,) over images; without an interval for a single group."""
    return _estimate(_mean(values, _resample(group)))


def over_groups(statistic: Callable[[Floats], Floats], group: "pd.Series[str]") -> Estimate:
    """A statistic of images, with its interval; without one for a single group.

    ``statistic``: how often each image counts (R, N) -> its value for each row (R,), NaN where it is not defined.
    """
    drawn = _resample(group)
    # In parts of a hundred resamples, as in _areas.
    parts = np.array_split(drawn.times, ceil(len(drawn.times) / 100))
    return _estimate(np.concatenate([statistic(part[:, drawn.group]) for part in parts]))


def area(label: NDArray[Any], probability: Floats, group: "pd.Series[str]") -> Estimate:
    """The area under the ROC curve of probabilities (N,), with its interval."""
    return _estimate(_areas(label, probability, _resample(group))[0])


def auc_difference(label: NDArray[Any], first: Floats, second: Floats, group: "pd.Series[str]") -> Estimate:
    """The AUC of the second probabilities minus that of the first ones, on the same images (N,).

    Of several first ones (K, N), the mean of their AUCs counts.

    The resamples are paired: both AUCs are of the same resample of groups, so that images which are hard for both
    models do not widen the interval (Hanley and McNeil, Radiology 148:839, 1983, on AUCs of the same cases; Obuchowski,
    Biometrics 53:567, 1997, on cases in groups). There is no interval for a single group, nor where all resamples
    agree.
    """
    drawn = _resample(group)
    first_aucs = [_areas(label, each, drawn)[0] for each in np.atleast_2d(first)]  # (1 + R,) each
    second_auc = _areas(label, second, drawn)[0]
    return _estimate(second_auc - np.mean(first_aucs, axis=0))


def ranking(label: NDArray[Any], probability: Floats, times: Floats) -> tuple[Floats, Floats]:
    """The area under the ROC curve and the average precision, (R,) each, of images that count several times.

    Args:
        label: 0 or 1 (N,).
        probability: of label 1 (N,); equal ones share a rank.
        times: how often each image counts (R, N); a row of ones is the images as they are.

    Returns:
        What ``roc_auc_score`` and ``average_precision_score`` of scikit-learn give with ``sample_weight``; NaN in rows
        where one of the labels does not count at all.
    """
    order = np.argsort(probability, kind="stable")
    rank_starts = np.unique(probability[order], return_index=True)[1]  # (U,)
    images = np.add.reduceat(times[:, order], rank_starts, axis=1)  # (R, U)
    positive_times = times * (label == 1)
    positive = np.add.reduceat(positive_times[:, order], rank_starts, axis=1)
    negative = images - positive
    positives = positive.sum(axis=1)
    negatives = negative.sum(axis=1)
    # The AUC is the share of pairs in which the positive image ranks higher; a tie counts one half.
    won_pairs = (positive * (negative.cumsum(axis=1) - negative / 2)).sum(axis=1)
    pairs = positives * negatives
    auc = _quotient(won_pairs, pairs)
    true_positives = _sum_from_here_on(positive)
    precision = _quotient(true_positives, _sum_from_here_on(images), 0)
    average_precision = _quotient((positive * precision).sum(axis=1), positives)
    # Without negatives the average precision would be 1 for any model.
    return auc, np.where(pairs > 0, average_precision, np.nan)


def _sum_from_here_on(values: Floats) -> Floats:
    """At each rank the sum over it and all higher ones: what a threshold there calls positive."""
    return values[:, ::-1].cumsum(axis=1)[:, ::-1]


class _Resamples(NamedTuple):
    """How often each group counts: once in the first row, in each other row as often as it was drawn."""

    group: NDArray[np.int64]  # (N,)
    times: Floats  # (1 + R, G); a single group can't be resampled: (1, 1)

    @property
    def groups(self) -> int:
        """The number of groups."""
        return int(self.times.shape[1])

    def sums(self, values: NDArray[Any]) -> Floats:
        """The column sums of values (N, K) in each row (1 + R, K)."""
        by_group = np.zeros((self.groups, values.shape[1]))
        np.add.at(by_group, self.group, values)
        return self.times @ by_group


def _resample(group: "pd.Series[str]") -> _Resamples:
    """The same on every machine and in every run."""
    codes, names = pd.factorize(group)
    groups = len(names)
    times = np.ones((1, groups))
    if groups > 1:
        equal = np.full(groups, 1 / groups)
        draws = np.random.default_rng(0).multinomial(groups, equal, size=RESAMPLES)  # (R, G)
        times = np.vstack([times, draws])
    return _Resamples(codes, times)


def _level(table: pd.DataFrame, thresholds: dict[str, float]) -> Level:
    drawn = _resample(table["group"])
    label, probability = _arrays(table)
    calibration: Calibration = {
        "bins": reliability(label, probability)["bins"],
        **_calibration(label, probability, drawn),
    }
    common = _common(table, thresholds, drawn)
    return cast(Level, {**common, "groups": drawn.groups, "calibration": calibration})


def _part_level(table: pd.DataFrame, thresholds: dict[str, float]) -> PartLevel:
    drawn = _resample(table["group"])
    common = _common(table, thresholds, drawn)
    return {**common, "groups": drawn.groups, "calibration": _calibration(*_arrays(table), drawn)}


def _common(table: pd.DataFrame, thresholds: dict[str, float], drawn: _Resamples) -> CommonMetrics:
    label, probability = _arrays(table)
    auc, average_precision = _areas(label, probability, drawn)
    return {
        "count": len(table),
        "positives": int(label.sum()),
        "auc": _estimate(auc),
        "average_precision": _estimate(average_precision),
        "points": {name: _rates(table, threshold, drawn) for name, threshold in thresholds.items()},
    }


def _arrays(table: pd.DataFrame) -> tuple[NDArray[Any], Floats]:
    """Labels and probabilities, (N,) each."""
    return table["label"].to_numpy(), table["probability"].to_numpy(np.float64)


def _areas(label: NDArray[Any], probability: Floats, drawn: _Resamples) -> Floats:
    """What :func:`ranking` gives in each resample (2, 1 + R)."""
    # In parts of a hundred resamples: all at once would take gigabytes for MURA.
    parts = np.array_split(drawn.times, ceil(len(drawn.times) / 100))
    rankings = [ranking(label, probability, part[:, drawn.group]) for part in parts]
    return np.hstack(rankings)


def _add_body_parts(level: Level, predictions: pd.DataFrame, thresholds: dict[str, float]) -> None:
    if "body_part" not in predictions:
        return
    large = {}
    too_small = {}
    for name, part in predictions.groupby("body_part"):
        if not name:
            continue
        positives = int(part["label"].sum())
        if min(positives, len(part) - positives) >= MIN_PART_IMAGES:
            large[str(name)] = part
        else:
            too_small[str(name)] = len(part)
    if len(large) < 2:
        return
    level["body_parts"] = {name: _part_level(part, thresholds) for name, part in large.items()}
    level["body_parts_too_small"] = too_small


def _rates(table: pd.DataFrame, threshold: float, drawn: _Resamples) -> OperatingPoint:
    label = table["label"].to_numpy() == 1
    called = table["probability"].to_numpy() >= threshold
    cells = np.stack([~label & ~called, ~label & called, label & ~called, label & called], axis=1)  # (N, 4)
    tn, fp, fn, tp = drawn.sums(cells).T  # (1 + R,) each
    # Cohen's (observed - chance) / (1 - chance), multiplied out for two labels.
    beyond_chance = 2 * (tp * tn - fn * fp)
    most_beyond_chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    return {
        "threshold": threshold,
        "accuracy": _estimate(_quotient(tp + tn, tp + fn + fp + tn)),
        "sensitivity": _estimate(_quotient(tp, tp + fn)),
        "specificity": _estimate(_quotient(tn, fp + tn)),
        "kappa": _estimate(_quotient(beyond_chance, most_beyond_chance)),
        "confusion": {name: int(count) for name, count in zip(CONFUSION, cells.sum(axis=0), strict=True)},
    }


def _calibration(label: NDArray[Any], probability: Floats, drawn: _Resamples) -> CalibrationMetrics:
    images = drawn.sums(np.ones((len(label), 1)))  # (1 + R, 1)
    mean_gaps = drawn.sums(gaps(label, probability)) / images  # (1 + R, bins)
    error = np.abs(mean_gaps).sum(axis=1)
    if len(error) > 1:
        # Resamples repeat images: their bins scatter more, and their error is higher. Without this correction, the
        # interval would lie above its value.
        error[1:] -= error[1:].mean() - error[0]
    return {
        "expected_calibration_error": {
            **_estimate(np.maximum(error, 0)),
            "chance": error_by_chance(probability),
        },
        "brier": _estimate(_mean((probability - label) ** 2, drawn)),
    }


def _mean(values: NDArray[Any], drawn: _Resamples) -> Floats:
    # Resamples of groups differ in their number of images.
    counted = np.stack([values, np.ones(len(values))], axis=1)  # (N, 2)
    total, count = drawn.sums(counted).T
    return _quotient(total, count)


def _quotient(over: Floats, under: Floats, otherwise: float = np.nan) -> Floats:
    result = np.full(under.shape, float(otherwise))
    np.divide(over, under, out=result, where=under != 0)
    return result


def _estimate(values: Floats) -> Estimate:
    """The first of the values (1 + R,), with the interval of the other values that are defined."""
    if np.isnan(values[0]):
        return {"value": None, "low": None, "high": None}
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (values[0], values[0])
    if np.isclose(low, high, rtol=1e-9, atol=1e-12):  # all resamples agree: they say nothing about the uncertainty
        return {"value": float(values[0]), "low": None, "high": None}
    return {"value": float(values[0]), "low": float(low), "high": float(high)}
