"""The stored values of a DICOM file -> gray: modality, VOI and presentation transformations, and padding.

::

    stored ── high bit ──> aligned ── slope, table ──> rescaled ── VOI table, window or range ──> 8 bit ── inverted ──>
       └── which are padding: they take no part, and become black

In this order (PS3.4 N.2). What the standard leaves open, or a file gets wrong, is decided here, and is a step in words.
Section numbers are those of the DICOM standard, PS3.3 2024.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.pixels.processing import apply_modality_lut

from fracture.errors import RadiographError
from fracture.imaging.gray_scale import (
    Levels,
    count_values,
    gray_range,
    map_strips,
    range_steps,
    split_strips,
    to_8_bit,
)

MAX_GRAY_VALUE = 1e30
"""Nothing is near it: a rescaled value, or a border of the window. Infinity and NaN are not below it."""

MAX_SATURATED_PIXELS = 0.5
"""Share of the pixels; see :func:`_misfit`."""

MAX_SATURATED_LEVELS = 0.8
"""Share of the gray levels; see :func:`_misfit`."""

MIN_SPAN = 0.3
"""Share of a window; see :func:`_misfit`."""

_GRAY_LEVELS = 256
"""Parts of an image's range in which :func:`_misfit` counts its levels."""

Rescale = Callable[[NDArray[Any]], NDArray[Any]]


class GrayScale(NamedTuple):
    """How rescaled values become gray.

    Through ``table``, whose first entry stands for the value ``first``; then linearly from ``low`` to ``high``.
    """

    low: float
    high: float
    steps: tuple[str, ...]
    table: NDArray[Any] | None = None
    first: int = 0


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


class GrayRendering(NamedTuple):
    """How the stored values of one image become gray."""

    stored: StoredValues
    rescale: Rescale
    """Aligned values to the values that a window speaks of."""
    scale: GrayScale
    inverted: bool
    """Whether the lowest value is white."""
    steps: tuple[str, ...]

    def values(self, strip: NDArray[Any]) -> NDArray[Any]:
        """The values of stored ones, before black and white are set: rescaled, and looked up in the VOI table."""
        return _apply_table(self.rescale(self.stored.align(strip)), self.scale)


