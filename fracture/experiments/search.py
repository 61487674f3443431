"""Hyperparameter search: a grid or random search, and what the best result is really worth.

Random search finds hyperparameters as good with fewer trials: Bergstra and Bengio, "Random Search for Hyper-Parameter
Optimization", JMLR 13:281 (2012).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fracture.data.splits import split_by_group
from fracture.estimate import Estimate
from fracture.evaluation.metrics import auc_difference, ranking
from fracture.experiments.heads import HeadTask, fit_heads
from fracture.experiments.workbench import Bench, Rows
from fracture.training.head.numpy_head import Head

GRID: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 1e-3, 1e-2),
    "dropout": (0.0, 0.3, 0.6),
    "l2": (1e-5, 1e-3, 1e-1),
}
"""The values that a grid combines; random search samples between the first and the last."""

HALF = 0.499
"""Share of the validation images whose groups choose the best trial: a split takes shares below one half only."""


@dataclass(frozen=True)
class Try:
    """A head with certain hyperparameters."""

    choices: dict[str, float]
    """learning_rate, dropout and l2."""
    chosen_by: float
    """AUC on the half of the validation groups that chooses the best trial."""
    other: float
    """AUC on the other half, which has no influence on the choice."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), of the images of the other half."""


def grid() -> list[dict[str, float]]:
    """All combinations of :data:`GRID`."""
    return [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]


def sample_hyperparameters(tries: int, seed: int) -> list[dict[str, float]]:
    """Random hyperparameters: dropout uniform, learning rate and L2 uniform on a logarithmic scale."""
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(tries):
        samples.append({name: _between(values, rng.random()) for name, values in GRID.items()})
    return samples


def search(bench: Bench, tries: list[dict[str, float]]) -> Iterator[Try]:
    """A head for each set of hyperparameters; the workers of a cluster train them where there is one.

    Raises:
        DatasetError: the validation part has not enough groups for two halves.
    """
    # The best of many trials looks better than it is on the images that chose it: the other half says how much.
    half = _choosing_half(bench)
    other_half = bench.validation & ~half
    tasks = [HeadTask(bench.training, half, bench.config.changed(**choices)) for choices in tries]
    features, _ = bench.part(other_half)
    for choices, head in zip(tries, fit_heads(bench, tasks), strict=True):
        yield Try(choices, _auc(bench, half, head), _auc(bench, other_half, head), head(features))


def lead_of_best(bench: Bench, tries: Sequence[Try]) -> Estimate:
    """The AUC of the chosen trial minus the mean of the other trials, on the other half, with a 95 % interval."""
    ordered = sorted(tries, key=lambda each: each.chosen_by)
    others = np.stack([each.probability for each in ordered[:-1]])
    other_half = bench.validation & ~_choosing_half(bench)
    _, label = bench.part(other_half)
    return auc_difference(label, others, ordered[-1].probability, bench.table["group"][other_half])


def _choosing_half(bench: Bench) -> Rows:
    validation = bench.table[bench.validation]
    split = split_by_group(validation, HALF, bench.config.seed)["split"]
    rows = bench.validation.copy()
    rows[rows] = (split == "valid").to_numpy()
    return rows


def _auc(bench: Bench, rows: Rows, head: Head) -> float:
    features, label = bench.part(rows)
    aucs, _ = ranking(label, head(features), np.ones((1, len(label))))
    return float(aucs[0])


def _between(values: tuple[float, ...], share: float) -> float:
    """The value at a share of the way from the first to the last, on a logarithmic scale unless the first is 0."""
    low = values[0]
    high = values[-1]
    if low == 0:
        return float(low + share * (high - low))
    return float(low * (high / low) ** share)
