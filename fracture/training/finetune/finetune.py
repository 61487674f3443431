"""Training the upper blocks of the backbone together with the head."""

import time
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.errors import Cancelled
from fracture.inference.heatmap import MIXED7
from fracture.training.backbone.distribution import Loss, equal_batch, evenly
from fracture.training.backbone.network import Network
from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Fit
from fracture.training.events import Emit
from fracture.training.finetune.box_targets import targets
from fracture.training.finetune.inputs import Examples, InputSource, choose_inputs
from fracture.training.head.keras_head import (
    MEAN_LOSS,
    NO_ROWS,
    KerasEpochTracker,
    confusion_metrics,
    shuffled_batches,
)

SECONDS_BETWEEN_STEPS = 1.0
"""Between two events that report the steps of an epoch."""

AUC_THRESHOLDS = 1000
"""Keras approximates the AUC by thresholds; with more than its default of 200 the AUCs of similar epochs differ."""


def fine_tune(
    network: Network,
    examples: Examples,
    training: NDArray[np.int64],
    validation: NDArray[np.int64],
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    checkpointer: Checkpointer = NO_CHECKPOINTS,
    followed: NDArray[np.int64] = NO_ROWS,
) -> Fit:
    """Train and leave the network with the weights of its best epoch, by AUC on the validation rows, then by loss.

    Args:
        network: to train.
        examples: all images.
        training: rows to learn from.
        validation: rows that choose the best epoch.
        config: every setting of the run.
        emit: receives the events.
        should_stop: asked after each step.
        checkpointer: where it has a checkpoint, the run resumes from there.
        followed: rows whose probabilities are emitted after each epoch.

    Raises:
        Cancelled: ``should_stop`` said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    rows = np.concatenate([training, validation])
    source = choose_inputs(network, examples, rows, config, emit=emit, should_stop=should_stop)
    with network.whole.distribute_strategy.scope():
        model = _training_model(network, source)
        _compile(model, config, len(training))
    tracker = KerasEpochTracker(
        config.epochs,
        emit,
        should_stop,
        checkpointer,
        predict_followed=_predict_followed(model, source, followed),
        monitor="val_auc",
        largest=True,
        patience=config.patience,
    )
    callbacks = [tracker, _StepReporter(len(training), config.batch_size, emit, should_stop)]
    if config.averaging:
        # First, so that the tracker validates and keeps the averaged weights.
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    done = tracker.resume_model(model)
    emit("step", stage="train", text="Preparing the first epoch")
    with tracker.keep_best_when_stopped():
        model.fit(
            _training_batches(source, network, training, config, done),
            steps_per_epoch=ceil(len(training) / config.batch_size),
            validation_data=_validation_batches(source, network, validation, config),
            initial_epoch=done,
            epochs=config.epochs,
            shuffle=False,  # the pipeline shuffles
            callbacks=callbacks,
            verbose=0,
        )
    model.set_weights(tracker.best_weights)
    return tracker.result()


def _training_model(network: Network, source: InputSource) -> keras.Model:
    """The part of the network above the inputs, with an output for each loss."""
    outputs = {"label": network.whole.output}
    if network.places is not None:
        outputs["places"] = network.places.output
    return keras.Model(source.entry, outputs)


def _predict_followed(model: keras.Model, source: InputSource, followed: NDArray[np.int64]) -> Callable[[], Any] | None:
    if not len(followed):
        return None
    inputs, _ = source.read(tf.constant(followed), (0, 0), train=False)
    return lambda: model(inputs, training=False)["label"]


def _compile(model: keras.Model, config: TrainConfig, images: int) -> None:
    """Compile with the optimizer, a loss for each output, and the metrics of the history.

    Args:
        model: with the output ``label``, and ``places`` where it is trained on boxes.
        config: every setting of the run.
        images: of an epoch.
    """
    optimizer = _optimizer(config, steps_per_epoch=ceil(images / config.batch_size))
    losses: dict[str, Loss] = {
        "label": partial(keras.losses.binary_crossentropy, label_smoothing=config.label_smoothing)
    }
    loss_weights = {"label": 1.0}
    if "places" in model.output:
        losses["places"] = _places_loss
        loss_weights["places"] = config.box_weight
    auc = keras.metrics.AUC(name="auc", num_thresholds=AUC_THRESHOLDS)
    model.compile(
        optimizer=optimizer,
        loss={name: evenly(loss, optimizer, images, config) for name, loss in losses.items()},
        loss_weights=loss_weights,
        metrics={"label": ["accuracy", auc, *confusion_metrics()]},
        weighted_metrics=_mean_losses(losses),
    )


def _optimizer(config: TrainConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """AdamW with one epoch of warm-up and a cosine down to zero (Loshchilov and Hutter, ICLR 2017 and 2019)."""
    # Keras counts the decay from the end of the warm-up.
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, (config.epochs - 1) * steps_per_epoch),
        warmup_target=config.learning_rate,
        warmup_steps=steps_per_epoch,
    )
    averaging = {"use_ema": True, "ema_momentum": config.averaging} if config.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def _mean_losses(losses: dict[str, Loss]) -> dict[str, list[keras.metrics.Metric]] | None:
    """The mean over images of each of several losses; a single loss Keras reports so by itself."""
    if len(losses) == 1:
        return None
    return {name: [keras.metrics.MeanMetricWrapper(loss, MEAN_LOSS)] for name, loss in losses.items()}


def _places_loss(target: Any, logit: Any) -> Any:
    """Binary cross-entropy summed over the cells of each image: (B, H, W, 1) -> (B,)."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(target, logit)
    return tf.reduce_sum(losses, axis=(1, 2, 3))


