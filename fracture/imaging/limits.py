"""How much of a server's time and memory one file may take, whoever sent it.

With a model loaded and an upload of 100 MB in memory, a process stays under 500 MB; no file takes five seconds.
``python -m benchmarks.hostile_uploads`` measures both.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RadiographError

MAX_PIXELS = 50_000_000
"""The most pixels that an image may have; the largest flat-panel detectors have about 20 million."""

MAX_SIDE = 65_535
"""px: as far as DICOM and JPEG can count. Scaling takes memory for every row."""

MAX_BYTES = 150_000_000
"""That decoding may take besides the file: enough for :data:`MAX_PIXELS` of 16 bits."""

MAX_READS = 50_000
"""How often a file may be read from. Real ones have a few hundred parts; ten million take a minute to go through."""

STRIP = 2**18
"""Pixels that are computed at a time."""


class Bounded:
    """An open file that may be read from so many times; then it raises ValueError, as damaged files do."""

    def __init__(self, file: BinaryIO, reads: int = MAX_READS) -> None:
        self._file, self._left = file, reads

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("the file has too many parts")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def check_size(width: int, height: int, name: str, bytes_a_pixel: int = 1, besides: int = 0) -> None:
    """Raises RadiographError for an image of too many pixels, or that takes too much memory to decode.

    ``bytes_a_pixel``: that decoding takes; ``besides``: the bytes that it takes whatever the image's size is.
    """
    most = min(MAX_PIXELS, (MAX_BYTES - besides) // bytes_a_pixel)
    if most < 10**6:
        raise RadiographError(f"{name} takes too much memory to decode, packed as it is; save it as a PNG.")
    if width * height > most:
        packed = "" if most == MAX_PIXELS else ", packed as it is"
        raise RadiographError(
            f"{name} must have at most {most // 10**6} million pixels{packed}. "
            f"Received: {width} x {height}; reduce it first."
        )
    if max(width, height) > MAX_SIDE:
        raise RadiographError(f"{name} must have at most {MAX_SIDE:,} px a side. Received: {width} x {height}.")


def in_strips(values: NDArray[Any], shade: Callable[[NDArray[Any]], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """``shade`` of each pixel, some at a time: (H, W) or (H, W, C) -> (H, W)."""
    flat = values.reshape(-1, *values.shape[2:])
    shaded = np.empty(len(flat), np.uint8)
    for begin in range(0, len(flat), STRIP):
        shaded[begin : begin + STRIP] = shade(flat[begin : begin + STRIP])
    return shaded.reshape(values.shape[:2])


def to_8_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Linear from ``low`` (0) to ``high`` (255), clipped; all 0 where the two are equal."""
    if (low, high) == (0, 255) and values.dtype == np.uint8:
        return values
    scaled: NDArray[np.float32] = (values.astype(np.float32) - low) * (255 / ((high - low) or 1))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)
