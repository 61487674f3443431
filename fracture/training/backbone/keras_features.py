"""A Keras backbone, from images to their features."""

import contextlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.training.backbone.features import Backbone, Features


def keras_backbone(backbone: keras.Model, input_range: tuple[float, float]) -> Backbone:
    """The averaged features of a network whose input has this range."""
    low, high = input_range

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def pooled(pixels: Any) -> Any:  # (B, S, S) uint8 -> (B, 2048)
        gray = tf.cast(pixels, tf.float32) * ((high - low) / 255) + low
        maps = backbone(tf.repeat(gray[..., None], 3, axis=-1), training=False)  # (B, h, w, 2048)
        return tf.reduce_mean(maps, axis=(1, 2))

    def features(pixels: NDArray[np.uint8]) -> Features:
        averaged: Features = pooled(pixels).numpy()
        return averaged

    return features


def limit_threads(threads: int) -> None:
    """Let TensorFlow use so many threads, where it has not started yet."""
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
