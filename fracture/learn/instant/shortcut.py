"""What hardware does to what is learned: a head trained with images of it, and one without."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fracture.learn.evaluation import Estimate, area
from fracture.learn.instant.bench import Bench, Rows

FEWEST = 5
"""Positive images of a kind from which on an AUC is worked out for it."""

TRAININGS = ("all", "fewer", "without")
"""Trained on all images; on fewer, drawn by lot, as many of each label as are left in the last; on those without
hardware. The second tells what of the difference comes from there being fewer."""


@dataclass(frozen=True)
class Outcome:
    """How well a head tells positive from negative validation images. None where there are too few."""

    training: str
    """One of :data:`TRAININGS`."""
    images: int
    """That it was trained on."""
    overall: Estimate | None
    """AUC on all validation images."""
    plain: Estimate | None
    """AUC on those without hardware."""
    metal: Estimate | None
    """AUC of the positive ones with hardware against all negative ones."""


def hardware(bench: Bench) -> Rows:
    """Which images (N,) are known to show hardware."""
    return bench.table["findings"].str.contains("hardware").to_numpy(np.bool_)


def compare_trainings(bench: Bench) -> Iterator[Outcome]:
    """A head for each of :data:`TRAININGS`, judged by the same validation images.

    Raises:
        RunError: without hardware, one of the labels is missing.
    """
    without = bench.training & ~hardware(bench)
    for name, rows in zip(TRAININGS, (bench.training, _fewer(bench, without), without), strict=True):
        yield _judge(bench, name, rows)


def _fewer(bench: Bench, without: Rows) -> Rows:
    """As many training images of each label as ``without`` has, drawn by lot."""
    label, rng = bench.table["label"].to_numpy(), np.random.default_rng(bench.config.seed)
    drawn = [
        rng.choice(np.flatnonzero(bench.training & (label == each)), (without & (label == each)).sum(), replace=False)
        for each in (0, 1)
    ]
    return np.isin(np.arange(len(label)), np.concatenate(drawn))


def _judge(bench: Bench, name: str, rows: Rows) -> Outcome:
    valid, metal = bench.validation, hardware(bench)
    head = bench.fit(rows, valid, bench.config)
    probability, negative = head(bench.features), (bench.table["label"] == 0).to_numpy()
    kinds = (valid, valid & ~metal, valid & (negative | metal))
    return Outcome(name, int(rows.sum()), *(_area(bench, kind, probability) for kind in kinds))


def _area(bench: Bench, rows: Rows, probability: NDArray[np.float64]) -> Estimate | None:
    label = bench.part(rows)[1]
    if min(np.bincount(label, minlength=2)) < FEWEST:
        return None
    return area(label, probability[rows], bench.table["group"][rows])
