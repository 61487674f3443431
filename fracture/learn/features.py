"""Backbone features: a frozen backbone runs once per image, not once per epoch.

Thirty epochs over 1,560 images are 46,800 passes in the plain loop; 1,560 are enough, and none the second time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture.data.radiograph import fit, load
from fracture.errors import RadiographError
from fracture.learn.events import Emit, Stopped
from fracture.learn.feature_cache import FEATURES, FeatureCache, Features, Preparation, digests
from fracture.learn.weights import Weights

BATCH = 32
"""Images a pass through the backbone; on two cores larger ones were no faster."""


def compute_features(
    paths: Sequence[str],
    backbone: keras.Model,
    weights: Weights,
    view: Preparation,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> tuple[Features, NDArray[np.bool_]]:
    """The features (N, 2048) of these files, and which of them could be read (N,); the others' features are zero.

    Raises:
        Stopped: ``should_stop`` said so; what was computed until then is kept for the next time.
    """
    images = digests(paths)
    cache = FeatureCache(weights, view)
    known = cache.get([image for image in images if image])
    missing = {image: path for image, path in zip(images, paths, strict=True) if image and image not in known}
    progress = Counter(emit, total=len(paths), cached=sum(image in known for image in images))
    for fresh, vectors in _forward(missing, backbone, view):
        cache.put(fresh, vectors)
        known.update(zip(fresh, vectors, strict=True))
        progress.add(BATCH)
        if should_stop():
            raise Stopped
    progress.end()
    features = np.zeros((len(paths), FEATURES), np.float32)
    readable = np.array([image in known for image in images], np.bool_)
    for row, image in enumerate(images):
        if image in known:
            features[row] = known[image]
    return features, readable


def _forward(missing: dict[str, str], backbone: keras.Model, view: Preparation) -> Iterator[tuple[list[str], Features]]:
    """Batches of (image digests, their vectors), without the images that cannot be read."""
    if not missing:
        return
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


class Counter:
    """Says how far it is, twice a second at most."""

    def __init__(self, emit: Emit, total: int, cached: int) -> None:
        self._emit, self._total, self._cached, self._done = emit, total, cached, cached
        self._started = self._said = time.monotonic()
        self._say(None)

    def add(self, images: int) -> None:
        """So many more are done."""
        self._done = min(self._done + images, self._total)
        now = time.monotonic()
        if now - self._said >= 0.5:
            self._said = now
            seconds_each = (now - self._started) / (self._done - self._cached)
            self._say(round(seconds_each * (self._total - self._done), 1))

    def end(self) -> None:
        """All are done, or could not be."""
        self._done = self._total
        self._say(0.0)

    def _say(self, seconds_left: float | None) -> None:
        self._emit("features", done=self._done, total=self._total, cached=self._cached, seconds_left=seconds_left)
