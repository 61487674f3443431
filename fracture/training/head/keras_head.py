"""Training the head on features, in Keras.

With a frozen, un-augmented backbone this is the same mathematics as training on images: each image's features are
constants, so the losses and gradients of the head are the same numbers, only computed once instead of every epoch.
"""

from collections.abc import Callable
from math import ceil
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.evaluation.metrics import CONFUSION
from fracture.training.backbone.distribution import equal_batch, evenly
from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer, restore_state, training_state
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import EpochTracker, Fit
from fracture.training.events import Emit

InputsAndLabels = tuple[NDArray[Any], NDArray[np.int64]]
"""Inputs (N, ...) and labels (N,), 0 or 1."""

NO_ROWS = np.empty(0, np.int64)

VALIDATION_BATCH = 1024
"""Images of a validation batch; features are small, so that one batch is usually the whole part."""

MEAN_LOSS = "mean_of_images"
"""Marks a metric that is the mean loss over images.

Keras's own means are of batches, or of the devices' shares of a batch, whatever their sizes.
"""

CELLS = tuple(f"{cell}s" for cell in CONFUSION)
"""Keras's names of the cells of the confusion matrix."""


def shuffled_batches(rows: NDArray[np.int64], batch_size: int, seed: int, done: int = 0) -> Any:
    """An endless tf.data pipeline of batches of rows, shuffled in each epoch.

    The order follows from the seed and the number of the epoch alone, so that a run that resumes after ``done`` epochs
    sees the same batches as one that was never interrupted.
    """

    def epoch(number: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.constant(rows), (seed, number))
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return tf.data.Dataset.counter(done).flat_map(epoch)


def batches(part: InputsAndLabels, config: TrainConfig, done: int = 0) -> Any:
    """An endless tf.data pipeline of (inputs, labels, weights in the loss), which begins after ``done`` epochs."""
    features, label = part
    inputs = tf.constant(features)
    targets = tf.constant(label[:, None], tf.float32)
    weights = tf.constant(class_weights(label, config.class_weight)[:, None])
    batches_of_rows = shuffled_batches(np.arange(len(label)), config.batch_size, config.seed, done)

    def read(rows: Any) -> tuple[Any, Any, Any]:
        return tf.gather(inputs, rows), tf.gather(targets, rows), tf.gather(weights, rows)

    return batches_of_rows.map(read)


