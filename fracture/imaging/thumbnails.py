"""Thumbnails of image files, several at a time; the last few thousand are cached in memory."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from fracture.errors import RadiographError
from fracture.imaging import radiograph

MAX_CACHED = 2000
"""Thumbnails in memory: about 10 kB each at 256 px."""


def thumbnail(path: str, size: int, *, square: bool = False) -> bytes:
    """A JPEG of an image file, its longer side ``size`` px at most; computed again when the file has changed.

    ``square``: letterboxed in black to ``size`` x ``size`` px, so that all have the same height.

    Raises RadiographError where it is missing or cannot be read.
    """
    return _thumbnail(path, size, changed(path), square)


def thumbnails(paths: Sequence[str], size: int, *, square: bool = False) -> list[bytes | RadiographError]:
    """:func:`thumbnail` of each, on all cores: decoding runs outside Python's lock; an error where there is none."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda path: _or_error(path, size, square), paths))


def changed(path: str) -> int:
    """When a file was last changed, in ns; 0 where the file cannot be asked: reading it will say what is wrong."""
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _or_error(path: str, size: int, square: bool) -> bytes | RadiographError:
    try:
        return thumbnail(path, size, square=square)
    except RadiographError as error:
        return error


@lru_cache(MAX_CACHED)
def _thumbnail(path: str, size: int, changed_at: int, square: bool) -> bytes:  # noqa: ARG001  part of the key
    pixels = radiograph.load(Path(path)).pixels
    if square:
        pixels = radiograph.fit(pixels, size, "letterbox")
    return radiograph.encode_thumbnail(pixels, size)
