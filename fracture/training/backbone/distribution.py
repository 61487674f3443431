"""The devices that a run trains on: one, or every GPU of this machine."""

from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any

import tensorflow as tf

from fracture.errors import ConfigError
from fracture.training.config import TrainConfig

Loss = Callable[[Any, Any], Any]
"""Targets (B, ...) and predictions (B, ...) -> the loss of each image (B,)."""


def devices(config: TrainConfig) -> Any:
    """The ``tf.distribute`` strategy in whose scope the network of a run must be built.

    With ``mirrored`` each device has the network's weights and gets an equal share of each batch; their gradients are
    added up, so that the weights stay equal. Where a machine has no GPU, its processor is the one device.

    Losses and weights are those of one device, except for rounding and dropout: all devices draw the same masks for the
    images of their shares, where one device draws a mask for each image of the batch.

    Raises:
        ConfigError: a batch cannot be shared equally.
    """
    if config.strategy == "one":
        return tf.distribute.get_strategy()
    mirrored = _mirrored()
    if config.batch_size % mirrored.num_replicas_in_sync:
        raise ConfigError(
            f"With strategy mirrored, batch_size must be a multiple of the {mirrored.num_replicas_in_sync} devices. "
            f"Received: {config.batch_size}"
        )
    return mirrored


@cache
def _mirrored() -> Any:
    """One for the process: messages of a second one would be mixed up with those of the first."""
    return tf.distribute.MirroredStrategy()


def evenly(loss: Loss, optimizer: Any, images: int, config: TrainConfig) -> Loss:
    """The same loss with equal gradients for all images, however unequally the devices share the last batch.

    Keras takes the mean on each device and the mean of those: that is right while all have as many images, which is not
    so in the last batch of an epoch. Therefore gradients, and only these, are scaled by the number of images of a
    device, divided by its equal share.

    Args:
        loss: of each image.
        optimizer: has the number of the step.
        images: of an epoch.
        config: every setting of the run.

    Raises:
        ConfigError: there is not one whole batch for several devices.
    """
    count = tf.distribute.get_strategy().num_replicas_in_sync
    if count == 1:
        return loss
    if images < config.batch_size:
        raise ConfigError(
            "With strategy mirrored, batch_size must be at most the number of training images. "
            f"Received: {config.batch_size}, and {images} images"
        )
    steps = ceil(images / config.batch_size)
    last = images - (steps - 1) * config.batch_size

    def even(target: Any, predicted: Any) -> Any:
        # A loss is not told its step, so the optimizer counts; it counts a step after its loss.
        is_last = tf.equal((optimizer.iterations + 1) % steps, 0)
        in_batch = tf.where(is_last, last, config.batch_size)
        factor = count * tf.shape(predicted)[0] / in_batch
        scaled = _scale_gradient(predicted, tf.cast(factor, predicted.dtype))
        return loss(target, scaled)

    return even


def equal_batch(images: int, most: int, strategy: Any) -> int:
    """The size of a batch that the devices of a strategy can share equally, ``most`` at most.

    Raises:
        ConfigError: there are fewer images than devices.
    """
    count: int = strategy.num_replicas_in_sync
    if images < count:
        raise ConfigError(f"With strategy mirrored, {count} devices need as many validation images. Received: {images}")
    return min(images, most) // count * count


def _scale_gradient(values: Any, factor: Any) -> Any:
    """The same values; their gradients are multiplied by ``factor``."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def unchanged(values: Any) -> Any:
        return tf.identity(values), lambda gradient: gradient * factor

    return unchanged(values)