def render(dataset: pydicom.Dataset, pixels: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The gray image (H, W) of the stored values (H, W) of MONOCHROME1 or MONOCHROME2, and what was done.

    Rescaled (C.11.1), with the black and white of the first VOI table or window (C.11.2) where it fits the image;
    8-bit values with neither stay as they are, others are scaled by :func:`fracture.imaging.gray_scale.gray_range`.
    Raises RadiographError where slope, intercept or window is not a finite number.
    """
    rendering = prepare(dataset, pixels, name)
    stored = rendering.stored
    scale = rendering.scale

    def to_gray(strip: NDArray[Any]) -> NDArray[np.uint8]:
        gray = to_8_bit(rendering.values(strip), scale.low, scale.high)
        if rendering.inverted:
            gray = 255 - gray
        if stored.padding > 0:
            gray = np.where(stored.is_padding(strip), np.uint8(0), gray)
        return gray

    return map_strips(to_gray, pixels), rendering.steps


def prepare(dataset: pydicom.Dataset, pixels: NDArray[Any], name: str) -> GrayRendering:
    """How :func:`render` makes gray of the stored values (H, W). Raises RadiographError as that does."""
    stored, stored_steps = _stored_values(dataset, pixels)
    rescale, rescale_steps = _rescaling(dataset, name)
    levels = _rescaled_levels(stored, rescale)
    # One value is enough to see the type that rescaling gives.
    is_8_bit = int(dataset.BitsStored) == 8 and rescale(pixels.reshape(-1)[:1]).dtype == np.uint8
    scale = _gray_scale(dataset, levels, is_8_bit, name)
    inversion = _inversion(dataset)
    steps = (*stored_steps, *rescale_steps, *scale.steps, *inversion)
    return GrayRendering(stored, rescale, scale, bool(inversion), steps)


def _inversion(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """The step in words where the lowest value is white; MONOCHROME1 and INVERSE together say it once (C.8.11.3)."""
    if dataset.PhotometricInterpretation == "MONOCHROME1":  # C.7.6.3.1.2
        return ("inverted (MONOCHROME1)",)
    if dataset.get("PresentationLUTShape") == "INVERSE":  # C.11.6.1.2
        return ("inverted (Presentation LUT Shape)",)
    return ()


# Stored values


def _stored_values(dataset: pydicom.Dataset, pixels: NDArray[Any]) -> tuple[StoredValues, tuple[str, ...]]:
    align, steps = _alignment(dataset, pixels)
    is_padding = _padding(dataset, pixels.dtype)
    padding = sum(int(is_padding(strip).sum()) for strip in split_strips(pixels)) / pixels.size
    if padding == 1:
        return StoredValues(pixels, align, _no_padding, 0), (*steps, "padding value set aside: all pixels have it")
    if padding > 0:
        said = "less than 0.1%" if padding < 1e-3 else f"{padding:.1%}"
        steps = (*steps, f"padding is black ({said} of the pixels)")
    return StoredValues(pixels, align, is_padding, padding), steps


def _alignment(
    dataset: pydicom.Dataset, pixels: NDArray[Any]
) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[str, ...]]:
    """How the stored bits become values, by High Bit (PS3.5 8.1.1): bits above and below them are no part of them."""
    allocated = 8 * pixels.itemsize
    stored = int(dataset.BitsStored)
    if not 1 <= stored <= allocated:
        raise ValueError("more bits are stored than allocated")
    high_bit = int(_first_number(dataset.get("HighBit")) or stored - 1)
    below = high_bit + 1 - stored
    steps: tuple[str, ...] = ()
    if below < 0 or high_bit >= allocated or (below > 0 and _is_right_aligned(pixels, stored, below)):
        steps = ("high bit set aside: the pixels do not lie there",)
        below = 0
    elif below > 0:
        steps = (f"shifted by {below} bits (high bit {high_bit})",)
    if stored == allocated:
        return _as_they_are, steps
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
    number = _first_number(value)
    if number is None:
        return None
    wrapped = int(number) % 2 ** (8 * dtype.itemsize)
    return int(np.array(wrapped, f"u{dtype.itemsize}").view(f"i{dtype.itemsize}")) if dtype.kind == "i" else wrapped


def _as_they_are(strip: NDArray[Any]) -> NDArray[Any]:
    return strip


def _no_padding(strip: NDArray[Any]) -> NDArray[np.bool_]:
    return np.zeros(strip.shape, np.bool_)


# Rescaling


def _rescaling(dataset: pydicom.Dataset, name: str) -> tuple[Rescale, tuple[str, ...]]:
    """How aligned values are rescaled: by the modality table, else by slope and intercept (C.11.1)."""
    if _table_item(dataset, "ModalityLUTSequence") is not None:
        return lambda values: apply_modality_lut(values, dataset), ()
    try:
        slope = read_number(dataset, "RescaleSlope")
        intercept = read_number(dataset, "RescaleIntercept")
    except ValueError as error:
        raise RadiographError(
            f"{name} must have a rescale slope and intercept that are numbers; export it again."
        ) from error
    if slope is None and intercept is None:
        return _as_they_are, ()
    steps: tuple[str, ...] = ()
    if slope == 0:  # it would leave nothing of the image
        steps = ("rescale slope 0 set aside",)
    factor = slope or 1.0
    offset = intercept or 0.0
    _check_finite(factor, name)
    _check_finite(offset, name)
    return lambda values: values.astype(np.float64) * factor + offset, steps


def _rescaled_levels(stored: StoredValues, rescale: Rescale) -> Levels:
    """The histogram of the rescaled values, without padding."""
    levels = count_values(stored.image_strips())
    values = rescale(levels.values.astype(stored.pixels.dtype)).astype(np.float64)
    order = values.argsort(kind="stable")  # a slope may be negative
    return Levels(values[order], levels.counts[order])


# Black and white


def _gray_scale(dataset: pydicom.Dataset, levels: Levels, is_8_bit: bool, name: str) -> GrayScale:
    """The black and white points: by the VOI table, else by a window that fits (C.11.2), else by the values."""
    # Where a file has both a table and a window, either may be applied; pydicom prefers the table as well.
    scale = _voi_table_scale(dataset)
    steps: tuple[str, ...] = ()
    if scale is None:
        scale, steps = _window_scale(dataset, levels, name)
    if scale is None:
        scale = GrayScale(0, 255, ()) if is_8_bit else _value_scale(levels, int(dataset.BitsStored))
    _check_finite(scale.low, name)
    _check_finite(scale.high, name)
    return scale._replace(steps=(*steps, *scale.steps))


def _check_finite(value: float, name: str) -> None:
    if not abs(value) < MAX_GRAY_VALUE:  # not >=, which NaN would pass
        raise RadiographError(
            f"{name} must have gray values and a window that are numbers. Received: infinite ones; export it again."
        )


def _voi_table_scale(dataset: pydicom.Dataset) -> GrayScale | None:
    """From the lowest to the highest entry of the first VOI table (C.11.2.1.1); None where there is none.

    Not pydicom's apply_voi: that counts entries of an 8-bit-deep table in 8 bits, and so wraps after 255.
    """
    item = _table_item(dataset, "VOILUTSequence")
    if item is None:
        return None
    entries = item.LUTData
    if isinstance(entries, bytes):
        little_endian = dataset.original_encoding[1] is not False
        entries = np.frombuffer(entries, "<u2" if little_endian else ">u2")
    table = np.asarray(entries)
    # The descriptor: number of entries, value that the first one stands for, bits of each.
    return GrayScale(float(table.min()), float(table.max()), ("VOI table",), table, int(item.LUTDescriptor[1]))


def _table_item(dataset: pydicom.Dataset, keyword: str) -> pydicom.Dataset | None:
    """The first item of a sequence of tables; None where it is missing or has nothing in it."""
    sequence = dataset.get(keyword)
    if not sequence:
        return None
    item: pydicom.Dataset = sequence[0]
    has_content = all(item.get(each) not in (None, "", b"", []) for each in ("LUTDescriptor", "LUTData"))
    return item if has_content else None


def _window_scale(dataset: pydicom.Dataset, levels: Levels, name: str) -> tuple[GrayScale | None, tuple[str, ...]]:
    """The first window (C.11.2.1.2) or None, and why it is set aside. SIGMOID is taken by its tangent: LINEAR_EXACT."""
    try:
        center = read_number(dataset, "WindowCenter")
        width = read_number(dataset, "WindowWidth")
    except ValueError:
        return None, ("window set aside: it is not a number",)
    # A width of 1 is a step from black to white, and not a range; no comparison with NaN is true.
    if center is None or width is None or not width > 1:
        return None, ()
    low = center - width / 2
    high = center + width / 2
    _check_finite(low, name)
    _check_finite(high, name)
    if (dataset.get("VOILUTFunction") or "LINEAR") == "LINEAR":
        # C.11.2.1.2.1: black at center - 0.5 - (width - 1) / 2, white at center - 0.5 + (width - 1) / 2.
        high -= 1
    window = f"window {center:g}/{width:g}"
    misfit = _misfit(levels, low, high)
    if misfit:
        return None, (f"{window} set aside: {misfit}",)
    return GrayScale(low, high, (window,)), ()


def _misfit(levels: Levels, low: float, high: float) -> str:
    """Why a window would leave too little of the image to see, in words; "" where it fits.

    It is set aside if more than half of the pixels, and on one side more than 80 % of the gray levels, would be black
    or white; or if the image spans less than 30 % of it. Both shares of the first limit are needed: a collimated
    surround may be most pixels, but has few levels, and the empty part of a detector many levels, but few pixels.
    A level counts by the square root of its pixels, and the two end values, where padding piles up, not as pixels.
    ``python -m benchmarks.gray_scale`` measures these limits.
    """
    bottom, top = gray_range(levels)
    span = max(0.0, min(top, high) - max(bottom, low)) / (high - low)
    pixels = levels.inner_counts
    black = levels.values <= low
    white = levels.values >= high
    saturated = float(pixels[black | white].sum() / pixels.sum())
    side, share = max((_level_share(levels, black), "black"), (_level_share(levels, white), "white"))[::-1]
    if saturated > MAX_SATURATED_PIXELS and share > MAX_SATURATED_LEVELS:
        return f"it would make {share:.0%} of the gray levels {side}"
    if span < MIN_SPAN:
        return f"the image spans {span:.0%} of it"
    return ""


def _level_share(levels: Levels, chosen: NDArray[np.bool_]) -> float:
    """The share of the gray levels that are among the chosen values."""
    bottom, top = gray_range(levels)
    position = (levels.values - bottom) / max(top - bottom, 1e-9) * _GRAY_LEVELS
    level = position.clip(0, _GRAY_LEVELS - 1).astype(np.intp)
    pixels = np.bincount(level, levels.counts, _GRAY_LEVELS)
    of_them = np.bincount(level, levels.counts * chosen, _GRAY_LEVELS)
    weights = np.sqrt(pixels)
    shares = of_them / np.maximum(pixels, 1)
    return float(weights @ shares / weights.sum())


def _value_scale(levels: Levels, bits: int) -> GrayScale:
    """By the values themselves: :func:`gray_range`."""
    low, high = gray_range(levels)
    return GrayScale(low, high, (f"{bits} bit to 8 bit", *range_steps(levels, low, high)))


def _apply_table(values: NDArray[Any], scale: GrayScale) -> NDArray[Any]:
    """The entries of the VOI table for values, or the values where there is none."""
    if scale.table is None:
        return values
    last = len(scale.table) - 1
    # In 64 bits, since differences in 16 bits wrap. Values beyond the table get its first or last entry (C.11.2.1.1).
    index = np.clip(values - np.int64(scale.first), 0, last).astype(np.intp)
    return scale.table[index]


# Numbers


def read_number(dataset: pydicom.Dataset, keyword: str) -> float | None:
    """The first number of an element; None where it is missing or empty. A decimal comma is read as a point.

    Raises ValueError where something else than numbers stands there.
    """
    if keyword not in dataset:
        return None
    element = dataset.get_item(keyword)
    # Not by pydicom, which knows no decimal comma.
    if isinstance(element, RawDataElement) and element.VR in (None, "DS", "IS", "LO", "SH", "UN"):
        text = (element.value or b"").decode("ascii", "replace").split("\\")[0]
        return _first_number(text.strip(" \0").replace(",", "."))
    return _first_number(dataset.get(keyword))


def _first_number(value: Any) -> float | None:
    """The first of one or several numbers (a window can have several views); None where there is none."""
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)
