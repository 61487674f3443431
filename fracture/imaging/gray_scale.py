"""The gray scale: which value becomes black, which one white, and what is between them.

The range of an image that does not name its own (a 16-bit PNG, a DICOM file without a window) is set by
:func:`gray_range`, from a histogram of its values (:func:`count_values`). Large images are computed in strips of
:data:`STRIP_PIXELS`, so that no second copy of them is in memory.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STRIP_PIXELS = 2**18
"""Pixels that are computed at a time."""

TAIL = 0.05
"""The bulk of an image lies between the 5th and the 95th percentile. Markers take less than the share above it."""

STEP = 0.25
"""Widths of the bulk: from its ends, the range of an image is followed outward in such steps."""

SPARSE = 2e-4
"""A step with a smaller share of the pixels is a gap; what lies beyond it are outliers."""

MAX_STEPS = 32
"""Steps on each side; a dark image with little bone needs most of them."""

MAX_MOVES = 3
"""How often the bulk is extended over outliers that are a part of the image."""

MIN_SECOND_PART = 0.01
"""Share of the pixels from which on outliers that are spread wider than the bulk are a part of the image."""

GRAY_DISTANCE = 8
"""Gray levels by which a pixel must differ from the median to be seen."""

MIN_VISIBLE = 0.03
"""An image is blank where a smaller share of its pixels differs from the median by more than :data:`GRAY_DISTANCE`.
The least of FracAtlas's 3,202 images is 0.10, and one marker on a black image makes 0.01 or 0.02."""

MIN_SPREAD = 5.0
"""An image is blank where the standard deviation of its gray levels is lower; FracAtlas's images have 13 and more."""


class Levels(NamedTuple):
    """A histogram: the values that an image has (N,), ascending, and how many pixels have each (N,)."""

    values: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def inner_counts(self) -> NDArray[np.int64]:
        """The counts without those of the lowest and the highest value.

        A black or white surround, padding and saturated markers pile up there, and say nothing of the rest.
        """
        inner = self.counts.copy()
        inner[[0, -1]] = 0
        return inner if inner.any() else self.counts

    def share_outside(self, low: float, high: float) -> float:
        """The share of the pixels below ``low`` or above ``high``."""
        outside = (self.values < low) | (self.values > high)
        return float(self.counts[outside].sum() / self.counts.sum())


def count_values(strips: Iterable[NDArray[Any]]) -> Levels:
    """The histogram of an image whose pixels come in strips (N,).

    Exact for integers of at most 16 bits; of others every eighth pixel of long strips is counted.
    """
    counts = np.zeros(2**16, np.int64)
    samples = []
    first = 0
    for strip in strips:
        if strip.dtype.kind in "ui" and strip.itemsize <= 2:
            first = -(2**15) if strip.dtype.kind == "i" else 0
            counts += np.bincount(strip.astype(np.int32) - first, minlength=2**16)
        else:
            samples.append(strip[:: 8 if len(strip) >= 2**16 else 1])
    if samples:
        values, sampled = np.unique(np.concatenate(samples), return_counts=True)
        return Levels(values.astype(np.float64), sampled)
    occupied = np.flatnonzero(counts)
    return Levels((occupied + first).astype(np.float64), counts[occupied])


def gray_range(levels: Levels) -> tuple[float, float]:
    """The values of an image that become black and white: its lowest and its highest one without outliers.

    Outliers are lead markers, hot and dead pixels, and padding that no element names. Percentiles alone would not do:
    what a marker of 2 % needs would make the brightest 2 % of the bone white in all other images. So the range is
    followed from the bulk of the image outward, up to the first gap (as a box plot's whiskers are; Tukey, Exploratory
    Data Analysis, 1977). ``python -m benchmarks.gray_scale`` measures it. With other numbers,
    :data:`fracture.imaging.radiograph.PREPROCESSING_VERSION` must be raised.
    """
    inner = levels.inner_counts.copy()
    low, high = _bulk(levels.values, inner)
    # More than nine tenths may have one value, a surround: the bulk is then that of the rest.
    while low == high:
        inner[inner.argmax()] = 0
        if not inner.any():
            return float(levels.values[0]), float(levels.values[-1])
        low, high = _bulk(levels.values, inner)
    bottom, top = _without_outliers(levels, low, high)
    kept = levels.values[(levels.values >= bottom) & (levels.values <= top)]
    return float(kept[0]), float(kept[-1])


def range_steps(levels: Levels, low: float, high: float) -> tuple[str, ...]:
    """In words, that the range of the gray scale leaves some of the pixels out; nothing where it leaves out none."""
    share = levels.share_outside(low, high)
    if share == 0:
        return ()
    said = "less than 0.01%" if share < 1e-4 else f"{share:.2%}"
    return (f"gray scale set without outliers ({said} of the pixels)",)


