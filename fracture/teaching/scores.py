"""What a class scored beside a model: sensitivity, specificity, and a score of each image for the ROC curve."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.teaching.reading import share
from fracture.teaching.votes import CONFIDENCES

MIN_VOTES = 5
"""Of a student whose sensitivity and specificity are shown: fewer say next to nothing."""


@dataclass(frozen=True)
class Rates:
    """How a reader did on images of known truth."""

    sensitivity: Estimate
    specificity: Estimate
    correct: int
    total: int

    @property
    def point(self) -> tuple[float, float] | None:
        """(false positive rate, sensitivity); None where one of the labels is missing."""
        sensitivity = self.sensitivity["value"]
        specificity = self.specificity["value"]
        if sensitivity is None or specificity is None:
            return None
        return 1 - specificity, sensitivity


def rates(label: NDArray[np.int64], called: NDArray[np.bool_]) -> Rates:
    """The rates of calls (N,) on images of known labels (N,), 0 or 1, with Wilson's intervals."""
    positive = label == 1
    right = called == positive
    return Rates(share(right[positive]), share(right[~positive]), int(right.sum()), len(label))


def vote_score(positive: "pd.Series[int]", confidence: "pd.Series[int]") -> "pd.Series[float]":
    """Votes on one scale from 0, sure of the negative label, to 1, sure of the positive one."""
    steps = len(CONFIDENCES)
    rank = (steps + confidence).where(positive == 1, steps - 1 - confidence)
    return rank / (2 * steps - 1)


def class_answers(votes: pd.DataFrame) -> pd.DataFrame:
    """The class's answer to each image that has votes, a row each: ``place, label, score, called``.

    ``score``: the mean of :func:`vote_score`. ``called``: the majority calls it positive; where both labels have as
    many votes, the score decides, and at exactly 0.5 the image is called positive.
    """
    scored = votes.assign(score=vote_score(votes["positive"], votes["confidence"]))
    answers = scored.groupby("place", as_index=False).agg(
        label=("label", "first"), score=("score", "mean"), share=("positive", "mean")
    )
    tied = answers["share"] == 0.5
    called = (answers["share"] > 0.5) | (tied & (answers["score"] >= 0.5))
    return answers.assign(called=called).drop(columns="share")


def class_rates(votes: pd.DataFrame) -> Rates:
    """The rates of the majority."""
    answers = class_answers(votes)
    return rates(answers["label"].to_numpy(), answers["called"].to_numpy(np.bool_))


def student_rates(votes: pd.DataFrame) -> dict[str, Rates]:
    """The rates of each student with at least :data:`MIN_VOTES` votes, by student."""
    found = {}
    for student, own in votes.groupby("student"):
        if len(own) >= MIN_VOTES:
            found[str(student)] = rates(own["label"].to_numpy(), own["positive"].to_numpy() == 1)
    return found


def model_rates(images: pd.DataFrame, threshold: float) -> Rates:
    """The rates of the model on images with ``label`` and ``probability``."""
    return rates(images["label"].to_numpy(), images["probability"].to_numpy() >= threshold)
