"""A search for better choices: a grid, or draws by lot, and what the best one is really worth.

That random search finds as good choices with fewer tries is shown by Bergstra and Bengio, "Random Search for
Hyper-Parameter Optimization", JMLR 13:281 (2012).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from fracture.data.splits import split_by_group
from fracture.evaluation.metrics import ranking
from fracture.experiments.workbench import Bench, Rows
from fracture.training.head.numpy_head import Head

GRID: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 1e-3, 1e-2),
    "dropout": (0.0, 0.3, 0.6),
    "l2": (1e-5, 1e-3, 1e-1),
}
"""The values that a grid combines; a search by lot draws between the first and the last."""


@dataclass(frozen=True)
class Try:
    """A head of certain choices."""

    choices: dict[str, float]
    """learning_rate, dropout and l2."""
    chosen_by: float
    """AUC on the half of the validation groups by which the best try is chosen."""
    other: float
    """AUC on the other half, which has no say."""


def grid() -> list[dict[str, float]]:
    """All combinations of :data:`GRID`."""
    return [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]


def by_lot(tries: int, seed: int) -> list[dict[str, float]]:
    """Choices drawn by lot: dropout evenly, learning rate and L2 evenly on a logarithmic scale."""
    rng = np.random.default_rng(seed)
    return [{name: _between(values, rng.random()) for name, values in GRID.items()} for _ in range(tries)]


def search(bench: Bench, tries: list[dict[str, float]]) -> Iterator[Try]:
    """A head for each of the choices.

    Raises:
        DatasetError: the validation part has not enough groups for two halves.
    """
    half = _half(bench)
    for choices in tries:
        config = bench.config.changed(**choices)
        head = bench.fit(bench.training, half, config)
        yield Try(choices, _auc(bench, half, head), _auc(bench, bench.validation & ~half, head))


def _half(bench: Bench) -> Rows:
    validation = bench.table[bench.validation]
    apart = split_by_group(validation, 0.499, bench.config.seed)["split"] == "valid"
    rows = bench.validation.copy()
    rows[rows] = apart.to_numpy()
    return rows


def _auc(bench: Bench, rows: Rows, head: Head) -> float:
    features, label = bench.part(rows)
    return float(ranking(label, head(features), np.ones((1, len(label))))[0][0])


def _between(values: tuple[float, ...], share: float) -> float:
    low, high = values[0], values[-1]
    if low == 0:
        return float(low + share * (high - low))
    return float(low * (high / low) ** share)
