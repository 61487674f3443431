"""Training the upper blocks of the backbone together with the head."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.errors import Cancelled
from fracture.inference.heatmap import MIXED7
from fracture.training.backbone.distribution import Loss, equal_batch, evenly
from fracture.training.backbone.network import Network
from fracture.training.checkpoint import NONE, Memory
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Fit
from fracture.training.events import Emit
from fracture.training.finetune.box_targets import targets
from fracture.training.finetune.inputs import Beginning, Examples, begin
from fracture.training.head.keras_head import EXACT, NOBODY, Watch, counted, orders


def fine_tune(
    network: Network,
    examples: Examples,
    training: NDArray[np.int64],
    validation: NDArray[np.int64],
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    memory: Memory = NONE,
    followed: NDArray[np.int64] = NOBODY,
) -> Fit:
    """Train and leave the network with the weights of its best epoch, by AUC on the validation rows.

    ``should_stop`` is asked after each step; where ``memory`` has a checkpoint, training goes on from there.
    ``followed``: rows whose probabilities are said after each epoch.

    Raises:
        Cancelled: it said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    rows = np.concatenate([training, validation])
    source = begin(network, examples, rows, config, emit=emit, should_stop=should_stop)
    outputs = {"label": network.whole.output}
    if network.places is not None:
        outputs["places"] = network.places.output
    steps = -(-len(training) // config.batch_size)
    with network.whole.distribute_strategy.scope():
        model = keras.Model(source.entry, outputs)
        _compile(model, config, len(training))
    few = source.read(tf.constant(followed), (0, 0), train=False)[0] if len(followed) else None
    watch = Watch(
        config.epochs, emit, should_stop, memory, monitor="val_auc", largest=True, patience=config.patience,
        ask=None if few is None else lambda: model(few, training=False)["label"],
    )  # fmt: skip
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.averaging else []
    done = watch.go_on(model)
    emit("step", stage="train", text="Preparing the first epoch")
    with watch.until_stopped():
        model.fit(
            _batches(source, network, training, config, train=True, done=done),
            steps_per_epoch=steps,
            validation_data=_batches(source, network, validation, config, train=False),
            initial_epoch=done,
            epochs=config.epochs,
            shuffle=False,  # the pipeline shuffles
            callbacks=[*averaging, watch, _Steps(len(training), config.batch_size, emit, should_stop)],
            verbose=0,
        )
    model.set_weights(watch.best_weights)
    return watch.fit()


def _compile(model: keras.Model, config: TrainConfig, images: int) -> None:
    """AdamW with one epoch of warm-up and a cosine down to zero (Loshchilov and Hutter, ICLR 2017 and 2019)."""
    steps = -(-images // config.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, (config.epochs - 1) * steps), warmup_target=config.learning_rate, warmup_steps=steps
    )
    averaging = {"use_ema": True, "ema_momentum": config.averaging} if config.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    losses: dict[str, Loss] = {
        "label": partial(keras.losses.binary_crossentropy, label_smoothing=config.label_smoothing)
    }
    if "places" in model.output:
        losses["places"] = _places_loss
    model.compile(
        optimizer=optimizer,
        loss={name: evenly(loss, optimizer, images, config) for name, loss in losses.items()},
        loss_weights={name: {"label": 1.0, "places": config.box_weight}[name] for name in losses},
        metrics={"label": ["accuracy", keras.metrics.AUC(name="auc", num_thresholds=1000), *counted()]},
        weighted_metrics={name: [keras.metrics.MeanMetricWrapper(loss, EXACT)] for name, loss in losses.items()}
        if len(losses) > 1
        else None,
    )


def _places_loss(target: Any, logit: Any) -> Any:
    """Binary cross-entropy summed over the cells of each image: (B, H, W, 1) -> (B,)."""
    each = tf.nn.sigmoid_cross_entropy_with_logits(target, logit)
    return tf.reduce_sum(each, axis=(1, 2, 3))


def _batches(
    source: Beginning, network: Network, rows: NDArray[np.int64], config: TrainConfig, *, train: bool, done: int = 0
) -> Any:
    """A tf.data pipeline of (inputs, targets, weights).

    In training it has no end, and each epoch has another order and other changes; it begins after ``done`` epochs.
    """
    label, boxes = source.examples.label, source.examples.boxes
    weight = np.ones(len(label), np.float32)
    weight[rows] = class_weights(label[rows], config.class_weight if train else "none")
    # A positive image without boxes says that there is something, but not where.
    known = (label == 0) | (boxes[..., 2] > 0).any(axis=1)
    cells = network.places.output.shape[1] if network.places is not None else 0

    def batch(chosen: Any, seed: Any) -> Any:
        inputs, moved = source.read(chosen, seed, train=train)
        targets_of = {"label": tf.gather(tf.constant(label[:, None], tf.float32), chosen)}
        weights = {"label": tf.gather(tf.constant(weight), chosen)}
        if cells:
            targets_of["places"] = targets(moved, MIXED7, cells)
            weights["places"] = tf.gather(tf.constant(known, tf.float32), chosen)
        return inputs, targets_of, weights

    size = config.batch_size if train else equal_batch(len(rows), config.batch_size, network.whole.distribute_strategy)
    order = orders(rows, size, config.seed, done) if train else tf.data.Dataset.from_tensor_slices(rows).batch(size)
    numbered = order.enumerate(done * -(-len(rows) // size))
    return numbered.map(
        lambda number, chosen: batch(chosen, (config.seed, number)), num_parallel_calls=2, deterministic=True
    ).prefetch(2)


class _Steps(keras.callbacks.Callback):  # type: ignore[misc]
    """Says how far the epoch is, once a second at most, and breaks off when asked to."""

    def __init__(self, images: int, batch_size: int, emit: Emit, should_stop: Callable[[], bool]) -> None:
        super().__init__()
        self._images, self._batch_size, self._emit, self._should_stop = images, batch_size, emit, should_stop

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._epoch, self._began, self._said = epoch + 1, time.monotonic(), 0.0
        self._before = 0, 0.0

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._should_stop():
            raise Cancelled

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        if self._should_stop():
            raise Cancelled
        now = time.monotonic()
        if now - self._said >= 1:
            self._said = now
            done = min(self._images, (batch + 1) * self._batch_size)
            rate = done / (now - self._began)
            left = round((self._images - done) / rate, 1)
            self._emit(
                "steps", epoch=self._epoch, done=done, total=self._images, images_a_second=round(rate, 2),
                seconds_left=left, loss=self._loss_since(batch + 1, float(logs.get("label_loss", logs["loss"]))),
                learning_rate=float(self.model.optimizer.learning_rate),
            )  # fmt: skip

    def _loss_since(self, steps: int, mean: float) -> float:
        """The mean loss of the steps since it was said last; Keras gives that of all steps of the epoch."""
        (before, summed), now = self._before, steps * mean
        self._before = steps, now
        return (now - summed) / (steps - before)
