"""Candidate regions: boxes with a probability, from the place map of a network that was trained on boxes.

A candidate is a cell that is likelier than its eight neighbors. Its box is a linear function of the 3 x 3 logits around
it: the difference between opposite neighbors moves the box towards the likelier side, and their sum tells how far the
finding reaches. Both axes share the coefficients, so that a mirrored or turned image gets mirrored or turned boxes.
:mod:`fracture.evaluation.box_fit` fits the coefficients on training images.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from fracture.imaging.annotations import Box
from fracture.imaging.radiograph import Frame
from fracture.inference.heatmap import MIXED7
from fracture.inference.litert import Output
from fracture.registry.card import BoxFit

MAX_REGIONS = 10
"""The most candidates of an image, the likeliest ones."""

MAX_OVERLAP = 0.3
"""The intersection over union from which on the less likely of two candidates is dropped."""

MIN_SIDE = 0.5
"""The shortest side of a box in cells, as of a box half as long as a cell is wide."""

UNCALIBRATED = (1.0, 0.0)
"""Slope and intercept that leave logits as they are."""

_OUTSIDE = -20.0
"""The logit around the map: a cell at its edge has no likelier neighbor there."""

Floats = NDArray[np.float64]


class Region(NamedTuple):
    """A box in which a finding may be. Its coordinates are shares of the image's width and height, 0 to 1."""

    box: Box
    probability: float
    """That its center lies in the box of a finding, 0 to 1; before calibration, that its likeliest cell does."""


class Peaks(NamedTuple):
    """The cells of a map that are likelier than their neighbors, the likeliest first."""

    rows: NDArray[np.int64]  # (P,)
    columns: NDArray[np.int64]  # (P,)
    patches: Floats
    """(P, 3, 3): the logits around each."""


def mean_places(straight: Output, mirrored: Output | None, size: int) -> Floats:
    """The mean of the place maps (h, w) of an image of ``size`` px and, if given, of its mirror image, in logits.

    The mirrored map is turned back. Where the cells are not centered in the image, it is interpolated at the first
    map's cells. Raises ValueError where the network was not trained on boxes.
    """
    if straight.places is None:
        raise ValueError("The network has no place maps: it was not trained on boxes.")
    if mirrored is None:
        return straight.places.astype(np.float64)
    if mirrored.places is None:
        raise ValueError("The network has no place maps: it was not trained on boxes.")
    rows = np.arange(straight.places.shape[0])
    columns = np.arange(straight.places.shape[1])
    middles = MIXED7.first + MIXED7.apart * columns  # in px of the image
    mirrored_columns = (size - 1 - middles - MIXED7.first) / MIXED7.apart
    at = np.meshgrid(rows, mirrored_columns, indexing="ij")
    back = ndimage.map_coordinates(mirrored.places.astype(np.float64), at, order=1, mode="nearest")
    mean: Floats = (straight.places + back) / 2
    return mean


def find_peaks(places: Floats, framed: Frame) -> Peaks:
    """The at most :data:`MAX_REGIONS` likeliest peaks of a place map (h, w) over the image, not over its bars."""
    around = np.pad(places, 1, constant_values=_OUTSIDE)
    highest = ndimage.maximum_filter(around, 3)[1:-1, 1:-1]
    rows, columns = np.nonzero(places == highest)
    x = MIXED7.first + 0.5 + MIXED7.apart * columns
    y = MIXED7.first + 0.5 + MIXED7.apart * rows
    # A cell in the bar whose edge touches the image may be the likeliest one of a finding at the image's edge.
    margin = MIXED7.apart / 2
    inside = (x >= framed.left - margin) & (x < framed.left + framed.width + margin)
    inside &= (y >= framed.top - margin) & (y < framed.top + framed.height + margin)
    rows, columns = rows[inside], columns[inside]
    order = np.argsort(-places[rows, columns], kind="stable")[:MAX_REGIONS]
    rows, columns = rows[order], columns[order]
    patches = np.lib.stride_tricks.sliding_window_view(around, (3, 3))[rows, columns]
    return Peaks(rows, columns, patches.astype(np.float64))


def offset_terms(patches: Floats, clip: float) -> Floats:
    """Patches (P, 3, 3) -> (P, 2, 2): across and down, what the box's middle is a linear function of.

    The difference between the two neighbors along the axis, and that between the corners of the two sides.
    """
    bounded = np.clip(patches, -clip, clip)
    return np.stack([_offset_terms(bounded), _offset_terms(bounded.transpose(0, 2, 1))], axis=1)


