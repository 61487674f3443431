"""Training without TensorFlow: the bundled backbone as it is served, on LiteRT, and a head in NumPy on its features."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.files import JsonObject
from fracture.inference.litert import THREADS_PER_INTERPRETER, Graph
from fracture.parallel import worker_threads
from fracture.registry.model_folder import ModelFolder
from fracture.training.backbone.cluster_features import Source, compute_on_cluster
from fracture.training.backbone.features import FEATURES, Backbone, Features, Preparation, forward
from fracture.training.checkpoint import Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.export.bundled_backbone import bundled_graph, describe_graph
from fracture.training.export.head_slot import place_head
from fracture.training.head.head_data import prepare_head_data
from fracture.training.head.numpy_training import train_numpy_head
from fracture.training.learner import Trained
from fracture.training.weights import Weights


class LiteLearner:
    """Trains a head on the backbone of :mod:`fracture.training.export.bundled_backbone`; a ``Learner``."""

    def __init__(self, config: TrainConfig, weights: Weights, cluster: str | None = None) -> None:
        self._config = config
        self._weights = weights
        self._cluster = cluster
        self._backbone = bundled_graph(config.image_size)
        self._head = np.zeros(FEATURES + 1, np.float32)

    def describe(self) -> JsonObject:
        """See :func:`fracture.training.export.bundled_backbone.describe_graph`."""
        return describe_graph(self._backbone)

    def train(
        self,
        table: pd.DataFrame,
        check: Usable,
        *,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer,
    ) -> Trained:
        """Train the head on the features of the images, each computed once."""
        data = prepare_head_data(
            self.forward, self._weights, table, self._config, check, emit=emit, should_stop=should_stop
        )
        fit, self._head = train_numpy_head(
            data.training,
            data.validation,
            self._config,
            emit=emit,
            should_stop=should_stop,
            checkpointer=checkpointer,
            followed=data.followed,
        )
        return Trained(fit, data.readable, self._head, features=data.features, mirrored=data.mirrored)

    def served(self) -> bytes:
        """The backbone with the head in its place."""
        return place_head(self._backbone, self._head)

    def shuffled(self) -> bytes:
        """The same with the head's weights in random order, and its bias."""
        random = np.random.default_rng(self._config.seed)
        kernel = random.permutation(self._head[:-1])
        bias = self._head[-1:]
        return place_head(self._backbone, np.append(kernel, bias))

    def save(self, folder: ModelFolder) -> None:
        """Nothing: there is no Keras model, and the backbone is the bundled model's."""

    def forward(self, missing: dict[str, str], preparation: Preparation) -> Iterator[tuple[list[str], Features]]:
        """A :data:`fracture.training.backbone.features.Forward`, by the workers of a cluster where there is one."""
        if self._cluster:
            source = Source(load_backbone, self._config, self._weights.identity)
            return compute_on_cluster(source, self._cluster, missing, preparation)
        return forward(lite_backbone(Graph(self._backbone)), missing, preparation)


def lite_backbone(graph: Graph) -> Backbone:
    """The averaged features of a graph."""

    def features(pixels: NDArray[np.uint8]) -> Features:
        return np.stack([graph(each).features for each in pixels])

    return features


def load_backbone(config: TrainConfig) -> Backbone:
    """The bundled backbone in a worker: see :data:`fracture.training.backbone.cluster_features.Load`."""
    threads = worker_threads() or THREADS_PER_INTERPRETER
    return lite_backbone(Graph(bundled_graph(config.image_size), interpreters=1, threads=threads))
