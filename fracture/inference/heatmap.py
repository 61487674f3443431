"""A graph's coarse map -> a heat map over the fitted square, with each cell where it belongs.

InceptionV3 pads nothing in its stem and where it reduces, so that its maps do not reach to the image's edges: the
middle of mixed7's first cell lies at 21 px and its cells are 16 px apart, mixed10's begin at 37 px and are 32 px apart
(counted from the middle of the first pixel). A map that is stretched over the whole image would be off by up to
20 px.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fracture.inference.litert import Output

SIDE = 128
"""Cells along an axis of a heat map: four or more for each cell of the network's map."""

PEAK_SIDE = 256
"""Longer side in px of the maps in which peaks are found; they are interpolated from 3 to 17 cells."""


class Peak(NamedTuple):
    """Where a map is highest, in px of the map from its left and upper edge."""

    x: float
    y: float


class Cells(NamedTuple):
    """A row of cells: where the middle of the first lies, and how far they are apart, in px."""

    first: float
    apart: float


MIXED7 = Cells(21, 16)
MIXED10 = Cells(37, 32)


def on_square(cells: NDArray[np.float32], size: int, layout: Cells) -> NDArray[np.float32]:
    """A map (h, w) over an image of ``size`` px -> (SIDE, SIDE), by a cubic spline through the cells' middles.

    The peak of a spline may be between cells; that of a linear map is always in the middle of one. Beyond the outermost
    middles the map is constant.
    """
    if cells.min() == cells.max():
        return np.full((SIDE, SIDE), cells.flat[0], np.float32)
    pixels = (np.arange(SIDE) + 0.5) * size / SIDE - 0.5  # middles of the map's cells, in px of the image
    places = (pixels - layout.first) / layout.apart  # in cells
    rows = np.clip(places, 0, cells.shape[0] - 1)
    columns = np.clip(places, 0, cells.shape[1] - 1)
    at = np.meshgrid(rows, columns, indexing="ij")
    heat = ndimage.map_coordinates(cells.astype(np.float64), at, order=3, mode="nearest")
    return heat.astype(np.float32)


def heat_map(straight: Output, mirrored: Output | None, size: int) -> NDArray[np.float32]:
    """The heat map of an image, averaged with that of its mirror image if given: (SIDE, SIDE) over the fitted square.

    Of a network trained on boxes: the probability that each place is within a box, 0 to 1. Else the class-activation
    map, in units of the logit: above 0 is evidence for the positive label, below 0 against it.
    """
    mean = _square(straight, size)
    if mirrored is not None:
        mean = (mean + _square(mirrored, size)[:, ::-1]) / np.float32(2)
    if straight.places is None:
        return mean
    return (1 / (1 + np.exp(-mean))).astype(np.float32)


def map_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) in px of the map over an image of this size in which the peak is looked for."""
    scale = min(1.0, PEAK_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def peak(heat: NDArray[np.float32]) -> Peak | None:
    """Where a map (H, W) is highest, whatever its sign; None where it is flat, or has several peaks.

    The map covers an image, not the square that the network gets: a letterbox has bars beside the image. Of equal
    values side by side the peak is their middle: towards the edges of an image an interpolated map is flat.
    """
    low = float(heat.min())
    high = float(heat.max())
    if low == high:
        return None
    highest = heat >= high - 1e-6 * (high - low)
    if ndimage.label(highest, np.ones((3, 3)))[1] > 1:
        return None
    rows, columns = np.nonzero(highest)
    return Peak(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5)


def _square(output: Output, size: int) -> NDArray[np.float32]:
    if output.places is None:
        return on_square(output.cam, size, MIXED10)
    return on_square(output.places, size, MIXED7)
