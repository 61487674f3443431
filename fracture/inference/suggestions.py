"""Changes that a picture with something unusual about it suggests: inversion, and a crop to one of two views."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.imaging.film import SIDE_PX, FilmMeasures, measure_film, seams
from fracture.imaging.gray_scale import is_blank
from fracture.imaging.radiograph import shrink
from fracture.imaging.viewing.changes import MIN_CROP_PX, Crop, PictureChanges
from fracture.inference.unusual import INVERTED_EDGE, LONGEST_ASPECT, STRONGEST_SEAM

WIDEST_GUTTER = 0.1
"""Share of the width: the bar between two views is no wider."""

MIDDLE = 0.4
"""Share of the length, from which on and up to which from the other end two views without a seam are parted."""


LEVEL_TOLERANCE = 1.0
"""Gray levels: of columns whose contrast differs by less, that nearest to the middle parts two views."""


class Suggestion(NamedTuple):
    """A change, and the button that makes it."""

    key: str
    label: str
    changes: PictureChanges


def suggest(pixels: NDArray[np.uint8], size: tuple[int, int], made: PictureChanges) -> list[Suggestion]:
    """The changes that an image (H, W) suggests, each with the ones that are ``made`` already.

    ``size``: its (width, height) in px before it was made small enough to be shown. No crop is suggested for an image
    that is cropped or turned, and none to a part with nothing to see, which no model answers for.
    """
    measured = measure_film(pixels)
    found = []
    if measured.edge > INVERTED_EDGE:
        found.append(Suggestion("invert", "Invert picture", replace(made, invert=not made.invert)))
    if made.crop is None and made.quarter_turns == 0:
        for side, crop in find_views(pixels, size, measured):
            if not is_blank(_part(pixels, size, crop)):
                found.append(Suggestion(f"crop {side}", f"Crop to {side} view", replace(made, crop=crop)))
    return found


def _part(pixels: NDArray[np.uint8], size: tuple[int, int], crop: Crop) -> NDArray[np.uint8]:
    """What a crop leaves of an image (H, W) that was of ``size`` before it was shrunk; at least one pixel."""
    x, y, width, height = crop
    across = pixels.shape[1] / size[0]
    down = pixels.shape[0] / size[1]
    rows = slice(floor(y * down), ceil((y + height) * down))
    columns = slice(floor(x * across), ceil((x + width) * across))
    return np.ascontiguousarray(pixels[rows, columns])


def find_views(pixels: NDArray[np.uint8], size: tuple[int, int], measured: FilmMeasures) -> list[tuple[str, Crop]]:
    """Where each of two views lies that one picture shows, by its side; empty where it does not look like two.

    They are parted at the seam, or in a long picture without one where its middle shows least.
    """
    small = shrink(pixels, SIDE_PX).astype(np.float64)
    is_wide = size[0] >= size[1]
    if measured.seam > STRONGEST_SEAM:
        is_wide = seams(small).max(initial=0.0) >= seams(small.T).max(initial=0.0)
        ends: Sequence[float] = _seam_ends(small if is_wide else small.T)
    elif measured.aspect > LONGEST_ASPECT:
        ends = _quiet_place(small if is_wide else small.T)
    else:
        return []
    width, height = size
    length = width if is_wide else height
    first = floor(ends[0] * length)
    second = ceil(ends[1] * length)
    if min(first, length - second, width, height) < MIN_CROP_PX:
        return []
    if is_wide:
        return [("left", (0, 0, first, height)), ("right", (second, 0, width - second, height))]
    return [("upper", (0, 0, width, first)), ("lower", (0, second, width, height - second))]


def _seam_ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """Where the left view ends and the right one begins, as shares of the width: a bar may lie between them."""
    columns = values.shape[1]
    jumps = seams(values)
    strongest = int(jumps.argmax())
    strong = np.flatnonzero(jumps > jumps.max() / 2)
    near = strong[np.abs(strong - strongest) <= WIDEST_GUTTER * columns]
    begin = columns // 4  # seams() looks at the middle half
    return (begin + near[0] + 1) / columns, (begin + near[-1] + 1) / columns


def _quiet_place(values: NDArray[np.float64]) -> Sequence[float]:
    """The column with the least contrast around the middle, as a share of the width, twice."""
    columns = values.shape[1]
    begin = int(MIDDLE * columns)
    contrast = values[:, begin : columns - begin].std(axis=0)
    quiet = begin + np.flatnonzero(contrast <= contrast.min() + LEVEL_TOLERANCE) + 0.5
    share = float(quiet[np.abs(quiet - columns / 2).argmin()] / columns)
    return share, share
