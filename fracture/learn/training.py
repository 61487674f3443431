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
    """1-based; the best by the validation images, whose weights the network now holds."""
    stopped: bool = False
    """Whether it was asked to end before its last epoch, and not by its own patience."""


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
    watch = Watch(config.epochs, emit, should_stop, monitor="val_loss")
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
    return Fit(watch.history, watch.kept_epoch, watch.stopped)


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each epoch, remembers the best, and ends the training when asked to or when it gets no better.

    Args:
        epochs: as planned.
        emit: is told of each.
        should_stop: asked after each.
        monitor: the metric that makes an epoch the best.
        largest: whether the best is the largest.
        patience: epochs without a better one until the training ends; 0 never.
    """

    def __init__(
        self,
        epochs: int,
        emit: Emit,
        should_stop: Callable[[], bool],
        *,
        monitor: str,
        largest: bool = False,
        patience: int = 0,
    ) -> None:
        super().__init__()
        self._epochs, self._emit, self._should_stop, self._patience = epochs, emit, should_stop, patience
        self._monitor, self._sign = monitor, 1.0 if largest else -1.0
        self._best = -np.inf
        self.history: History = {}
        self.kept_epoch = 0
        self.stopped = False
        self.best_weights: list[NDArray[np.float32]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Take the time."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report, remember, and perhaps end it."""
        # With places, Keras calls the loss of the label label_loss, and loss the sum of both: the former is shown.
        metrics = {name.replace("label_", ""): float(logs[name]) for name in sorted(logs, reverse=True)}
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        score = self._sign * metrics[self._monitor]
        if not self.best_weights or score > self._best:
            self._best, self.kept_epoch = score, epoch + 1
            self.best_weights = self.model.get_weights()
        seconds = round(time.monotonic() - self._started, 3)
        self._emit("epoch", epoch=epoch + 1, epochs=self._epochs, seconds=seconds, **metrics)
        self.stopped = epoch + 1 < self._epochs and self._should_stop()
        tired = 0 < self._patience <= epoch + 1 - self.kept_epoch
        if tired or self.stopped:
            self.model.stop_training = True