def train_keras_head(
    head: keras.Model,
    training: InputsAndLabels,
    validation: InputsAndLabels,
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    checkpointer: Checkpointer = NO_CHECKPOINTS,
    followed: NDArray[np.int64] = NO_ROWS,
) -> Fit:
    """Train the head on features (N, 2048) and leave it with the weights of its best epoch.

    Args:
        head: the model to train.
        training: features and labels to learn from.
        validation: features and labels that choose the best epoch.
        config: every setting of the run.
        emit: receives the events.
        should_stop: asked after each epoch, which takes a fraction of a second.
        checkpointer: where it has a checkpoint, the run resumes from there.
        followed: rows of the validation part whose probabilities are emitted after each epoch.

    Raises:
        Cancelled: ``should_stop`` said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    images = len(training[1])
    steps = ceil(images / config.batch_size)
    followed_features = tf.constant(validation[0][followed])
    tracker = KerasEpochTracker(
        config.epochs,
        emit,
        should_stop,
        checkpointer,
        predict_followed=lambda: head(followed_features, training=False),
        monitor="val_loss",
    )
    with head.distribute_strategy.scope():
        optimizer = keras.optimizers.Adam(config.learning_rate)
        head.compile(
            optimizer=optimizer,
            loss=evenly(keras.losses.binary_crossentropy, optimizer, images, config),
            metrics=["accuracy", *confusion_metrics()],
            # A whole epoch in one call: the steps are far cheaper than the calls would be. Keras cannot mirror that.
            steps_per_execution=steps if config.strategy == "one" else 1,
        )
    done = tracker.resume_model(head)
    with tracker.keep_best_when_stopped():
        head.fit(
            batches(training, config, done),
            steps_per_epoch=steps,
            validation_data=(validation[0], validation[1][:, None]),
            validation_batch_size=equal_batch(len(validation[1]), VALIDATION_BATCH, head.distribute_strategy),
            initial_epoch=done,
            epochs=config.epochs,
            shuffle=False,  # the pipeline shuffles
            callbacks=[tracker],
            verbose=0,
        )
    head.set_weights(tracker.best_weights)
    return tracker.result()


def confusion_metrics() -> list[keras.metrics.Metric]:
    """The metrics from which :class:`KerasEpochTracker` has the confusion matrix at a probability of one half."""
    kinds = (
        keras.metrics.TrueNegatives,
        keras.metrics.FalsePositives,
        keras.metrics.FalseNegatives,
        keras.metrics.TruePositives,
    )
    return [kind(name=name) for kind, name in zip(kinds, CELLS, strict=True)]


class KerasEpochTracker(EpochTracker, keras.callbacks.Callback):  # type: ignore[misc]
    """An :class:`EpochTracker` as a Keras callback, with early stopping.

    Args:
        epochs: as planned.
        emit: receives the events.
        should_stop: asked before each epoch.
        checkpointer: saves each epoch, and has the checkpoint from which a run resumes.
        predict_followed: gives the probabilities of the followed images by the model as it stands.
        monitor: the metric that makes an epoch the best; of equal epochs the one with the lowest validation loss.
        largest: whether the largest value is the best.
        patience: early-stopping patience: epochs without a better one until the run ends; 0 is never.
    """

    def __init__(
        self,
        epochs: int,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer = NO_CHECKPOINTS,
        *,
        predict_followed: Callable[[], Any] | None = None,
        monitor: str,
        largest: bool = False,
        patience: int = 0,
    ) -> None:
        keras.callbacks.Callback.__init__(self)
        EpochTracker.__init__(self, epochs, emit, should_stop, checkpointer, monitor=monitor, largest=largest)
        self._predict_followed = predict_followed
        self._patience = patience

    def resume_model(self, model: keras.Model) -> int:
        """Restore a compiled model from the checkpoint, if there is one; the number of epochs done.

        Raises:
            RunError: it is damaged, or of other data, weights or another network.
        """
        checkpoint = self.resume()
        if checkpoint is None:
            return 0
        restore_state(training_state(model), checkpoint.variables)
        return checkpoint.epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Save the epoch before, and stop when asked to.

        Not at the end of that epoch: there SwapEMAWeights still has the averaged weights in the model, by which it is
        validated, and not those that train.
        """
        self.begin_epoch(epoch, lambda: [variable.numpy() for variable in training_state(self.model)])

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report the epoch, keep its weights where it is the best, and stop early where there is no progress."""
        number = epoch + 1
        metrics = {name: float(value) for name, value in _metrics_of(logs).items()}
        confusion = []
        for name in CELLS:
            metrics.pop(name)  # of the training images: they are counted while the weights still change
            confusion.append(int(metrics.pop(f"val_{name}")))
        rate = float(self.model.optimizer.learning_rate.numpy())
        self.end_epoch(number, metrics, rate, self.model.get_weights)
        probabilities = self._predict_followed() if self._predict_followed else ()
        self.report_validation(number, confusion, probabilities)
        epochs_without_progress = number - self.kept_epoch
        if self._patience and epochs_without_progress >= self._patience:
            self.model.stop_training = True


def _metrics_of(logs: dict[str, float]) -> dict[str, float]:
    """Keras's logs under the names of ``history.json``: ``loss`` is the label's.

    With a box loss Keras calls the sum of both losses ``loss``, the label's ``label_loss``, and the mean of that over
    images ``label_mean_of_images``. The last is the one to report.
    """
    # Where several values get the same name, the last one stays.
    by_precedence = sorted(logs, key=lambda name: (MEAN_LOSS in name, "label_" in name))
    metrics = {name.replace(MEAN_LOSS, "loss").replace("label_", ""): logs[name] for name in by_precedence}
    # The order in history.json must not depend on Keras's.
    return dict(sorted(metrics.items(), reverse=True))
