"""Images through a Keras backbone, to their features."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from fracture.training.backbone.features import Features, Preparation, decoded_batches


def forward(
    backbone: keras.Model, missing: dict[str, str], preparation: Preparation
) -> Iterator[tuple[list[str], Features]]:
    """Batches of digests and features, as :data:`fracture.training.backbone.features.Forward` describes."""
    low, high = preparation.input_range

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def pooled(pixels: Any) -> Any:  # (B, S, S) uint8 -> (B, 2048)
        gray = tf.cast(pixels, tf.float32) * ((high - low) / 255) + low
        maps = backbone(tf.repeat(gray[..., None], 3, axis=-1), training=False)  # (B, h, w, 2048)
        return tf.reduce_mean(maps, axis=(1, 2))

    for images, pixels in decoded_batches(missing, preparation):
        yield images, pooled(np.stack(pixels)).numpy()
