"""The devices that a training runs on: one, or every GPU of this machine."""

from collections.abc import Callable
from functools import cache
from typing import Any

import tensorflow as tf

from fracture.errors import ConfigError
from fracture.training.config import TrainConfig

Loss = Callable[[Any, Any], Any]
"""Targets (B, ...) and what is said of them (B, ...) -> the loss of each image (B,)."""


def devices(config: TrainConfig) -> Any:
    """The ``tf.distribute`` strategy within whose scope a network is built that is to train as ``config`` says.

    With mirrored each device has the network's weights and gets an equal share of each batch; their gradients are
    added up, so that all stay alike. Where a machine has no GPU, its processor is the one device.

    Losses and weights are those of one device, but for rounding, and but for dropout: all devices draw the same masks
    for the images of their shares, where one device draws a mask for each image of the batch.

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
    """One for the process: what a second one sends from device to device would be mixed up with the first one's."""
    return tf.distribute.MirroredStrategy()


def evenly(loss: Loss, optimizer: Any, images: int, config: TrainConfig) -> Loss:
    """The same loss, which teaches as much by each image, however unequally the devices share the last batch.

    Keras takes the mean on each device and the mean of those: right while all have as many images, which the last
    batch of an epoch need not give them. So gradients, and only these, are scaled by the images that a device has
    against those that would be its equal share.

    Args:
        loss: of each image.
        optimizer: counts the steps.
        images: of an epoch.
        config: every choice.

    Raises:
        ConfigError: several devices have not even one whole batch to share.
    """
    count = tf.distribute.get_strategy().num_replicas_in_sync
    if count == 1:
        return loss
    if images < config.batch_size:
        raise ConfigError(
            "With strategy mirrored, batch_size must be at most the number of training images. "
            f"Received: {config.batch_size}, and {images} images"
        )
    steps = -(-images // config.batch_size)
    last = images - (steps - 1) * config.batch_size

    def even(target: Any, said: Any) -> Any:
        ends = tf.equal((optimizer.iterations + 1) % steps, 0)
        share = count * tf.shape(said)[0] / tf.where(ends, last, config.batch_size)
        return loss(target, _scaled_backwards(said, tf.cast(share, said.dtype)))

    return even


def equal_batch(images: int, most: int, strategy: Any) -> int:
    """How many of these images a batch has, ``most`` at most, that the devices of a strategy share equally.

    Raises:
        ConfigError: there are fewer images than devices.
    """
    count: int = strategy.num_replicas_in_sync
    if images < count:
        raise ConfigError(f"With strategy mirrored, {count} devices need as many validation images. Received: {images}")
    return min(images, most) // count * count


def _scaled_backwards(values: Any, factor: Any) -> Any:
    """The values as they are, whose gradients come back multiplied."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def unchanged(values: Any) -> Any:
        return tf.identity(values), lambda gradient: gradient * factor

    return unchanged(values)
