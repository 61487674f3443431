"""The gray scale: which value becomes black, which one white, and what is between them.

The range of an image that does not name its own (a 16-bit PNG, a DICOM file without a window) is set by
:func:`gray_range`. Large images are computed in strips of :data:`STRIP_PIXELS`, so that no second copy of them is in
memory.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STRIP_PIXELS = 2**18
"""Pixels that are computed at a time."""


def gray_range(strips: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """The values of an image that become black and white: the 0th and the 100th percentile, its minimum and maximum.

    Other percentiles would be taken here and in :func:`gray_range_of_image`. With them,
    :data:`fracture.imaging.radiograph.PREPROCESSING_VERSION` must be raised.
    """
    ends = [(float(strip.min()), float(strip.max())) for strip in strips]
    return min(low for low, _ in ends), max(high for _, high in ends)


def gray_range_of_image(image: Image.Image) -> tuple[float, float]:
    """:func:`gray_range` of a gray image of Pillow's, which finds minimum and maximum without a copy of the pixels."""
    low, high = image.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]


def to_8_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Linear from ``low`` (0) to ``high`` (255), clipped; all 0 where the two are equal."""
    if (low, high) == (0, 255) and values.dtype == np.uint8:
        return values
    width = (high - low) or 1
    # float32 holds every 16-bit value exactly, in half the memory of float64.
    scaled: NDArray[np.float32] = (values.astype(np.float32) - low) * (255 / width)
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


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
