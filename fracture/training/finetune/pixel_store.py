"""Fitted images on disk: each is decoded once a training, and memory does not grow with the data set.

They lie in a temporary file without a name, whose space the system takes back when the training's process ends,
however it ends.
"""

import math
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import Cancelled, RadiographError
from fracture.imaging.radiograph import fit, load
from fracture.paths import cache_home
from fracture.training.events import CountedStep, Emit

SOME = 64
"""Images between two looks at whether to stop."""


def stored(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of zeros that lies in a temporary file of the cache folder; it is gone when nobody holds it."""
    folder = cache_home()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:  # the array keeps a handle of its own
        if hasattr(os, "posix_fallocate"):  # a full disk is an error now; later on it would end the process
            os.posix_fallocate(file.fileno(), 0, max(1, math.prod(shape) * np.dtype(dtype).itemsize))
        return np.memmap(file, dtype, "w+", shape=shape)


def fitted_pixels(
    paths: Sequence[str], size: int, how: str, *, emit: Emit, should_stop: Callable[[], bool]
) -> tuple[Any, NDArray[np.bool_]]:
    """The images (N, S, S) uint8 as the network will see them, and which could be read (N,); the others are black.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    pixels = stored((len(paths), size, size), np.uint8)
    readable = np.ones(len(paths), np.bool_)

    def read(row: int) -> None:
        try:
            pixels[row] = fit(load(Path(paths[row])).pixels, size, how)
        except RadiographError:
            readable[row] = False

    step = CountedStep(emit, "read", "Reading the images", len(paths))
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), SOME):
            end = min(start + SOME, len(paths))
            list(pool.map(read, range(start, end)))
            step.reach(end)
            if should_stop():
                raise Cancelled
    return pixels, readable
