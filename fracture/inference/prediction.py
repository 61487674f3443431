"""The answer of a model for a study: a calibrated probability, and one of three outcomes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fracture.formatting import format_threshold
from fracture.imaging.radiograph import Frame
from fracture.inference.regions.candidates import Region
from fracture.registry.metric_names import POINT_NAMES

DOUBT = "doubt"


class Status(StrEnum):
    """Whether an image or a study gets an answer; the values stand in files of answers."""

    ANSWERED = "answered"
    UNLIKE = "unlike"
    """A radiograph out of distribution: unlike the model's training images. It is answered only on request."""
    NO_RADIOGRAPH = "no radiograph"
    """A photograph, a document, a drawing: it is never answered."""


STATUS_SENTENCES = {
    Status.UNLIKE: "This image is out of distribution: it is unlike the X-rays that the model was trained on.",
    Status.NO_RADIOGRAPH: "This image does not look like an X-ray: no model answers for it.",
}
"""Why an image has no answer."""

_STATUSES = tuple(Status)

_MAX_SCALED_LOGIT = 700.0
"""Beyond it, exp overflows 64 bits."""


def probability_of(logit: float, temperature: float) -> float:
    """The calibrated probability of the positive label (Guo et al., ICML 2017, equation 9): 1 / (1 + exp(-z / T))."""
    scaled = logit / temperature
    bounded = max(-_MAX_SCALED_LOGIT, min(_MAX_SCALED_LOGIT, scaled))
    return 1 / (1 + math.exp(-bounded))


def points_cross(thresholds: Mapping[str, float]) -> bool:
    """Whether a card's point of high sensitivity is not below that of high specificity.

    They cross where a model is so good that one threshold reaches both; neither point is then what its name says.
    """
    low = thresholds.get("high_sensitivity", -math.inf)
    high = thresholds.get("high_specificity", math.inf)
    return low >= high


def offered_points(thresholds: Mapping[str, float]) -> dict[str, float]:
    """The operating points of a card that a person can choose, in the card's order.

    The points of high sensitivity and of high specificity are left out where they cross, and so are points above 1, at
    which no image is called positive.
    """
    crossing = ("high_sensitivity", "high_specificity") if points_cross(thresholds) else ()
    return {name: value for name, value in thresholds.items() if name not in crossing and value <= 1}


class OutcomeLimits(NamedTuple):
    """The answer is in doubt for probabilities from ``low`` on and below ``high``."""

    low: float
    high: float

    @classmethod
    def from_thresholds(cls, points: Mapping[str, float]) -> Self:
        """The thresholds of 95 % sensitivity and of 95 % specificity on the validation images.

        Where the model is so good that they cross, there is no doubt: the balanced threshold separates the labels.
        Raises KeyError where one is missing.
        """
        if points_cross(points):
            return cls(points["balanced"], points["balanced"])
        return cls(points["high_sensitivity"], points["high_specificity"])

    @property
    def leave_doubt(self) -> bool:
        """Whether there are probabilities for which the answer is in doubt."""
        return self.low < self.high

    def describe(self) -> tuple[str, str]:
        """Both limits with the operating points that they are: ``("3.0% (high sensitivity)", ...)``."""
        names = ("high_sensitivity", "high_specificity") if self.leave_doubt else ("balanced", "balanced")
        low, high = (f"{format_threshold(at)} ({POINT_NAMES[name]})" for at, name in zip(self, names, strict=True))
        return low, high


@dataclass(frozen=True)
class View:
    """The answer of the model for one image."""

    name: str
    probability: float
    """Of the positive label, 0 to 1, calibrated; from the mean of the logits."""
    logits: tuple[float, ...]
    """Of the image, and of its mirror image where that was run."""
    by_side: tuple[float, ...]
    """The probability of each."""
    heat: NDArray[np.float32]
    """(SIDE, SIDE), over the fitted square; above 0 speaks for the positive label."""
    framed: Frame
    """Where the image lies on that square."""
    embedding: NDArray[np.float32]
    """(F,), by which it is compared with the training images."""
    known: bool | None = None
    """Whether the image is in distribution, like the training images; None where the model can't tell."""
    radiograph: bool | None = None
    """Whether the image is a radiograph at all; None where it was not checked."""
    find_regions: Callable[[], tuple[Region, ...]] = field(default=tuple, repr=False, compare=False)
    """Gives the regions: a network of its own may have to run for them."""

    @property
    def regions(self) -> tuple[Region, ...]:
        """Candidate regions, the likeliest first; none where the card says nothing about them."""
        return self.find_regions()

    @property
    def status(self) -> Status:
        """Whether the image gets an answer."""
        if self.radiograph is False:
            return Status.NO_RADIOGRAPH
        return Status.UNLIKE if self.known is False else Status.ANSWERED


@dataclass(frozen=True)
class Answer:
    """The answer of the model for one study."""

    labels: tuple[str, str]
    """The model's words for negative and positive."""
    limits: OutcomeLimits
    views: tuple[View, ...]
    adjusted: str = ""
    """How the model was adjusted, and on which data: a sentence; empty for a model that answers as its card says."""
    answer_unlike: bool = False
    """Whether radiographs out of distribution are answered, too: outside of what the model was validated on."""

    @property
    def status(self) -> Status:
        """The best status of its views."""
        return min((view.status for view in self.views), key=_STATUSES.index)

    @property
    def counted(self) -> tuple[View, ...]:
        """The views that count for the answer: those of the best status."""
        return tuple(view for view in self.views if view.status is self.status)

    @property
    def answered(self) -> bool:
        """Whether the study has an answer."""
        return self._answers(self.status)

    def answers(self, view: View) -> bool:
        """Whether a view has an answer of its own."""
        return self._answers(view.status)

    def _answers(self, status: Status) -> bool:
        return status is Status.ANSWERED or (self.answer_unlike and status is Status.UNLIKE)

    @property
    def probability(self) -> float:
        """Of the positive label, 0 to 1: the mean of the counted views'."""
        # Of probabilities and not of logits: one view that is very sure does not outweigh the others.
        return float(np.mean([view.probability for view in self.counted]))

    @property
    def outcome(self) -> str:
        """``negative``, ``doubt`` or ``positive``; the :class:`Status` where the study has no answer."""
        return self._outcome(self.probability) if self.answered else self.status.value

    @property
    def label(self) -> str:
        """The outcome, in the model's words where it has words for it."""
        return self._word(self.outcome)

    def label_of(self, view: View) -> str:
        """The outcome for one view alone, in the model's words where it has words for it."""
        return self._word(self._outcome(view.probability) if self.answers(view) else view.status.value)

    def _outcome(self, probability: float) -> str:
        if probability >= self.limits.high:
            return "positive"
        if probability >= self.limits.low:
            return DOUBT
        return "negative"

    def _word(self, outcome: str) -> str:
        negative, positive = self.labels
        return {"negative": negative, "positive": positive}.get(outcome, outcome)
