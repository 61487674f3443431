"""What hardware does to what is learned: a head trained with images of it, and one without."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.evaluation.metrics import area, auc_difference
from fracture.experiments.workbench import Bench, Rows

FEWEST = 5
"""Positive images of a kind from which on an AUC is worked out for it."""

DRAWS = 5
"""Heads trained on as few images as there are without hardware."""


@dataclass(frozen=True)
class Trained:
    """A head, and how well it tells positive from negative validation images. None where there are too few."""

    images: int
    """That it was trained on."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), of all images of the bench."""
    overall: Estimate | None
    """AUC on all validation images."""
    plain: Estimate | None
    """AUC on those without hardware."""
    metal: Estimate | None
    """AUC of the positive ones with hardware against all negative ones."""


def hardware(bench: Bench) -> Rows:
    """Which images (N,) are known to show hardware."""
    return bench.table["findings"].str.contains("hardware").to_numpy(np.bool_)


def known(bench: Bench) -> Rows:
    """Of which images (N,) it is known whether they show hardware: the others are left out."""
    return (bench.table["findings"] != "").to_numpy(np.bool_)


def compare_trainings(bench: Bench) -> Iterator[Trained]:
    """A head trained on all images, one on those without hardware, and :data:`DRAWS` on as few, drawn by lot.

    All are judged by the same validation images. The last tell what of the difference comes from there being fewer
    images and fewer patients.

    Raises:
        RunError: without hardware, one of the labels is missing.
    """
    everything = bench.training & known(bench)
    without = everything & ~hardware(bench)
    yield _judge(bench, everything)
    yield _judge(bench, without)
    for draw in range(DRAWS):
        yield _judge(bench, everything & ~_by_lot(bench, everything & hardware(bench), draw))


def due_to_hardware(bench: Bench, without: Trained, fewer: list[Trained]) -> Estimate | None:
    """By how much the AUC on images without hardware is higher without it than on as few by lot, in the mean of them.

    With a 95 % interval over groups of the validation part; None where there are too few images.
    """
    rows = bench.validation & known(bench) & ~hardware(bench)
    if without.plain is None:
        return None
    by_lot = np.stack([each.probability[rows] for each in fewer])  # (DRAWS, N)
    return auc_difference(bench.part(rows)[1], by_lot, without.probability[rows], bench.table["group"][rows])


def _by_lot(bench: Bench, shown: Rows, draw: int) -> Rows:
    """As many images of each label as show hardware, taken from as many other groups, as many of each as far as can be.

    Hardware comes by the patient: single images drawn by lot would leave more patients than leaving it out does.
    """
    rng = np.random.default_rng((bench.config.seed, draw))
    taken = np.zeros(len(shown), np.bool_)
    for label in (0, 1):
        rows = np.flatnonzero(bench.training & known(bench) & (bench.table["label"] == label).to_numpy())
        of_group = pd.Series(rows).groupby(bench.table["group"].to_numpy()[rows]).agg(list)
        groups = rng.permutation(len(of_group))
        wanted = np.bincount(pd.factorize(bench.table["group"][shown & np.isin(np.arange(len(shown)), rows)])[0])
        for count, group in zip(sorted(wanted, reverse=True), groups, strict=False):
            taken[rng.permutation(of_group.iloc[group])[:count]] = True
        left = rows[~taken[rows]]
        taken[rng.choice(left, wanted.sum() - taken[rows].sum(), replace=False)] = True
    return taken


def _judge(bench: Bench, rows: Rows) -> Trained:
    valid, metal = bench.validation & known(bench), hardware(bench)
    head = bench.fit(rows, valid, bench.config)
    probability, negative = head(bench.features), (bench.table["label"] == 0).to_numpy()
    kinds = (valid, valid & ~metal, valid & (negative | metal))
    return Trained(int(rows.sum()), probability, *(_area(bench, kind, probability) for kind in kinds))


def _area(bench: Bench, rows: Rows, probability: NDArray[np.float64]) -> Estimate | None:
    label = bench.part(rows)[1]
    if min(np.bincount(label, minlength=2)) < FEWEST:
        return None
    return area(label, probability[rows], bench.table["group"][rows])
