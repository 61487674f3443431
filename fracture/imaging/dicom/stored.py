"""The stored values of a DICOM image: which bits they are in, and which of them are padding.

Section numbers are those of the DICOM standard, PS3.3 2024.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray

from fracture.imaging.dicom.elements import first_number
from fracture.imaging.gray_scale import split_strips


class StoredValues(NamedTuple):
    """The pixels of one image as they are stored (H, W), and how to understand them."""

    pixels: NDArray[Any]
    align: Callable[[NDArray[Any]], NDArray[Any]]
    """Stored bits to the values that they stand for."""
    is_padding: Callable[[NDArray[Any]], NDArray[np.bool_]]
    """Which stored values are padding."""
    padding: float
    """Share of the pixels that are padding."""

    def image_strips(self) -> Iterator[NDArray[Any]]:
        """The aligned values without padding, strip by strip."""
        for strip in split_strips(self.pixels):
            yield self.align(strip)[~self.is_padding(strip)]


def stored_values(dataset: pydicom.Dataset, pixels: NDArray[Any]) -> tuple[StoredValues, tuple[str, ...]]:
    """The stored values of pixels (H, W) with how to understand them, and what was done, in words."""
    align, steps = alignment(dataset, pixels)
    is_padding = _padding(dataset, pixels.dtype)
    padding = sum(int(is_padding(strip).sum()) for strip in split_strips(pixels)) / pixels.size
    if padding == 1:
        return StoredValues(pixels, align, _no_padding, 0), (*steps, "padding value set aside: all pixels have it")
    if padding > 0:
        said = "less than 0.1%" if padding < 1e-3 else f"{padding:.1%}"
        steps = (*steps, f"padding is black ({said} of the pixels)")
    return StoredValues(pixels, align, is_padding, padding), steps


def alignment(
    dataset: pydicom.Dataset, pixels: NDArray[Any]
) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[str, ...]]:
    """How the stored bits become values, by High Bit (PS3.5 8.1.1): bits above and below them are no part of them."""
    allocated = 8 * pixels.itemsize
    stored = int(dataset.BitsStored)
    if not 1 <= stored <= allocated:
        raise ValueError("more bits are stored than allocated")
    high_bit = int(first_number(dataset.get("HighBit")) or stored - 1)
    below = high_bit + 1 - stored
    steps: tuple[str, ...] = ()
    if below < 0 or high_bit >= allocated or (below > 0 and _is_right_aligned(pixels, stored, below)):
        steps = ("high bit set aside: the pixels do not lie there",)
        below = 0
    elif below > 0:
        steps = (f"shifted by {below} bits (high bit {high_bit})",)
    if stored == allocated:
        return as_they_are, steps
    above = allocated - stored - below

    def align(strip: NDArray[Any]) -> NDArray[Any]:
        # To the left, then to the right: of signed values, that repeats the sign.
        aligned: NDArray[Any] = np.right_shift(np.left_shift(strip, above), above + below)
        return aligned

    return align, steps


def _is_right_aligned(pixels: NDArray[Any], stored: int, below: int) -> bool:
    """Whether the pixels have bits below those that High Bit names, and none above the lowest ``stored`` ones."""
    strips = list(split_strips(pixels))
    signed = pixels.dtype.kind == "i"
    limit = 2 ** (stored - 1) if signed else 2**stored
    fit = all(strip.max() < limit and strip.min() >= (-limit if signed else 0) for strip in strips)
    return fit and any(bool((strip & (2**below - 1)).any()) for strip in strips)


def _padding(dataset: pydicom.Dataset, dtype: np.dtype[Any]) -> Callable[[NDArray[Any]], NDArray[np.bool_]]:
    """Which stored values are padding: Pixel Padding Value (C.7.5.1.1.2), up to Pixel Padding Range Limit."""
    value = _stored_number(dataset, "PixelPaddingValue", dtype)
    if value is None:
        return _no_padding
    limit = _stored_number(dataset, "PixelPaddingRangeLimit", dtype)
    ends = sorted((value, value if limit is None else limit))

    def is_padding(strip: NDArray[Any]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (strip >= ends[0]) & (strip <= ends[1])
        return found

    return is_padding


def _stored_number(dataset: pydicom.Dataset, keyword: str, dtype: np.dtype[Any]) -> int | None:
    """A number in the type of the pixels; None where there is none. Files write it signed or not, as they like."""
    value = dataset.get(keyword)
    if isinstance(value, bytes):  # of a representation that pydicom does not know
        value = int.from_bytes(value[:2], "little") if value else None
    number = first_number(value)
    if number is None:
        return None
    wrapped = int(number) % 2 ** (8 * dtype.itemsize)
    return int(np.array(wrapped, f"u{dtype.itemsize}").view(f"i{dtype.itemsize}")) if dtype.kind == "i" else wrapped


def as_they_are(strip: NDArray[Any]) -> NDArray[Any]:
    """Values that need no change."""
    return strip


def _no_padding(strip: NDArray[Any]) -> NDArray[np.bool_]:
    return np.zeros(strip.shape, np.bool_)
