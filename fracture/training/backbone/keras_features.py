"""Images through a Keras backbone, to their features."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.errors import RadiographError
from fracture.imaging.radiograph import fit, load
from fracture.training.backbone.feature_cache import Features, Preparation
from fracture.training.backbone.features import BATCH


def forward(backbone: keras.Model, missing: dict[str, str], view: Preparation) -> Iterator[tuple[list[str], Features]]:
    """Batches of images' digests and features, as :data:`fracture.training.backbone.features.Forward` says."""
    low, high = view.input_range

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def pooled(pixels: Any) -> Any:  # (B, S, S) uint8 -> (B, 2048)
        gray = tf.cast(pixels, tf.float32) * ((high - low) / 255) + low
        maps = backbone(tf.repeat(gray[..., None], 3, axis=-1), training=False)  # (B, h, w, 2048)
        return tf.reduce_mean(maps, axis=(1, 2))

    images = np.array(list(missing))
    for rows, pixels, readable in _decoded(list(missing.values()), view):
        kept = readable.numpy()
        if kept.any():
            yield images[rows.numpy()[kept]].tolist(), pooled(pixels).numpy()[kept]


def _decoded(paths: list[str], view: Preparation) -> Any:
    """A tf.data pipeline of (row, pixels, could be read): decoding runs on all cores, a few batches ahead."""
    size = view.image_size

    def read(row: Any) -> tuple[NDArray[np.uint8], bool]:
        try:
            return fit(load(Path(paths[row])).pixels, size, view.fit)[:, :: -1 if view.mirrored else 1], True
        except RadiographError:
            return np.zeros((size, size), np.uint8), False

    def read_in_graph(row: Any) -> tuple[Any, Any, Any]:
        pixels, readable = tf.numpy_function(read, [row], [tf.uint8, tf.bool], stateful=False)
        return row, tf.ensure_shape(pixels, (size, size)), tf.ensure_shape(readable, ())

    rows = tf.data.Dataset.range(len(paths)).map(read_in_graph, num_parallel_calls=tf.data.AUTOTUNE)
    return rows.batch(BATCH).prefetch(2)
