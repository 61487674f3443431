"""Black and white of a DICOM image: by its VOI table, its window, or its values.

Section numbers are those of the DICOM standard, PS3.3 2024.
"""

from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray

from fracture.errors import RadiographError
from fracture.imaging.dicom.elements import read_number, table_item
from fracture.imaging.gray_scale import Levels, gray_range, range_steps

MAX_GRAY_VALUE = 1e30
"""Nothing is near it: a rescaled value, or a border of the window. Infinity and NaN are not below it."""

MAX_SATURATED_PIXELS = 0.5
"""Share of the pixels; see :func:`misfit`."""

MAX_SATURATED_LEVELS = 0.8
"""Share of the gray levels; see :func:`misfit`."""

MIN_SPAN = 0.3
"""Share of a window; see :func:`misfit`."""

_GRAY_LEVELS = 256
"""Parts of an image's range in which :func:`misfit` counts its levels."""


class GrayScale(NamedTuple):
    """How rescaled values become gray.

    Through ``table``, whose first entry stands for the value ``first``; then linearly from ``low`` to ``high``.
    """

    low: float
    high: float
    steps: tuple[str, ...]
    table: NDArray[Any] | None = None
    first: int = 0


def gray_scale(dataset: pydicom.Dataset, levels: Levels, is_8_bit: bool, name: str) -> GrayScale:
    """The black and white points: by the VOI table, else by a window that fits (C.11.2), else by the values."""
    # Where a file has both a table and a window, either may be applied; pydicom prefers the table as well.
    scale = _voi_table_scale(dataset)
    steps: tuple[str, ...] = ()
    if scale is None:
        scale, steps = _window_scale(dataset, levels, name)
    if scale is None:
        scale = GrayScale(0, 255, ()) if is_8_bit else value_scale(levels, int(dataset.BitsStored))
    check_finite(scale.low, name)
    check_finite(scale.high, name)
    return scale._replace(steps=(*steps, *scale.steps))


def check_finite(value: float, name: str) -> None:
    """Raises RadiographError for infinity and NaN."""
    if not abs(value) < MAX_GRAY_VALUE:  # not >=, which NaN would pass
        raise RadiographError(
            f"{name} must have gray values and a window that are numbers. Received: infinite ones; export it again."
        )


def _voi_table_scale(dataset: pydicom.Dataset) -> GrayScale | None:
    """From the lowest to the highest entry of the first VOI table (C.11.2.1.1); None where there is none.

    Not pydicom's apply_voi: that counts entries of an 8-bit-deep table in 8 bits, and so wraps after 255.
    """
    item = table_item(dataset, "VOILUTSequence")
    if item is None:
        return None
    entries = item.LUTData
    if isinstance(entries, bytes):
        little_endian = dataset.original_encoding[1] is not False
        entries = np.frombuffer(entries, "<u2" if little_endian else ">u2")
    table = np.asarray(entries)
    # The descriptor: number of entries, value that the first one stands for, bits of each.
    return GrayScale(float(table.min()), float(table.max()), ("VOI table",), table, int(item.LUTDescriptor[1]))


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
    check_finite(low, name)
    check_finite(high, name)
    if (dataset.get("VOILUTFunction") or "LINEAR") == "LINEAR":
        # C.11.2.1.2.1: black at center - 0.5 - (width - 1) / 2, white at center - 0.5 + (width - 1) / 2.
        high -= 1
    window = f"window {center:g}/{width:g}"
    why = misfit(levels, low, high)
    if why:
        return None, (f"{window} set aside: {why}",)
    return GrayScale(low, high, (window,)), ()


def misfit(levels: Levels, low: float, high: float) -> str:
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


def value_scale(levels: Levels, bits: int) -> GrayScale:
    """By the values themselves: :func:`gray_range`."""
    low, high = gray_range(levels)
    return GrayScale(low, high, (f"{bits} bit to 8 bit", *range_steps(levels, low, high)))


def apply_table(values: NDArray[Any], scale: GrayScale) -> NDArray[Any]:
    """The entries of the VOI table for values, or the values where there is none."""
    if scale.table is None:
        return values
    last = len(scale.table) - 1
    # In 64 bits, since differences in 16 bits wrap. Values beyond the table get its first or last entry (C.11.2.1.1).
    index = np.clip(values - np.int64(scale.first), 0, last).astype(np.intp)
    return scale.table[index]
