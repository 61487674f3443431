"""Training with Keras and TensorFlow: a head on features that are computed once, or the upper blocks as well."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.splits import choosing_rows
from fracture.files import JsonObject, atomic_write
from fracture.parallel import worker_threads
from fracture.registry.model_folder import ModelFolder
from fracture.training.backbone.cluster_features import Source, compute_on_cluster
from fracture.training.backbone.features import BATCH, Backbone, Features, Preparation, forward
from fracture.training.backbone.keras_features import keras_backbone, limit_threads
from fracture.training.backbone.network import Network, build_network, describe_network, save_backbone, shuffled_head
from fracture.training.checkpoint import Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.events import Emit, Usable
from fracture.training.export.tflite import head_of, served_graph
from fracture.training.finetune.box_targets import fitted_boxes
from fracture.training.finetune.finetune import fine_tune
from fracture.training.finetune.inputs import Examples
from fracture.training.finetune.pixel_store import fitted_pixels
from fracture.training.head.head_data import choose_followed, prepare_head_data
from fracture.training.head.keras_head import train_keras_head
from fracture.training.learner import Trained
from fracture.training.weights import Weights, find_weights


class KerasLearner:
    """InceptionV3 in Keras, as :class:`fracture.training.learner.Learner` says.

    Raises:
        WeightsError: the weights cannot be fetched or do not fit.
    """

    def __init__(self, config: TrainConfig, weights: Weights, cluster: str | None = None) -> None:
        self._config = config
        self._weights = weights
        self._cluster = cluster
        self._network = build_network(config, weights)

    def describe(self) -> JsonObject:
        """See :func:`fracture.training.backbone.network.describe_network`."""
        return describe_network(self._network)

    def train(
        self,
        table: pd.DataFrame,
        check: Usable,
        *,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer,
    ) -> Trained:
        """Train the head, or with the mode ``fine-tune`` the upper blocks as well."""
        train = self._train_head if self._config.mode == "head" else self._train_blocks
        return train(table, check, emit, should_stop, checkpointer)

    def served(self) -> bytes:
        """See :func:`fracture.training.export.tflite.served_graph`."""
        preparation = Preparation(self._config.image_size, self._config.fit, self._weights.input_range)
        return served_graph(self._network, self._weights, preparation, frozen=self._config.mode == "head")

    def shuffled(self) -> bytes:
        """The same, and the weights of the output for places in random order, too."""
        with shuffled_head(self._network, self._config.seed):
            return self.served()

    def save(self, folder: ModelFolder) -> None:
        """The Keras model, and the backbone where it was trained, too."""
        atomic_write(folder.keras_model, self._network.whole.save)
        if self._config.mode == "fine-tune":  # a frozen backbone has its own file
            atomic_write(folder.backbone, lambda part: save_backbone(self._network, part))

    def forward(self, missing: dict[str, str], preparation: Preparation) -> Iterator[tuple[list[str], Features]]:
        """A :data:`fracture.training.backbone.features.Forward`, by the workers of a cluster where there is one."""
        # Random weights follow from a generator that other threads of a worker use as well: there they would be others.
        if self._cluster and self._weights.source != "none":
            source = Source(load_backbone, self._config, self._weights.identity)
            return compute_on_cluster(source, self._cluster, missing, preparation)
        backbone = keras_backbone(self._network.backbone, preparation.input_range)
        return forward(backbone, missing, preparation)

    def _train_head(
        self,
        table: pd.DataFrame,
        check: Usable,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer,
    ) -> Trained:
        """Train the head on the features of the images, each computed once."""
        data = prepare_head_data(
            self.forward, self._weights, table, self._config, check, emit=emit, should_stop=should_stop
        )
        fit = train_keras_head(
            self._network.head,
            data.training,
            data.validation,
            self._config,
            emit=emit,
            should_stop=should_stop,
            checkpointer=checkpointer,
            followed=data.followed,
        )
        self._network = self._as_served()
        head = head_of(self._network)
        return Trained(fit, data.readable, head, features=data.features, mirrored=data.mirrored)

    def _train_blocks(
        self,
        table: pd.DataFrame,
        check: Usable,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer,
    ) -> Trained:
        """Train the head and the upper blocks on the images."""
        config = self._config
        pixels, readable = fitted_pixels(
            table["path"].tolist(), config.image_size, config.fit, emit=emit, should_stop=should_stop
        )
        check(table[readable])
        label = table["label"].to_numpy(np.int64)
        boxes = fitted_boxes(table, config.image_size, config.fit)
        examples = Examples(pixels, label, boxes, self._weights.input_range)
        to_train = (table["split"] == "train").to_numpy() & readable
        to_choose = choosing_rows(table) & readable
        followed = choose_followed(table, to_choose, emit, config.seed)
        fit = fine_tune(
            self._network,
            examples,
            training=np.flatnonzero(to_train),
            validation=np.flatnonzero(to_choose),
            config=config,
            emit=emit,
            should_stop=should_stop,
            checkpointer=checkpointer,
            followed=followed,
        )
        self._network = self._as_served()
        probabilities = partial(_probabilities, self._network, examples)
        return Trained(fit, readable, head_of(self._network), pixels=pixels, probabilities=probabilities)

    def _as_served(self) -> Network:
        """The same network as it is saved and served: 16 bits and several devices are for training only."""
        as_served = replace(self._config, precision="float32", strategy="one")
        if as_served == self._config:
            return self._network
        network = build_network(as_served, self._weights)
        network.whole.set_weights(self._network.whole.get_weights())
        return network


def load_backbone(config: TrainConfig) -> Backbone:
    """A run's frozen backbone in a worker: see :data:`fracture.training.backbone.cluster_features.Load`."""
    if threads := worker_threads():
        limit_threads(threads)
    weights = find_weights(config)
    network = build_network(replace(config, strategy="one"), weights)
    return keras_backbone(network.backbone, weights.input_range)


def _probabilities(network: Network, examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probabilities (len(rows),) that the network gives for these images."""
    low, high = examples.pixel_range
    probabilities = []
    # Sizes differ by one image at most, so that Keras compiles for two shapes.
    for batch in np.array_split(rows, ceil(len(rows) / BATCH)):
        gray = examples.pixels[batch].astype(np.float32) * ((high - low) / 255) + low  # (B, S, S)
        rgb = np.repeat(gray[..., None], 3, axis=-1)
        probabilities.append(network.whole.predict_on_batch(rgb))
    return np.concatenate(probabilities)[:, 0].astype(np.float64)
