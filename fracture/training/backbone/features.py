"""Features of a frozen backbone: computed once per image, not once per epoch, and cached on disk by content.

Thirty epochs over 1,560 images are 46,800 passes in the plain loop; 1,560 are enough, and none the second time. No
TensorFlow here: any process can read the features that a run has computed.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fracture.cache import cache_file, find_rows, open_cache, write_rows
from fracture.data.measurements import digests
from fracture.errors import Cancelled
from fracture.imaging.loading import decode
from fracture.imaging.radiograph import PREPROCESSING_VERSION
from fracture.training.events import SECONDS_APART, Emit
from fracture.training.weights import Weights

FEATURES = 2048
"""Channels of InceptionV3's last feature map."""

BATCH = 32
"""Images a pass through the backbone; on two cores larger ones were no faster."""

Features = NDArray[np.float32]

Backbone = Callable[[NDArray[np.uint8]], Features]
"""Images (B, S, S), fitted -> their features (B, 2048)."""

Forward = Callable[[dict[str, str], "Preparation"], Iterator[tuple[list[str], Features]]]
"""Files through a backbone: (paths by the images' digests, their preparation) -> batches of at most :data:`BATCH`
images: (digests, features (B, 2048)), without the images that can't be read."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS features (image BLOB PRIMARY KEY, vector BLOB NOT NULL)"

_VERSION = 0
"""That of the files which were written before the cache counted versions: they stay readable. What the vectors mean is
in the file's name."""


@dataclass(frozen=True)
class Preparation:
    """How an image becomes the backbone's input: with the image and the weights, this decides its features."""

    image_size: int
    fit: str
    input_range: tuple[float, float]
    mirrored: bool = False


class FeatureCache:
    """Features by the SHA-256 of their image, in one SQLite file for each pair of weights and preparation."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def get(self, images: Sequence[str]) -> dict[str, Features]:
        """The features (2048,) of those of these images that are in the cache."""
        keys = [(bytes.fromhex(image),) for image in images]
        rows = find_rows(self._base, "features", ["image"], keys)
        return {image.hex(): np.frombuffer(vector, np.float32) for image, vector in rows}

    def put(self, images: Sequence[str], features: Features) -> None:
        """Add the features (N, 2048) of these images."""
        rows = [(bytes.fromhex(image), vector.tobytes()) for image, vector in zip(images, features, strict=True)]
        write_rows(self._base, "INSERT OR REPLACE INTO features VALUES (?, ?)", rows)


@contextmanager
def feature_cache(weights: Weights, preparation: Preparation) -> Iterator[FeatureCache]:
    """The cached features of these weights and this preparation.

    Where the cache can't be used, it is in memory and empty: that costs time alone.
    """
    with open_cache(_cache_name(weights, preparation), _SCHEMA, _VERSION) as base:
        yield FeatureCache(base)


def count_cached(images: Sequence[str], weights: Weights, preparation: Preparation) -> int:
    """How many of these images, by their digests, have features in the cache; makes no file where there is none."""
    if not cache_file(_cache_name(weights, preparation)).exists():
        return 0
    with feature_cache(weights, preparation) as cache:
        known = cache.get([image for image in images if image])
    return sum(image in known for image in images)


def _cache_name(weights: Weights, preparation: Preparation) -> str:
    key = {
        "backbone": "InceptionV3",
        "weights": weights.identity,
        "preprocessing": PREPROCESSING_VERSION,
        **asdict(preparation),
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return f"features/{digest[:24]}"


def compute_features(
    paths: Sequence[str],
    forward: Forward,
    weights: Weights,
    preparation: Preparation,
    *,
    progress: "FeatureProgress",
    should_stop: Callable[[], bool],
) -> tuple[Features, NDArray[np.bool_]]:
    """The features (N, 2048) of these files, and which of them could be read (N,); the others' features are zero.

    ``progress``: counts these files among its total.

    Raises:
        Cancelled: ``should_stop`` said so; the features computed until then are in the cache.
    """
    images = digests(paths)
    with feature_cache(weights, preparation) as cache:
        # A file that could not be hashed has an empty digest. Copies of an image are computed once.
        known = cache.get([image for image in images if image])
        missing = {image: path for image, path in zip(images, paths, strict=True) if image and image not in known}
        progress.begin(len(paths), cached=sum(image in known for image in images))
        if missing:
            for computed, features in forward(missing, preparation):
                cache.put(computed, features)
                known.update(zip(computed, features, strict=True))
                # Images that can't be read are done, too: hence not len(computed).
                progress.add(BATCH)
                if should_stop():
                    raise Cancelled
        progress.end()
    return _in_order(images, known)


def _in_order(images: Sequence[str], known: dict[str, Features]) -> tuple[Features, NDArray[np.bool_]]:
    features = np.zeros((len(images), FEATURES), np.float32)
    readable = np.zeros(len(images), np.bool_)
    for row, image in enumerate(images):
        if image in known:
            features[row] = known[image]
            readable[row] = True
    return features, readable


def forward(
    backbone: Backbone, missing: dict[str, str], preparation: Preparation
) -> Iterator[tuple[list[str], Features]]:
    """Batches of digests and features, as :data:`Forward` describes; images are decoded while the backbone is at work.

    Args:
        backbone: for images of this preparation.
        missing: paths by the images' digests.
        preparation: of the images.
    """
    for images, pixels in decoded_batches(missing, preparation):
        yield images, backbone(np.stack(pixels))


def decoded_batches(
    missing: dict[str, str], preparation: Preparation
) -> Iterator[tuple[list[str], list[NDArray[np.uint8]]]]:
    """Batches of (digests, images (S, S) as the backbone sees them), without those that can't be read.

    Args:
        missing: paths by the images' digests.
        preparation: of the images.
    """
    batch: list[str] = []
    pixels: list[NDArray[np.uint8]] = []
    decoded = decode(list(missing.values()), preparation.image_size, preparation.fit)
    for number, (image, fitted) in enumerate(zip(missing, decoded, strict=True), start=1):
        if fitted is not None:
            batch.append(image)
            pixels.append(fitted[:, ::-1] if preparation.mirrored else fitted)
        # A batch ends by the number of images tried, since progress counts BATCH of them for each.
        if number % BATCH == 0 or number == len(missing):
            if batch:
                yield batch, pixels
            batch = []
            pixels = []


class FeatureProgress:
    """Emits how many features there are, twice a second at most; there may be several parts, one after the other."""

    def __init__(self, emit: Emit, total: int) -> None:
        self._emit = emit
        self._total = total
        self._cached = 0
        self._done = 0
        self._end = 0
        self._started = time.monotonic()
        self._emitted = self._started

    def begin(self, images: int, cached: int) -> None:
        """Begin a part of so many images, of which the features of some are cached."""
        self._end = self._done + images
        self._done += cached
        self._cached += cached
        self._report(None)

    def add(self, images: int) -> None:
        """So many more are done."""
        self._done = min(self._done + images, self._end)
        now = time.monotonic()
        if now - self._emitted >= SECONDS_APART:
            self._emitted = now
            # Cached images take no time: the rate is that of the others.
            seconds_each = (now - self._started) / (self._done - self._cached)
            self._report(round(seconds_each * (self._total - self._done), 1))

    def end(self) -> None:
        """All images of the part are done, or can't be read."""
        self._done = self._end
        self._report(0.0 if self._done == self._total else None)

    def _report(self, seconds_left: float | None) -> None:
        self._emit("features", done=self._done, total=self._total, cached=self._cached, seconds_left=seconds_left)
