"""Cached backbone features: a frozen backbone runs once per image, not once per epoch.

Thirty epochs over 1,560 images are 46,800 passes in the plain loop; 1,560 are enough, and none the second time.
Features are kept by content: the image file's sha256, and all that decides what the backbone makes of it.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture import home
from fracture.data.dataset import file_sha256
from fracture.data.radiograph import PREPROCESSING, fit, load
from fracture.errors import RadiographError
from fracture.learn.events import Emit, Stopped
from fracture.learn.network import FEATURES
from fracture.learn.weights import Weights

BATCH = 32
"""Images a pass through the backbone; on two cores larger ones were no faster."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """How an image is made ready: what decides, beside it and the weights, what the backbone sees."""

    image_size: int
    fit: str
    input_range: tuple[float, float]
    mirrored: bool = False


class FeatureCache:
    """Vectors by the sha256 of their image, in one SQLite file for each pair of weights and view."""

    def __init__(self, weights: Weights, view: Preparation) -> None:
        seen = {"backbone": "InceptionV3", "weights": weights.identity, "preprocessing": PREPROCESSING, **asdict(view)}
        said = json.dumps(seen, sort_keys=True)
        folder = home.cache_home() / "features"
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.sqlite"
        try:
            self._create()
        except sqlite3.OperationalError:  # in use, or the disk is full: it is whole
            raise
        except sqlite3.DatabaseError:  # damaged: what is in it can be computed again
            self._path.unlink()
            self._create()

    def _create(self) -> None:
        with closing(self._open()) as base, base:
            base.execute("CREATE TABLE IF NOT EXISTS features (image BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            if base.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def get(self, images: Sequence[str]) -> dict[str, Features]:
        """The vectors (2048,) that are known of these images."""
        found: dict[str, Features] = {}
        with closing(self._open()) as base:
            for start in range(0, len(images), 500):  # SQLite bounds the number of question marks
                keys = [bytes.fromhex(image) for image in images[start : start + 500]]
                marks = ",".join("?" * len(keys))
                rows = base.execute(f"SELECT image, vector FROM features WHERE image IN ({marks})", keys)  # noqa: S608
                found.update({image.hex(): np.frombuffer(vector, np.float32) for image, vector in rows})
        return found

    def put(self, images: Sequence[str], vectors: Features) -> None:
        """Keep the vectors (N, 2048) of these images."""
        rows = [(bytes.fromhex(image), vector.tobytes()) for image, vector in zip(images, vectors, strict=True)]
        with closing(self._open()) as base, base:
            base.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)


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
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(_digest, paths))
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


def _digest(path: str) -> str:
    try:
        return file_sha256(Path(path))
    except OSError:
        return ""


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