def size_terms(patches: Floats, clip: float) -> Floats:
    """Patches (P, 3, 3) -> (P, 2, 5): across and down, what the logarithm of the box's side is a linear function of.

    One, the peak, and the sums of its two neighbors along the axis, of the two across it, and of the corners.
    """
    bounded = np.clip(patches, -clip, clip)
    return np.stack([_size_terms(bounded), _size_terms(bounded.transpose(0, 2, 1))], axis=1)


def predict_boxes(peaks: Peaks, fit: BoxFit) -> Floats:
    """The boxes of peaks on the fitted square: (P, 4), x, y, width, height in px."""
    offset = offset_terms(peaks.patches, fit.clip) @ np.array(fit.offset)  # (P, 2), in cells
    log_side = size_terms(peaks.patches, fit.clip) @ np.array(fit.size)  # (P, 2), in cells
    side = MIXED7.apart * np.maximum(np.exp(log_side), MIN_SIDE)
    cells = np.stack([peaks.columns, peaks.rows], axis=1) + offset
    middle = MIXED7.first + 0.5 + MIXED7.apart * cells
    return np.concatenate([middle - side / 2, side], axis=1)


def find_regions(
    places: Floats, framed: Frame, fit: BoxFit, calibration: tuple[float, float] = UNCALIBRATED
) -> tuple[Region, ...]:
    """The candidate regions of an image, the likeliest first; of those that overlap, the likeliest alone.

    Args:
        places: of :func:`mean_places`.
        framed: where the image lies on its fitted square; boxes are cut off at the image's edges.
        fit: the coefficients of the boxes.
        calibration: slope and intercept that the peak's logit gets (Platt scaling).
    """
    slope, intercept = calibration
    peaks = find_peaks(places, framed)
    boxes = predict_boxes(peaks, fit)
    probabilities = expit(slope * peaks.patches[:, 1, 1] + intercept)
    regions: list[Region] = []
    for square_box, probability in zip(boxes, probabilities, strict=True):
        box = on_image(square_box, framed)
        apart = all(overlap(box, other.box) < MAX_OVERLAP for other in regions)
        if box[2] > 0 and box[3] > 0 and apart:
            regions.append(Region(box, float(probability)))
    return tuple(regions)


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """The intersection over union of two boxes ``x, y, width, height``; 0 where both are empty."""
    across = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    down = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    common = max(0.0, across) * max(0.0, down)
    union = first[2] * first[3] + second[2] * second[3] - common
    return common / union if union > 0 else 0.0


def center_inside(box: Sequence[float], outer: Sequence[float]) -> bool:
    """Whether the center of a box lies in another one, both ``x, y, width, height``."""
    x = box[0] + box[2] / 2
    y = box[1] + box[3] / 2
    return outer[0] <= x < outer[0] + outer[2] and outer[1] <= y < outer[1] + outer[3]


def _offset_terms(patches: Floats) -> Floats:
    """(P, 3, 3) -> (P, 2), across."""
    sides = patches[:, 1, 2] - patches[:, 1, 0]
    corners = patches[:, ::2, 2].sum(axis=1) - patches[:, ::2, 0].sum(axis=1)
    return np.stack([sides, corners], axis=1)


def _size_terms(patches: Floats) -> Floats:
    """(P, 3, 3) -> (P, 5), across."""
    along = patches[:, 1, 0] + patches[:, 1, 2]
    across = patches[:, 0, 1] + patches[:, 2, 1]
    corners = patches[:, ::2, ::2].sum(axis=(1, 2))
    return np.stack([np.ones(len(patches)), patches[:, 1, 1], along, across, corners], axis=1)


def on_image(square_box: Floats, framed: Frame) -> Box:
    """A box ``x, y, width, height`` in px of the square -> in shares of the image, cut off at its edges."""
    x, y, width, height = map(float, square_box)
    left = float(np.clip((x - framed.left) / framed.width, 0, 1))
    right = float(np.clip((x + width - framed.left) / framed.width, 0, 1))
    top = float(np.clip((y - framed.top) / framed.height, 0, 1))
    bottom = float(np.clip((y + height - framed.top) / framed.height, 0, 1))
    return left, top, right - left, bottom - top