def _training_batches(
    source: InputSource, network: Network, rows: NDArray[np.int64], config: TrainConfig, done: int = 0
) -> Any:
    """An endless tf.data pipeline of (inputs, targets, weights), shuffled and augmented in each epoch.

    It begins after ``done`` epochs: order and augmentation follow from the seed and the number of the batch alone.
    """
    read = _batch_reader(source, network, rows, config.class_weight, train=True)
    order = shuffled_batches(rows, config.batch_size, config.seed, done)
    steps_per_epoch = ceil(len(rows) / config.batch_size)
    return _read_ahead(order, read, config.seed, first=done * steps_per_epoch)


def _validation_batches(source: InputSource, network: Network, rows: NDArray[np.int64], config: TrainConfig) -> Any:
    """A tf.data pipeline of (inputs, targets, weights), which ends."""
    # Validation is unweighted: it measures the model on the images as they are.
    read = _batch_reader(source, network, rows, "none", train=False)
    size = equal_batch(len(rows), config.batch_size, network.whole.distribute_strategy)
    order = tf.data.Dataset.from_tensor_slices(rows).batch(size)
    return _read_ahead(order, read, config.seed)


def _read_ahead(order: Any, read: Callable[[Any, Any], Any], seed: int, first: int = 0) -> Any:
    """Read batches of rows, each with a seed of its own: ``seed`` and the number of the batch, from ``first`` on."""
    # The order is deterministic: a resumed run sees the same batches as one that was never interrupted.
    numbered = order.enumerate(first)
    batches = numbered.map(
        lambda number, rows: read(rows, (seed, number)),
        num_parallel_calls=2,
        deterministic=True,
    )
    return batches.prefetch(2)


def _batch_reader(
    source: InputSource, network: Network, rows: NDArray[np.int64], class_weight: str, *, train: bool
) -> Callable[[Any, Any], tuple[Any, dict[str, Any], dict[str, Any]]]:
    """A function of the rows (B,) of a batch and its seed, which gives its (inputs, targets, weights)."""
    label = source.examples.label
    boxes = source.examples.boxes
    weight = np.ones(len(label), np.float32)
    weight[rows] = class_weights(label[rows], class_weight)
    # A positive image without boxes shows that there is something, but not where.
    places_known = (label == 0) | (boxes[..., 2] > 0).any(axis=1)
    cells = network.places.output.shape[1] if network.places is not None else 0

    def read(chosen: Any, seed: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        inputs, moved_boxes = source.read(chosen, seed, train=train)
        targets_of = {"label": tf.gather(tf.constant(label[:, None], tf.float32), chosen)}
        weights = {"label": tf.gather(tf.constant(weight), chosen)}
        if cells:
            targets_of["places"] = targets(moved_boxes, MIXED7, cells)
            weights["places"] = tf.gather(tf.constant(places_known, tf.float32), chosen)
        return inputs, targets_of, weights

    return read


class _StepReporter(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports the steps of an epoch, once a second at most, and stops within it when asked to."""

    def __init__(self, images: int, batch_size: int, emit: Emit, should_stop: Callable[[], bool]) -> None:
        super().__init__()
        self._images = images
        self._batch_size = batch_size
        self._emit = emit
        self._should_stop = should_stop

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._epoch = epoch + 1
        self._began = time.monotonic()
        self._reported_at = 0.0
        self._reported_steps = 0
        self._reported_sum = 0.0

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._should_stop():
            raise Cancelled

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        # After stop_training Keras would still run the whole validation.
        if self._should_stop():
            raise Cancelled
        now = time.monotonic()
        if now - self._reported_at < SECONDS_BETWEEN_STEPS:
            return
        self._reported_at = now
        done = min(self._images, (batch + 1) * self._batch_size)
        images_a_second = done / (now - self._began)
        # The history has the label's loss alone. Keras calls it loss where there is no other.
        mean_loss = float(logs.get("label_loss", logs["loss"]))
        self._emit(
            "steps",
            epoch=self._epoch,
            done=done,
            total=self._images,
            images_a_second=round(images_a_second, 2),
            seconds_left=round((self._images - done) / images_a_second, 1),
            loss=self._loss_since_report(batch + 1, mean_loss),
            learning_rate=float(self.model.optimizer.learning_rate),
        )

    def _loss_since_report(self, steps: int, mean: float) -> float:
        """The mean loss of the steps since the last report; Keras gives the mean of all steps of the epoch."""
        total = steps * mean
        recent = (total - self._reported_sum) / (steps - self._reported_steps)
        self._reported_steps = steps
        self._reported_sum = total
        return recent
