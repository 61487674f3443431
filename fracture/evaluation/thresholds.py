"""Operating points: thresholds fitted on predictions. A probability at or above the threshold is positive."""

from decimal import ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TARGET_RATE = 0.95
"""The least sensitivity, or specificity, at the operating point that is named after it."""

MAX_ROUNDING_LOSS = 0.01
"""The most specificity, or sensitivity, that rounding a threshold may cost."""

LARGEST_RISE = 0.99
"""The share of images whose logit rises by less than the margin below which mirror images are not run."""

MIN_IMAGES_RUN_BOTH_WAYS = 500
"""Fewer tell too little about the one image in a hundred whose mirror image changes the outcome."""

Floats = NDArray[np.float64]


def operating_points(predictions: pd.DataFrame) -> dict[str, float]:
    """Thresholds by name, fitted on these predictions (columns ``label, probability``).

    Returns:
        ``balanced``: see :func:`balanced_threshold`.
        ``high_sensitivity``: the highest threshold with a sensitivity of at least ``TARGET_RATE``.
        ``high_specificity``: the lowest threshold with a specificity of at least ``TARGET_RATE``. It is above 1, so
        that nothing is positive, where too many negatives have the probability 1.

        The latter two are rounded in the direction that keeps the target: to three decimals where that costs at most
        ``MAX_ROUNDING_LOSS``, and to more where it costs more, as calibrated probabilities can be tiny. All are 0.5
        where the predictions hold one label only.
    """
    positives, negatives = _by_label(predictions)
    if not len(positives) or not len(negatives):
        return dict.fromkeys(("balanced", "high_sensitivity", "high_specificity"), 0.5)
    return {
        "balanced": balanced_threshold(predictions),
        "high_sensitivity": _high_sensitivity(positives, negatives),
        "high_specificity": _high_specificity(positives, negatives),
    }


def settled_below(straight: Floats, mirrored: Floats, limit: float) -> float | None:
    """The logit below which the mean with the mirror image does not reach a limit.

    It lies below ``limit`` by the 99th percentile of how far the mean rises above the logit of the image as it is, and
    by more where an image still reached the limit.

    Args:
        straight: the logits of images as they are (N,).
        mirrored: those of their mirror images (N,).
        limit: the mean logit from which on the outcome is another one.

    Returns:
        None for fewer than ``MIN_IMAGES_RUN_BOTH_WAYS`` images.
    """
    if len(straight) < MIN_IMAGES_RUN_BOTH_WAYS:
        return None
    mean = (straight + mirrored) / 2
    below = limit - float(np.quantile(mean - straight, LARGEST_RISE))
    lifted = straight[(straight < limit) & (mean >= limit)]
    return min(below, float(lifted.min(initial=np.inf)))


def balanced_threshold(predictions: pd.DataFrame) -> float:
    """The threshold of the highest sensitivity + specificity (Youden, Cancer 3:32, 1950), fitted on these predictions.

    A multiple of 0.001, so that people can set it by hand, where that costs at most ``MAX_ROUNDING_LOSS`` of the sum;
    otherwise it has more decimals. 0.5 where the predictions hold one label only.
    """
    positives, negatives = _by_label(predictions)
    if not len(positives) or not len(negatives):
        return 0.5
    exact = np.unique(np.concatenate([positives, negatives]))
    exact_youden = _youden(positives, negatives, exact)
    for digits in range(3, 17):
        # There are too many finer steps to try them all: only the rounded probabilities are tried.
        thresholds = np.arange(1001) / 1000 if digits == 3 else np.unique(np.round(exact, digits))
        youden = _youden(positives, negatives, thresholds)
        if youden.max() >= exact_youden.max() - MAX_ROUNDING_LOSS:
            return float(thresholds[np.argmax(youden)])
    return float(exact[np.argmax(exact_youden)])


def _by_label(predictions: pd.DataFrame) -> tuple[Floats, Floats]:
    """The sorted probabilities of the positive and of the negative images."""
    positive = predictions["label"].to_numpy() == 1
    probability = predictions["probability"].to_numpy(np.float64)
    return np.sort(probability[positive]), np.sort(probability[~positive])


def _youden(positives: Floats, negatives: Floats, thresholds: Floats) -> Any:
    """Sensitivity + specificity - 1 at each threshold."""
    missed = np.searchsorted(positives, thresholds)
    cleared = np.searchsorted(negatives, thresholds)
    return cleared / len(negatives) - missed / len(positives)


def _high_sensitivity(positives: Floats, negatives: Floats) -> float:
    """The highest threshold that keeps the target, rounded down. Both arrays are sorted."""
    # Exactly at the lowest positive that has to be found.
    exact = float(positives[-_images_needed(len(positives))])
    for digits in range(3, 341):  # the smallest float has 340 decimals
        rounded = _round_down(exact, digits)
        if rounded == 0 and exact > 0:
            continue  # at 0 everything would be positive
        if _share_between(negatives, rounded, exact) <= MAX_ROUNDING_LOSS:
            return rounded
    return exact


def _high_specificity(positives: Floats, negatives: Floats) -> float:
    """The lowest threshold that keeps the target, rounded up. Both arrays are sorted."""
    # Just above the highest negative that has to be cleared.
    highest_cleared = float(negatives[_images_needed(len(negatives)) - 1])
    exact = float(np.nextafter(highest_cleared, np.inf))
    for digits in range(3, 18):
        rounded = _round_down(highest_cleared, digits, add_steps=1)
        if rounded > highest_cleared and _share_between(positives, exact, rounded) <= MAX_ROUNDING_LOSS:
            return rounded
    return exact


def _images_needed(count: int) -> int:
    """The least number of ``count`` images that makes a share of ``TARGET_RATE``."""
    shares = np.arange(1, count + 1) / count
    return int(np.argmax(shares >= TARGET_RATE)) + 1


def _share_between(ordered: Floats, low: float, high: float) -> float:
    """The share of sorted probabilities in [low, high): the images that the two thresholds call differently."""
    first, last = np.searchsorted(ordered, [low, high])
    return float(last - first) / len(ordered)


def _round_down(value: float, digits: int, add_steps: int = 0) -> float:
    """``value`` rounded down to so many decimals, plus so many steps of the last one.

    The shortest decimal of the value is rounded: 0.3 is a little less in binary, and must not become 0.299.
    """
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(value)).quantize(step, ROUND_FLOOR) + add_steps * step)
