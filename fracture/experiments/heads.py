"""The heads of a lab: trained one after the other in this process, or side by side by the workers of a Dask cluster.

::

    bench ── a file in the cache, which all workers see ──> read once by each worker
    rows and settings of each head ── a task ──> head

``FRACTURE_CLUSTER`` names the cluster.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.cluster import lacks_path
from fracture.errors import FeaturesError
from fracture.experiments.workbench import Bench, Rows
from fracture.files import atomic_write
from fracture.parallel import cluster_address, open_workers, run_tasks
from fracture.paths import cache_home
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import FeaturesAndLabels, Head, train_head

KEPT_FILES = 4
"""Benches that stay in the cache: the features of 3,200 images take 26 MB."""


class HeadTask(NamedTuple):
    """A head to train."""

    training: Rows
    validation: Rows
    config: TrainConfig


def fit_heads(bench: Bench, tasks: Sequence[HeadTask]) -> Iterator[Head]:
    """A head for each task, in their order, as :meth:`fracture.experiments.workbench.Bench.fit` trains it.

    Raises:
        RunError: one of the labels is missing in one of the parts.
        PublicError: the public demo trains no such head.
        WorkerError: the cluster does not answer, or a worker does not see the cache.
        FeaturesError: the cache cannot be written to.
    """
    cluster = cluster_address()
    if cluster is None:
        for task in tasks:
            yield bench.fit(*task)
        return
    for task in tasks:
        bench.check(*task)
    path = str(_write(bench))
    with open_workers(1, cluster, [partial(lacks_path, path)]) as workers:
        finished = run_tasks(partial(_fit, path), list(enumerate(tasks)), workers)
        yield from _in_order((number, head) for (number, _), head in finished)


def _in_order(numbered: Iterator[tuple[int, Head]]) -> Iterator[Head]:
    """The heads by their numbers, each as soon as all before it are there."""
    waiting: dict[int, Head] = {}
    following = 0
    for number, head in numbered:
        waiting[number] = head
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _fit(path: str, numbered: tuple[int, HeadTask]) -> Head:
    """Run by a worker."""
    _, task = numbered
    features, label = _read(path)
    training = (features[task.training], label[task.training])
    validation = (features[task.validation], label[task.validation])
    return train_head(training, validation, task.config)


@lru_cache(maxsize=1)
def _read(path: str) -> FeaturesAndLabels:
    """Features and labels of a bench, read once in a process: another bench has another path."""
    with np.load(path) as file:
        return file["features"], file["label"]


def _write(bench: Bench) -> Path:
    """The file with a bench's features and labels, which has their hash for a name."""
    label: NDArray[np.int64] = bench.table["label"].to_numpy(np.int64)
    digest = hashlib.sha256(bench.features.tobytes() + label.tobytes()).hexdigest()
    path = cache_home() / "benches" / f"{digest[:24]}.npz"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.touch()
        else:
            atomic_write(path, lambda part: np.savez(part, features=bench.features, label=label))
        _remove_oldest(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise FeaturesError(
            f"{path.parent} cannot be written to: {reason}. The workers read the features there."
        ) from error
    return path


def _remove_oldest(folder: Path) -> None:
    by_age = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
    for path in by_age[:-KEPT_FILES]:
        path.unlink(missing_ok=True)
