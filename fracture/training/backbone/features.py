"""Backbone features: a frozen backbone runs once per image, not once per epoch.

Thirty epochs over 1,560 images are 46,800 passes in the plain loop; 1,560 are enough, and none the second time.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fracture.data.measurements import digests
from fracture.errors import Cancelled
from fracture.training.backbone.feature_cache import FEATURES, FeatureCache, Features, Preparation
from fracture.training.events import SECONDS_APART, Emit
from fracture.training.weights import Weights

BATCH = 32
"""Images a pass through the backbone; on two cores larger ones were no faster."""

Forward = Callable[[dict[str, str], Preparation], Iterator[tuple[list[str], Features]]]
"""A backbone: paths by the images' digests, and how they are made ready -> batches of up to :data:`BATCH` of (digests,
their features (B, 2048)), without the images that cannot be read."""


def compute_features(
    paths: Sequence[str],
    forward: Forward,
    weights: Weights,
    view: Preparation,
    *,
    counter: "Counter",
    should_stop: Callable[[], bool],
) -> tuple[Features, NDArray[np.bool_]]:
    """The features (N, 2048) of these files, and which of them could be read (N,); the others' features are zero.

    ``counter``: these files are a part of what it counts.

    Raises:
        Cancelled: ``should_stop`` said so; what was computed until then is kept for the next time.
    """
    images = digests(paths)
    cache = FeatureCache(weights, view)
    known = cache.get([image for image in images if image])
    missing = {image: path for image, path in zip(images, paths, strict=True) if image and image not in known}
    counter.begin(len(paths), cached=sum(image in known for image in images))
    for fresh, vectors in forward(missing, view) if missing else ():
        cache.put(fresh, vectors)
        known.update(zip(fresh, vectors, strict=True))
        counter.add(BATCH)
        if should_stop():
            raise Cancelled
    counter.end()
    features = np.zeros((len(paths), FEATURES), np.float32)
    readable = np.array([image in known for image in images], np.bool_)
    for row, image in enumerate(images):
        if image in known:
            features[row] = known[image]
    return features, readable


class Counter:
    """Says how far the features are, twice a second at most; there may be several parts, one after the other."""

    def __init__(self, emit: Emit, total: int) -> None:
        self._emit, self._total = emit, total
        self._cached = self._done = self._end = 0
        self._started = self._said = time.monotonic()

    def begin(self, images: int, cached: int) -> None:
        """A part of so many images begins, of which the features of some are known."""
        self._end = self._done + images
        self._done += cached
        self._cached += cached
        self._say(None)

    def add(self, images: int) -> None:
        """So many more are done."""
        self._done = min(self._done + images, self._end)
        now = time.monotonic()
        if now - self._said >= SECONDS_APART:
            self._said = now
            seconds_each = (now - self._started) / (self._done - self._cached)
            self._say(round(seconds_each * (self._total - self._done), 1))

    def end(self) -> None:
        """All of the part are done, or could not be."""
        self._done = self._end
        self._say(0.0 if self._done == self._total else None)

    def _say(self, seconds_left: float | None) -> None:
        self._emit("features", done=self._done, total=self._total, cached=self._cached, seconds_left=seconds_left)
