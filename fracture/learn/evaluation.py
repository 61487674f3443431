"""Probabilities and labels -> metrics with intervals.

Intervals are 95 % percentile bootstraps over *groups* (patients, or whatever must not straddle a split), never over
images: images of one patient resemble each other, and counting them as independent would make the intervals too narrow
(Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13).
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap resamples; the ends of a 95 % interval then move by less than its tenth from seed to seed."""

Estimate = dict[str, float | None]
"""``value, low, high``; all None where it is not defined, for example a sensitivity without positives."""


def evaluate(predictions: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Any]:
    """Metrics by image, and by study where studies have several views.

    Args:
        predictions: ``study, group, label, probability``, a row an image.
        thresholds: operating points by name; a probability at or above one counts as positive.

    Returns:
        ``{"image": level, "study": level}``; a level holds ``count, positives, groups, auc`` and ``points``, by
        threshold name ``threshold, accuracy, sensitivity, specificity, confusion``.
    """
    levels = {"image": predictions}
    if predictions["study"].nunique() < len(predictions):
        levels["study"] = by_study(predictions)
    return {name: _level(table, thresholds) for name, table in levels.items()}


def by_study(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a study: the mean probability of its views, and the highest of their labels."""
    return predictions.groupby("study", as_index=False, sort=False).agg(
        group=("group", "first"), label=("label", "max"), probability=("probability", "mean")
    )


def _level(table: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, Any]:
    return {
        "count": len(table),
        "positives": int(table["label"].sum()),
        "groups": int(table["group"].nunique()),
        "auc": _auc(table),
        "points": {name: rates(table, threshold) for name, threshold in thresholds.items()},
    }


def balanced_threshold(predictions: pd.DataFrame) -> float:
    """The threshold of the highest sensitivity + specificity (Youden, Cancer 3:32, 1950), fitted on these predictions.

    In steps of a thousandth, so that people can set it by hand. 0.5 where the predictions hold one class only.
    """
    label, probability = predictions["label"].to_numpy(), predictions["probability"].to_numpy()
    if len(np.unique(label)) < 2:
        return 0.5
    thresholds = np.arange(1001) / 1000
    missed, cleared = (np.searchsorted(np.sort(probability[label == side]), thresholds) for side in (1, 0))
    gain = cleared / (label == 0).sum() - missed / (label == 1).sum()  # sensitivity + specificity - 1
    return float(thresholds[np.argmax(gain)])


def rates(table: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """Accuracy, sensitivity and specificity at a threshold, each with its interval, and the confusion matrix."""
    label = table["label"].to_numpy() == 1
    called = table["probability"].to_numpy() >= threshold
    cells = np.stack([label & called, label & ~called, ~label & called, ~label & ~called], axis=1)  # (N, 4)
    group, groups = _groups(table)
    by_group = np.stack([np.bincount(group, cells[:, cell], groups) for cell in range(4)], axis=1)  # (G, 4)
    resampled = _draws(groups) @ by_group  # (R, 4)
    tp, fn, fp, tn = (int(count) for count in cells.sum(axis=0))
    return {
        "threshold": threshold,
        "accuracy": _ratio(cells.sum(axis=0), resampled, [0, 3], [0, 1, 2, 3]),
        "sensitivity": _ratio(cells.sum(axis=0), resampled, [0], [0, 1]),
        "specificity": _ratio(cells.sum(axis=0), resampled, [3], [2, 3]),
        "confusion": {"true_positive": tp, "false_negative": fn, "false_positive": fp, "true_negative": tn},
    }


def mean(values: NDArray[np.float64], group: "pd.Series[str]") -> Estimate:
    """The mean of values (N,) over images, with its interval; there is none for a single group."""
    codes, names = pd.factorize(group)
    sums = np.stack(
        [np.bincount(codes, values, len(names)), np.bincount(codes, minlength=len(names))], axis=1
    )  # (G, 2)
    resampled = _draws(len(names)) @ sums if len(names) > 1 else np.empty((0, 2))  # (R, 2)
    return _ratio(sums.sum(axis=0), resampled, [0], [1])


def _ratio(observed: NDArray[Any], resampled: NDArray[Any], over: list[int], under: list[int]) -> Estimate:
    if not observed[under].sum():
        return _estimate(None, np.array([]))
    whole = resampled[:, under].sum(axis=1)
    drawn = resampled[whole > 0][:, over].sum(axis=1) / whole[whole > 0]
    return _estimate(float(observed[over].sum() / observed[under].sum()), drawn)


def _auc(table: pd.DataFrame) -> Estimate:
    from sklearn.metrics import roc_auc_score

    label, probability = table["label"].to_numpy(), table["probability"].to_numpy()
    if len(np.unique(label)) < 2:
        return _estimate(None, np.array([]))
    group, groups = _groups(table)
    drawn = []
    for counts in _draws(groups):
        weight = counts[group]
        if 0 < weight[label == 1].sum() < weight.sum():  # a resample may hold one class only
            drawn.append(roc_auc_score(label, probability, sample_weight=weight))
    return _estimate(float(roc_auc_score(label, probability)), np.array(drawn))


def _groups(table: pd.DataFrame) -> tuple[NDArray[np.int64], int]:
    codes, names = pd.factorize(table["group"])
    return codes, len(names)


def _draws(groups: int) -> NDArray[np.int64]:
    """How often each group is drawn in each resample (R, G); the same on every machine and in every run."""
    return np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)


def _estimate(value: float | None, drawn: NDArray[np.float64]) -> Estimate:
    if value is None or not len(drawn):
        return {"value": value, "low": None, "high": None}
    low, high = np.percentile(drawn, [2.5, 97.5])
    if low == high:  # all alike: resampling cannot tell how sure that is
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": float(low), "high": float(high)}
