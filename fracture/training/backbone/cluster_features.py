"""Features computed by the workers of a Dask cluster: batches of paths go out, features come back.

Each worker builds the backbone once. No TensorFlow here: what a worker imports depends on the backbone.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from fracture.cluster import Need, lacks_path
from fracture.data.dataset import existing_folder
from fracture.errors import FractureError, WorkerError
from fracture.parallel import open_workers, run_tasks
from fracture.training.backbone.features import BATCH, FEATURES, Backbone, Features, Preparation, decoded_batches
from fracture.training.config import TrainConfig
from fracture.training.weights import check_available, find_weights

Load = Callable[[TrainConfig], Backbone]
"""Builds the backbone of a run. Workers import it by its name."""

Chunk = tuple[tuple[str, str], ...]
"""Digests and paths of at most :data:`BATCH` images."""

_one_at_a_time = threading.Lock()
"""A worker of several threads decodes images in each, and gives all of them to the backbone."""


@dataclass(frozen=True)
class Source:
    """What a worker needs to build a run's backbone."""

    load: Load
    config: TrainConfig
    identity: str
    """Of the run's weights: a worker may have others under the same name."""


def compute_on_cluster(
    source: Source, cluster: str, missing: dict[str, str], preparation: Preparation
) -> Iterator[tuple[list[str], Features]]:
    """Batches of digests and features, as :data:`fracture.training.backbone.features.Forward` describes.

    Raises:
        WorkerError: the cluster does not answer, or a worker lacks the images or the weights.
    """
    config = source.config
    folders = [existing_folder(folder) for folder in (config.data, *config.also)]
    needs: list[Need] = [partial(lacks_path, str(folder)) for folder in folders]
    needs.append(partial(lacks_weights, source))
    items = list(missing.items())
    chunks = [tuple(items[start : start + BATCH]) for start in range(0, len(items), BATCH)]
    with open_workers(1, cluster, needs) as workers:
        for _, computed in run_tasks(partial(_compute, source, preparation), chunks, workers):
            yield computed


def lacks_weights(source: Source) -> str:
    """A need of :mod:`fracture.cluster`: the worker must have the same weights."""
    try:
        weights = find_weights(source.config)
        check_available(weights)
    except (FractureError, OSError) as error:
        return f"has no weights {source.config.weights!r}: {error}"
    if weights.identity != source.identity:
        return f"has other weights that are called {source.config.weights!r}. Copy the same file there."
    return ""


def _compute(source: Source, preparation: Preparation, chunk: Chunk) -> tuple[list[str], Features]:
    """Run by a worker: the digests and features of those images of a chunk that can be read."""
    backbone = _backbone(source)
    for images, pixels in decoded_batches(dict(chunk), preparation):
        with _one_at_a_time:
            return images, backbone(np.stack(pixels))
    return [], np.zeros((0, FEATURES), np.float32)


def _backbone(source: Source) -> Backbone:
    # Two threads of a worker would build it twice.
    with _one_at_a_time:
        return _built(source)


@lru_cache(maxsize=1)
def _built(source: Source) -> Backbone:
    """The backbone, built once in a process."""
    # A worker that has joined since the run began was not asked.
    if lacks := lacks_weights(source):
        raise WorkerError(f"A worker {lacks}")
    return source.load(source.config)
