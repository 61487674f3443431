"""Training the head on features.

With a frozen, un-augmented backbone this is the same mathematics as training on images: each image's features are
constants, so the losses and gradients of the head are the same numbers, only computed once instead of every epoch.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.evaluation.metrics import CONFUSION
from fracture.training.backbone.distribution import equal_batch, evenly
from fracture.training.checkpoint import NONE, Memory, assign, variables_of
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Course, Fit
from fracture.training.events import Emit

Part = tuple[NDArray[Any], NDArray[np.int64]]
"""Inputs (N, ...) and labels (N,), 0 or 1."""


NOBODY = np.empty(0, np.int64)
"""No row."""


def orders(rows: NDArray[np.int64], batch_size: int, seed: int, done: int = 0) -> Any:
    """An endless tf.data pipeline of batches of rows, each epoch in another order.

    The order follows from the seed and the number of the epoch alone, so that a training that was interrupted after
    ``done`` epochs goes on as it would have done.
    """

    def epoch(number: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.constant(rows), (seed, number))
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return tf.data.Dataset.counter(done).flat_map(epoch)


def batches(part: Part, config: TrainConfig, done: int = 0) -> Any:
    """An endless tf.data pipeline of (inputs, labels, how much each counts), which begins after ``done`` epochs."""
    inputs, labels = tf.constant(part[0]), tf.constant(part[1][:, None], tf.float32)
    weights = tf.constant(class_weights(part[1], config.class_weight)[:, None])
    chosen = orders(np.arange(len(part[1])), config.batch_size, config.seed, done)
    return chosen.map(lambda rows: (tf.gather(inputs, rows), tf.gather(labels, rows), tf.gather(weights, rows)))


def fit_head(
    head: keras.Model,
    training: Part,
    validation: Part,
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    memory: Memory = NONE,
    followed: NDArray[np.int64] = NOBODY,
) -> Fit:
    """Train the head on features (N, 2048) and leave it with the weights of its best epoch.

    ``should_stop`` is asked after each epoch, which takes a fraction of a second; where ``memory`` has a checkpoint,
    training goes on from there. After each epoch the probabilities of the rows ``followed`` of the validation part
    are said.

    Raises:
        Cancelled: it said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    steps = -(-len(training[1]) // config.batch_size)
    few = tf.constant(validation[0][followed])
    watch = Watch(config.epochs, emit, should_stop, memory, monitor="val_loss", ask=lambda: head(few, training=False))
    with head.distribute_strategy.scope():
        optimizer = keras.optimizers.Adam(config.learning_rate)
        head.compile(
            optimizer=optimizer,
            loss=evenly(keras.losses.binary_crossentropy, optimizer, len(training[1]), config),
            metrics=["accuracy", *counted()],
            # A whole epoch in one call: the steps are far cheaper than the calls would be. Keras cannot mirror that.
            steps_per_execution=steps if config.strategy == "one" else 1,
        )
    done = watch.go_on(head)
    with watch.until_stopped():
        head.fit(
            batches(training, config, done),
            steps_per_epoch=steps,
            validation_data=(validation[0], validation[1][:, None]),
            validation_batch_size=equal_batch(len(validation[1]), 1024, head.distribute_strategy),
            initial_epoch=done,
            epochs=config.epochs,
            shuffle=False,  # the pipeline shuffles
            callbacks=[watch],
            verbose=0,
        )
    head.set_weights(watch.best_weights)
    return watch.fit()


EXACT = "mean_of_images"
"""A metric of each of several losses: Keras's own means are of batches, or of devices' shares, whatever their sizes."""

CELLS = tuple(f"{cell}s" for cell in CONFUSION)
"""Keras's names for the cells of the confusion matrix."""


def counted() -> list[keras.metrics.Metric]:
    """Metrics to compile with by which :class:`Watch` knows the confusion matrix at a probability of one half."""
    kinds = (
        keras.metrics.TrueNegatives,
        keras.metrics.FalsePositives,
        keras.metrics.FalseNegatives,
        keras.metrics.TruePositives,
    )
    return [kind(name=name) for kind, name in zip(kinds, CELLS, strict=True)]


class Watch(Course, keras.callbacks.Callback):  # type: ignore[misc]
    """The course of a training by Keras; it also ends it when it gets no better.

    Args:
        epochs: as planned.
        emit: is told of each.
        should_stop: asked before each.
        memory: where each epoch is kept, and where the last one may lie from which to go on.
        ask: gives the probabilities of the few images that are followed, by the model as it stands.
        monitor: the metric that makes an epoch the best.
        largest: whether the best is the largest.
        patience: epochs without a better one until the training ends; 0 never.
    """

    def __init__(
        self,
        epochs: int,
        emit: Emit,
        should_stop: Callable[[], bool],
        memory: Memory = NONE,
        *,
        ask: Callable[[], Any] | None = None,
        monitor: str,
        largest: bool = False,
        patience: int = 0,
    ) -> None:
        keras.callbacks.Callback.__init__(self)
        Course.__init__(self, epochs, emit, should_stop, memory, monitor=monitor, largest=largest)
        self._ask, self._patience = ask, patience

    def go_on(self, model: keras.Model) -> int:
        """Bring the compiled model to where the last checkpoint was; how many epochs that were.

        Raises:
            RunError: it is damaged, or of other data, weights or another network.
        """
        checkpoint = self.last()
        if checkpoint is None:
            return 0
        assign(variables_of(model), checkpoint.variables)
        return checkpoint.epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Remember the epoch before, and end it all when asked to.

        Not at that epoch's end: then averaged weights, which are what is judged, still stand in for those that train.
        """
        self.begin(epoch, lambda: [each.numpy() for each in variables_of(self.model)])

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report, remember, and end it where it gets no better."""
        # With places, Keras calls the loss of the label label_loss, and loss the sum of both: the former is shown.
        logs = {name.replace(EXACT, "loss"): logs[name] for name in sorted(logs, key=lambda name: EXACT in name)}
        metrics = {name.replace("label_", ""): float(logs[name]) for name in sorted(logs, reverse=True)}
        _, confusion = ([int(metrics.pop(part + name)) for name in CELLS] for part in ("", "val_"))
        rate = float(self.model.optimizer.learning_rate.numpy())
        self.end(epoch + 1, metrics, rate, self.model.get_weights)
        self.look(epoch + 1, confusion, self._ask() if self._ask else ())
        if 0 < self._patience <= epoch + 1 - self.kept_epoch:
            self.model.stop_training = True
