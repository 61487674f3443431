"""Training the head on features.

With a frozen, un-augmented backbone this is the same mathematics as training on images: each image's features are
constants, so the losses and gradients of the head are the same numbers, only computed once instead of every epoch.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.learn.config import TrainConfig
from fracture.learn.events import Emit

History = dict[str, list[float]]
Part = tuple[NDArray[Any], NDArray[np.int64]]
"""Inputs (N, ...) and labels (N,), 0 or 1."""


@dataclass(frozen=True)
class Fit:
    """How a training went."""

    history: History
    """Metrics by epoch, as Keras names them: loss, accuracy, val_loss, val_accuracy."""
    kept_epoch: int
    """1-based; the epoch of the lowest validation loss, whose weights the network now holds."""


def batches(part: Part, batch_size: int, seed: int) -> Any:
    """A tf.data pipeline of (inputs, labels), in a new order each epoch that follows from the seed."""
    inputs, labels = tf.constant(part[0]), tf.constant(part[1][:, None], tf.float32)
    rows = tf.data.Dataset.range(len(part[1])).shuffle(len(part[1]), seed=seed)
    return rows.batch(batch_size).map(lambda chosen: (tf.gather(inputs, chosen), tf.gather(labels, chosen)))


def fit_head(
    head: keras.Model,
    training: Part,
    validation: Part,
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> Fit:
    """Train the head on features (N, 2048) and leave it with the weights of its best epoch.

    ``should_stop`` is asked after each epoch, which takes a fraction of a second.
    """
    steps = -(-len(training[1]) // config.batch_size)
    watch = _Watch(config.epochs, emit, should_stop)
    head.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps,  # a whole epoch in one call: the steps are far cheaper than the calls would be
    )
    head.fit(
        batches(training, config.batch_size, config.seed),
        validation_data=(validation[0], validation[1][:, None]),
        validation_batch_size=1024,
        epochs=config.epochs,
        shuffle=False,  # the pipeline shuffles
        callbacks=[watch],
        verbose=0,
    )
    head.set_weights(watch.best_weights)
    emit("kept", epoch=watch.kept_epoch)
    return Fit(watch.history, watch.kept_epoch)


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each epoch, remembers the best, and ends the training when asked to."""

    def __init__(self, epochs: int, emit: Emit, should_stop: Callable[[], bool]) -> None:
        super().__init__()
        self._epochs, self._emit, self._should_stop = epochs, emit, should_stop
        self._lowest = np.inf
        self.history: History = {}
        self.kept_epoch = 0
        self.best_weights: list[NDArray[np.float32]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        metrics = {name: float(value) for name, value in logs.items()}
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        if not self.best_weights or metrics["val_loss"] < self._lowest:
            self._lowest, self.kept_epoch = metrics["val_loss"], epoch + 1
            self.best_weights = self.model.get_weights()
        seconds = round(time.monotonic() - self._started, 3)
        self._emit("epoch", epoch=epoch + 1, epochs=self._epochs, seconds=seconds, **metrics)
        if self._should_stop():
            self.model.stop_training = True
