"""Fitted images on disk: each is decoded once per run, and memory does not grow with the data set.

They are in a temporary file without a name, whose space the system frees when the process of the run ends,
however it ends.
"""

import math
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import Cancelled
from fracture.imaging.loading import decode
from fracture.paths import cache_home
from fracture.training.events import CountedStep, Emit


def temporary_array(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of zeros in a temporary file of the cache folder; the file is gone when nobody holds the array."""
    folder = cache_home()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:  # the array keeps a handle of its own
        if hasattr(os, "posix_fallocate"):
            # A full disk is an error now; while the pages are written it would end the process without a word.
            size = math.prod(shape) * np.dtype(dtype).itemsize
            os.posix_fallocate(file.fileno(), 0, max(1, size))
        return np.memmap(file, dtype, "w+", shape=shape)


def fitted_pixels(
    paths: Sequence[str], size: int, how: str, *, emit: Emit, should_stop: Callable[[], bool]
) -> tuple[Any, NDArray[np.bool_]]:
    """The images (N, S, S) uint8 as the network will see them, and which could be read (N,); the others are black.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    pixels = temporary_array((len(paths), size, size), np.uint8)
    readable = np.zeros(len(paths), np.bool_)
    step = CountedStep(emit, "read", "Reading the images", len(paths))
    for row, fitted in enumerate(decode(paths, size, how)):
        if fitted is not None:
            pixels[row] = fitted
            readable[row] = True
        step.reach(row + 1)
        if should_stop():
            raise Cancelled
    return pixels, readable
