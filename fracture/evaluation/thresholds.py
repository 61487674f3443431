"""Thresholds worth having, found on predictions; a probability at or above a threshold counts as positive."""

import itertools
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PROMISE = 0.95
"""The least sensitivity, or specificity, at the operating point named after it."""

PRICE = 0.01
"""The most specificity, or sensitivity, that these operating points may lose to rounding."""


def operating_points(predictions: pd.DataFrame) -> dict[str, float]:
    """Thresholds by name, fitted on these predictions (columns ``label, probability``).

    Returns:
        ``balanced``: see :func:`balanced_threshold`.
        ``high_sensitivity``: the highest threshold with a sensitivity of at least ``PROMISE``.
        ``high_specificity``: the lowest threshold with a specificity of at least ``PROMISE``. Above 1, so that nothing
        is positive, where too many negatives have the probability 1.

        The latter two are rounded so that the promise is kept: to three decimals where that costs no more than
        ``PRICE``, and to as many as it takes where not, as calibrated probabilities can be tiny. All are 0.5 where the
        predictions hold one class only.
    """
    label, probability = _arrays(predictions)
    if len(np.unique(label)) < 2:
        return dict.fromkeys(("balanced", "high_sensitivity", "high_specificity"), 0.5)
    return {
        "balanced": balanced_threshold(predictions),
        "high_sensitivity": _sensitive(label, probability),
        "high_specificity": _specific(label, probability),
    }


def balanced_threshold(predictions: pd.DataFrame) -> float:
    """The threshold of the highest sensitivity + specificity (Youden, Cancer 3:32, 1950), fitted on these predictions.

    In steps of a thousandth, so that people can set it by hand, where that costs no more than ``PRICE`` of their sum;
    else in finer ones. 0.5 where the predictions hold one class only.
    """
    label, probability = _arrays(predictions)
    if len(np.unique(label)) < 2:
        return 0.5
    exact = np.unique(probability)
    best = _gain(label, probability, exact).max()
    for digits in range(3, 17):
        thresholds = np.arange(1001) / 1000 if digits == 3 else np.unique(np.round(exact, digits))
        gain = _gain(label, probability, thresholds)
        if gain.max() >= best - PRICE:
            return float(thresholds[np.argmax(gain)])
    return float(exact[np.argmax(_gain(label, probability, exact))])


def _gain(label: NDArray[Any], probability: NDArray[np.float64], thresholds: NDArray[np.float64]) -> Any:
    """Sensitivity + specificity - 1 at each threshold."""
    missed, cleared = (np.searchsorted(np.sort(probability[label == side]), thresholds) for side in (1, 0))
    return cleared / (label == 0).sum() - missed / (label == 1).sum()


def _arrays(predictions: pd.DataFrame) -> tuple[NDArray[Any], NDArray[np.float64]]:
    return predictions["label"].to_numpy(), predictions["probability"].to_numpy(np.float64)


def _sensitive(label: NDArray[Any], probability: NDArray[np.float64]) -> float:
    """Rounded down, so that the promise is kept."""
    positives, negatives = (np.sort(probability[label == side]) for side in (1, 0))
    best = float(positives[::-1][_first_kept(len(positives))])
    rounded = (_floor(best, digits) for digits in itertools.count(3))
    useful = (threshold for threshold in rounded if threshold > 0 or best == 0)
    return next(threshold for threshold in useful if _share_in(negatives, threshold, best) <= PRICE)


def _specific(label: NDArray[Any], probability: NDArray[np.float64]) -> float:
    """Rounded up, so that the promise is kept, and to more than the highest negative that has to be cleared."""
    positives, negatives = (np.sort(probability[label == side]) for side in (1, 0))
    cleared = float(negatives[_first_kept(len(negatives))])
    best = float(np.nextafter(cleared, np.inf))
    rounded = (_floor(cleared, digits, steps=1) for digits in range(3, 18))
    useful = (threshold for threshold in rounded if threshold > cleared)
    return next((threshold for threshold in useful if _share_in(positives, best, threshold) <= PRICE), best)


def _share_in(ordered: NDArray[np.float64], low: float, high: float) -> float:
    """The share of ordered probabilities in [low, high): those that thresholds at its ends call differently."""
    first, last = np.searchsorted(ordered, [low, high])
    return float(last - first) / len(ordered)


def _first_kept(count: int) -> int:
    """The first index at which that many of ``count`` images, it included, keep the promise."""
    return int(np.argmax(np.arange(1, count + 1) / count >= PROMISE))


def _floor(value: float, digits: int, steps: int = 0) -> float:
    """Rounded down to so many decimals, and up again by so many steps of the last one.

    On the shortest decimal that means the value: 0.3 is a little less in binary, and still is not 0.299.
    """
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(value)).quantize(step, ROUND_FLOOR) + steps * step)
