"""What the presets gave on the shipped features: shown before a visitor starts an experiment, which takes seconds.

``python -m benchmarks.shipped_features`` computes them with the app's own functions and writes ``results.json``.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fracture.documents import Document, Finite, Whole
from fracture.estimate import Estimate
from fracture.experiments.leakage import Outcome, Way
from fracture.experiments.learning_curve import Point
from fracture.experiments.search import Try
from fracture.experiments.shipped.features import FOLDER
from fracture.experiments.shortcut import AblationHead
from fracture.files import read_json

RESULTS = "results.json"

_log = logging.getLogger(__name__)


class SplitResult(Document):
    """A head of the leakage lab."""

    way: Way
    seed: Whole
    auc: Finite
    shared: Finite


class PointResult(Document):
    """A head of the learning curve."""

    groups: Whole
    images: Whole
    draw: Whole
    auc: Finite


class TryResult(Document):
    """A head of the search."""

    choices: dict[str, Finite]
    chosen_by: Finite
    other: Finite


class HeadResult(Document):
    """A head of the ablation."""

    images: Whole
    overall: Estimate | None
    plain: Estimate | None
    metal: Estimate | None


class Results(Document):
    """The file ``results.json``."""

    leakage: list[SplitResult]
    learning_curve: list[PointResult]
    more_patients: Estimate
    search: list[TryResult]
    best_trial: Estimate
    ablation: list[HeadResult]
    hardware: Estimate
    """Of leaving hardware out, beyond that of fewer images."""
    hardware_gap: Estimate
    low_rate: Estimate

    def outcomes(self) -> list[Outcome]:
        """Of the leakage lab; their histories have the last AUC alone."""
        return [Outcome(each.way, each.seed, {"val_auc": [each.auc]}, each.shared) for each in self.leakage]

    def heads(self) -> list[AblationHead]:
        """Of the ablation, without their probabilities."""
        nothing = np.zeros(0)
        return [AblationHead(each.images, nothing, each.overall, each.plain, each.metal) for each in self.ablation]


@lru_cache(maxsize=1)
def shipped_results() -> Results | None:
    """The stored results; None where they are missing or damaged: the pages then begin without."""
    try:
        return Results.model_validate(read_json(FOLDER / RESULTS))
    except (OSError, ValueError) as error:
        _log.warning("%s can't be read: %s", FOLDER / RESULTS, error)
        return None


def split_results(outcomes: Sequence[Outcome]) -> list[SplitResult]:
    """Of the leakage lab."""
    return [SplitResult(way=each.way, seed=each.seed, auc=each.auc, shared=each.shared) for each in outcomes]


def point_results(points: Sequence[Point]) -> list[PointResult]:
    """Of the learning curve."""
    return [PointResult(groups=each.groups, images=each.images, draw=each.draw, auc=each.auc) for each in points]


def try_results(tries: Sequence[Try]) -> list[TryResult]:
    """Of the search."""
    return [TryResult(choices=each.choices, chosen_by=each.chosen_by, other=each.other) for each in tries]


def head_results(heads: Sequence[AblationHead]) -> list[HeadResult]:
    """Of the ablation."""
    return [HeadResult(images=each.images, overall=each.overall, plain=each.plain, metal=each.metal) for each in heads]