def _without_outliers(levels: Levels, low: float, high: float) -> tuple[float, float]:
    """The ends of the range of an image with a bulk from ``low`` to ``high``."""
    ends = _follow_both(levels, low, high)
    for _ in range(MAX_MOVES):
        wider = _bulk_with_outliers(levels, low, high, ends)
        if wider is None:
            break
        low, high = wider
        ends = _follow_both(levels, low, high)
    return ends


def _follow_both(levels: Levels, low: float, high: float) -> tuple[float, float]:
    """Where the first gaps below and above the bulk are."""
    width = high - low
    bottom = -_follow(-levels.values[::-1], levels.counts[::-1], -low, width)
    top = _follow(levels.values, levels.counts, high, width)
    return bottom, top


def _bulk_with_outliers(
    levels: Levels, low: float, high: float, ends: tuple[float, float]
) -> tuple[float, float] | None:
    """The bulk extended over outliers that are spread wider than it; None where none are.

    In a large and even surround, the bulk is the surround: the outliers are then the image.
    """
    width = high - low
    bottom, top = ends
    higher = _second_part(levels, levels.values > top)
    # Of a marker, most pixels have its highest value.
    if higher is not None and _quantile(*higher, 1 - TAIL) - _quantile(*higher, 0.5) > width:
        return low, _quantile(*higher, 1 - TAIL)
    lower = _second_part(levels, levels.values < bottom)
    if lower is not None and _quantile(*lower, 1 - TAIL) - _quantile(*lower, TAIL) > width:
        return _quantile(*lower, TAIL), high
    return None


def _second_part(levels: Levels, outliers: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Values and counts of the outliers; None where they are few."""
    counts = levels.counts[outliers]
    if counts.sum() < MIN_SECOND_PART * levels.counts.sum():
        return None
    return levels.values[outliers], counts


def _bulk(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, float]:
    return _quantile(values, counts, TAIL), _quantile(values, counts, 1 - TAIL)


def _quantile(values: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> float:
    below = counts.cumsum()
    return float(values[np.searchsorted(below, share * below[-1])])


def _follow(values: NDArray[np.float64], counts: NDArray[np.int64], end: float, width: float) -> float:
    """Where the first gap above the ``end`` of the bulk begins; ``width``: of the bulk."""
    ends = end + STEP * width * np.arange(MAX_STEPS + 1)
    below = np.concatenate([[0], counts.cumsum()])[np.searchsorted(values, ends, "right")]
    sparse = np.diff(below) < SPARSE * counts.sum()
    steps = int(sparse.argmax()) if sparse.any() else MAX_STEPS
    return float(ends[steps])


def to_8_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Linear from ``low`` (0) to ``high`` (255), clipped; all 0 where the two are equal."""
    if (low, high) == (0, 255) and values.dtype == np.uint8:
        return values
    width = (high - low) or 1
    # float32 holds every 16-bit value exactly, in half the memory of float64.
    scaled: NDArray[np.float32] = (values.astype(np.float32) - low) * (255 / width)
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def is_blank(pixels: NDArray[np.uint8]) -> bool:
    """Whether an image (H, W) is nearly black, white or of one gray level, with nothing to see."""
    counts = np.array(Image.fromarray(pixels).histogram())
    spread, visible = contrast(counts / counts.sum())
    return spread < MIN_SPREAD or visible < MIN_VISIBLE


def contrast(shares: NDArray[np.float64]) -> tuple[float, float]:
    """By the shares of the 256 gray levels (256,): their standard deviation, and the share of pixels that is visible.

    Visible are those that differ from the median by more than :data:`GRAY_DISTANCE`.
    """
    levels = np.arange(256)
    mean = levels @ shares
    spread = float(np.sqrt(np.square(levels - mean) @ shares))
    median = np.searchsorted(shares.cumsum(), 0.5)
    visible = float(shares[abs(levels - median) > GRAY_DISTANCE].sum())
    return spread, visible


def split_strips(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The pixels of an image in strips: (H, W) -> (N,) each, (H, W, C) -> (N, C)."""
    flat = values.reshape(-1, *values.shape[2:])
    for begin in range(0, len(flat), STRIP_PIXELS):
        yield flat[begin : begin + STRIP_PIXELS]


def map_strips(to_gray: Callable[[NDArray[Any]], NDArray[np.uint8]], values: NDArray[Any]) -> NDArray[np.uint8]:
    """``to_gray`` of each pixel, a strip at a time: (H, W) or (H, W, C) -> (H, W)."""
    height, width = values.shape[:2]
    gray = np.empty(height * width, np.uint8)
    begin = 0
    for strip in split_strips(values):
        gray[begin : begin + len(strip)] = to_gray(strip)
        begin += len(strip)
    return gray.reshape(height, width)
