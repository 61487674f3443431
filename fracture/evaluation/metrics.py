"""Probabilities and labels -> metrics with intervals.

Intervals are 95 % percentile bootstraps over *groups* (patients, or whatever must not straddle a split), never over
images: images of one patient resemble each other, and counting them as independent would make the intervals too narrow
(Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13).

Each metric is worked out for all resamples at once, as an array (1 + R,) that begins with the images as they are. For
scikit-learn's functions that are a thousand calls each; the tests hold these against them.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.evaluation.calibration import error_by_chance, gaps, reliability
from fracture.evaluation.thresholds import balanced_threshold

__all__ = [
    "area",
    "auc_difference",
    "balanced_threshold",
    "by_study",
    "evaluate",
    "mean",
    "ranking",
    "rates",
]  # the third for recipe.py

RESAMPLES = 1000
"""Bootstrap resamples; the ends of a 95 % interval then move by less than its tenth from seed to seed."""

PART_IMAGES = 10
"""Fewest images of either label of a body part that is looked at by itself; fewer give no interval worth the name."""


Floats = NDArray[np.float64]


def evaluate(predictions: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Any]:
    """Metrics by image, and by study where studies have several views.

    Args:
        predictions: ``study, group, label, probability`` and, where known, ``body_part``; a row an image.
        thresholds: operating points by name; a probability at or above one counts as positive.

    Returns:
        ``{"image": level, "study": level}``. A level holds ``count, positives, groups``, the estimates ``auc`` and
        ``average_precision``, in ``points`` by threshold name what :func:`rates` returns, and ``calibration``: see
        :func:`fracture.evaluation.calibration.reliability`, with both figures as estimates and, as
        ``chance``, what perfect probabilities would show.

        ``image`` also holds ``body_parts``, levels by body part without the bins of ``calibration``, where at least two
        have ``PART_IMAGES`` images of either label, and the others' counts in ``body_parts_too_small``.
    """
    levels = {"image": predictions}
    if predictions["study"].nunique() < len(predictions):
        levels["study"] = by_study(predictions)
    measured = {name: _level(table, thresholds) for name, table in levels.items()}
    measured["image"] |= _body_parts(predictions, thresholds)
    return measured


def by_study(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a study: the mean probability of its views, and the highest of their labels."""
    return predictions.groupby("study", as_index=False, sort=False).agg(
        group=("group", "first"), label=("label", "max"), probability=("probability", "mean")
    )


