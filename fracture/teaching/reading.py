"""How well a person or a model reads images: rates with their intervals, and who was right where."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from fracture.estimate import Estimate
from fracture.evaluation.metrics import mean, rates
from fracture.inference.classifier import Classifier

WhoWasRight = Literal["both", "reader", "model", "neither"]


class Reading(NamedTuple):
    """What one reader answered on some images."""

    positive: NDArray[np.bool_]
    """(N,) whether the answer is the positive label."""
    seconds: NDArray[np.float64]
    """(N,) for each answer."""


class Performance(NamedTuple):
    """How well a reader did; the intervals take the images for independent of each other."""

    sensitivity: Estimate
    specificity: Estimate
    kappa: Estimate | None
    """Cohen's kappa with the labels; see :func:`fracture.evaluation.metrics.rates`."""
    seconds: Estimate
    """The mean for an image."""


def balanced_threshold(model: Classifier) -> float:
    """The threshold from which on a model's answer counts as positive in a comparison with readers."""
    if model.recalibration is not None:
        return model.recalibration.thresholds["balanced"]
    return model.card.thresholds["balanced"]


def measure_reading(label: Sequence[int], reading: Reading) -> Performance:
    """The performance of a reader.

    Args:
        label: of each image, 0 or 1 (N,).
        reading: the answers to the same images, in the same order.
    """
    truth = np.asarray(label)
    images = pd.Series(np.arange(len(truth)).astype(str))
    table = pd.DataFrame({"group": images, "label": truth, "probability": reading.positive.astype(np.float64)})
    right = reading.positive == (truth == 1)
    return Performance(
        sensitivity=share(right[truth == 1]),
        specificity=share(right[truth == 0]),
        kappa=rates(table, 0.5)["kappa"],
        seconds=mean(reading.seconds, images),
    )


def count_right(label: Sequence[int], reading: Reading) -> int:
    """How many answers are right; as for :func:`measure_reading`."""
    return int((reading.positive == (np.asarray(label) == 1)).sum())


def share(true: NDArray[np.bool_]) -> Estimate:
    """The share of those that are true (N,), with Wilson's 95 % interval (JASA 22:209, 1927).

    The bootstrap has no interval where all agree, as they often do among ten images; Wilson's has one.
    """
    if not len(true):
        return Estimate(value=None, low=None, high=None)
    interval = binomtest(int(true.sum()), len(true)).proportion_ci(method="wilson")
    return Estimate(value=float(true.mean()), low=float(interval.low), high=float(interval.high))


def who_was_right(label: int, reader: bool, model: bool) -> WhoWasRight:
    """Whether the reader, the model, both or neither gave the label of an image."""
    if reader == model:
        return "both" if reader == (label == 1) else "neither"
    return "reader" if reader == (label == 1) else "model"