def rates(table: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """``threshold``, the estimates ``accuracy, sensitivity, specificity, kappa`` there, and the ``confusion`` matrix.

    Kappa is Cohen's (Educational and Psychological Measurement 20:37, 1960): the agreement with the label beyond that
    of two raters who share nothing but how often they say yes. 0 is chance, 1 is perfect.
    """
    return _rates(table, threshold, _resample(table["group"]))


def mean(values: NDArray[Any], group: "pd.Series[str]") -> Estimate:
    """The mean of values (N,) over images, with its interval; there is none for a single group."""
    return _estimate(_mean(values, _resample(group)))


def area(label: NDArray[Any], probability: Floats, group: "pd.Series[str]") -> Estimate:
    """The area under the ROC curve of probabilities (N,), with its interval."""
    return _estimate(_areas(label, probability, _resample(group))[0])


def auc_difference(label: NDArray[Any], first: Floats, second: Floats, group: "pd.Series[str]") -> Estimate:
    """By how much the AUC of the second probabilities is above that of the first ones, on the same images (N,).

    Several first ones (K, N) count by the mean of their areas.

    The resamples are paired: both areas are of the same draw of groups, so that images which are hard for both do not
    widen the interval (Hanley and McNeil, Radiology 148:839, 1983, on areas of the same cases; Obuchowski, Biometrics
    53:567, 1997, on cases in groups). There is no interval for a single group, nor where all resamples agree.
    """
    drawn = _resample(group)
    before = np.mean([_areas(label, each, drawn)[0] for each in np.atleast_2d(first)], axis=0)
    return _estimate(_areas(label, second, drawn)[0] - before)


def ranking(label: NDArray[Any], probability: Floats, times: Floats) -> tuple[Floats, Floats]:
    """The area under the ROC curve and the average precision, (R,) each, of images that count several times.

    Args:
        label: 0 or 1 (N,).
        probability: of label 1 (N,); equal ones share a place.
        times: how often each image counts (R, N); a row of ones is the images as they are.

    Returns:
        What ``roc_auc_score`` and ``average_precision_score`` of scikit-learn give with ``sample_weight``; NaN in rows
        where one of the labels does not count at all.
    """
    order = np.argsort(probability, kind="stable")
    places = np.unique(probability[order], return_index=True)[1]  # (U,)
    every = np.add.reduceat(times[:, order], places, axis=1)  # (R, U)
    positive = np.add.reduceat((times * (label == 1))[:, order], places, axis=1)
    negative = every - positive
    positives, negatives = positive.sum(axis=1), negative.sum(axis=1)
    both = positives * negatives > 0
    won = (positive * (negative.cumsum(axis=1) - negative / 2)).sum(axis=1)  # pairs; a draw is half a win
    hits, called = (part[:, ::-1].cumsum(axis=1)[:, ::-1] for part in (positive, every))
    precision = (positive * _quotient(hits, called, 0)).sum(axis=1)
    return _quotient(won, positives * negatives), np.where(both, _quotient(precision, positives), np.nan)


class _Resamples(NamedTuple):
    """Which images count how often: the first row all of them once, each other row a draw of whole groups."""

    group: NDArray[np.int64]  # (N,)
    times: Floats  # (1 + R, G); a single group has nothing to draw from: (1, 1)

    def sums(self, values: NDArray[Any]) -> Floats:
        """The column sums of values (N, K) in each row (1 + R, K)."""
        by_group = np.zeros((self.times.shape[1], values.shape[1]))
        np.add.at(by_group, self.group, values)
        return self.times @ by_group


def _resample(group: "pd.Series[str]") -> _Resamples:
    """The same on every machine and in every run."""
    codes, names = pd.factorize(group)
    groups = len(names)
    times = np.ones((1, groups))
    if groups > 1:
        draws = np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
        times = np.vstack([times, draws])
    return _Resamples(codes, times)


def _level(table: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Any]:
    drawn = _resample(table["group"])
    label, probability = table["label"].to_numpy(), table["probability"].to_numpy(np.float64)
    areas = _areas(label, probability, drawn)
    return {
        "count": len(table),
        "positives": int(label.sum()),
        "groups": drawn.times.shape[1],
        "auc": _estimate(areas[0]),
        "average_precision": _estimate(areas[1]),
        "points": {name: _rates(table, threshold, drawn) for name, threshold in thresholds.items()},
        "calibration": _calibration(label, probability, drawn),
    }


def _areas(label: NDArray[Any], probability: Floats, drawn: _Resamples) -> Floats:
    """What :func:`ranking` gives in each resample (2, 1 + R)."""
    # By the hundred: the times of all images in all resamples at once would take gigabytes for all of MURA.
    parts = np.array_split(drawn.times, -(-len(drawn.times) // 100))
    return np.hstack([ranking(label, probability, part[:, drawn.group]) for part in parts])


def _body_parts(predictions: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Any]:
    if "body_part" not in predictions:
        return {}
    parts = {str(name): table for name, table in predictions.groupby("body_part") if name}
    fewer = {name: min((part["label"] == each).sum() for each in (0, 1)) for name, part in parts.items()}
    large = {name: part for name, part in parts.items() if fewer[name] >= PART_IMAGES}
    if len(large) < 2:
        return {}
    levels = {name: _level(part, thresholds) for name, part in large.items()}
    for level in levels.values():
        del level["calibration"]["bins"]
    too_small = {name: len(part) for name, part in parts.items() if name not in large}
    return {"body_parts": levels, "body_parts_too_small": too_small}


def _rates(table: pd.DataFrame, threshold: float, drawn: _Resamples) -> dict[str, Any]:
    label = table["label"].to_numpy() == 1
    called = table["probability"].to_numpy() >= threshold
    cells = np.stack([label & called, label & ~called, ~label & called, ~label & ~called], axis=1)  # (N, 4)
    tp, fn, fp, tn = drawn.sums(cells).T  # (1 + R,) each
    names = ("true_positive", "false_negative", "false_positive", "true_negative")
    return {
        "threshold": threshold,
        "accuracy": _estimate(_quotient(tp + tn, tp + fn + fp + tn)),
        "sensitivity": _estimate(_quotient(tp, tp + fn)),
        "specificity": _estimate(_quotient(tn, fp + tn)),
        "kappa": _estimate(_quotient(2 * (tp * tn - fn * fp), (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn))),
        "confusion": {name: int(count) for name, count in zip(names, cells.sum(axis=0), strict=True)},
    }


def _calibration(label: NDArray[Any], probability: Floats, drawn: _Resamples) -> dict[str, Any]:
    """``calibration`` of a level.

    Resamples repeat images, so their bins scatter more and their error is higher: what that adds in the mean is taken
    off, as the interval would else lie above the value that it belongs to.
    """
    apart, images = (
        drawn.sums(gaps(label, probability)),
        drawn.sums(np.ones((len(label), 1))),
    )  # (1 + R, bins), (1 + R, 1)
    error = np.abs(apart / images).sum(axis=1)
    error[1:] -= error[1:].mean() - error[0] if len(error) > 1 else 0
    return {
        **reliability(label, probability),
        "expected_calibration_error": {
            **_estimate(np.maximum(error, 0)),
            "chance": error_by_chance(probability),
        },
        "brier": _estimate(_mean((probability - label) ** 2, drawn)),
    }


def _mean(values: NDArray[Any], drawn: _Resamples) -> Floats:
    total, count = drawn.sums(np.stack([values, np.ones(len(values))], axis=1)).T
    return _quotient(total, count)


def _quotient(over: Floats, under: Floats, otherwise: float = np.nan) -> Floats:
    result = np.full(under.shape, float(otherwise))
    np.divide(over, under, out=result, where=under != 0)
    return result


def _estimate(values: Floats) -> Estimate:
    """The first of the values (1 + R,), with the interval of those of the others that are defined."""
    if np.isnan(values[0]):
        return {"value": None, "low": None, "high": None}
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (values[0], values[0])
    if np.isclose(low, high, rtol=1e-9, atol=1e-12):  # all alike: resampling cannot tell how sure that is
        return {"value": float(values[0]), "low": None, "high": None}
    return {"value": float(values[0]), "low": float(low), "high": float(high)}
