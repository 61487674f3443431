"""Fits the boxes of candidate regions to the true boxes of training images, by least squares.

A network has seen its training images: their place maps are sharper than those of others. The figures of the boxes are
therefore measured on validation images alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.imaging.annotations import Box
from fracture.imaging.radiograph import Frame
from fracture.inference.heatmap import MIXED7
from fracture.inference.regions.candidates import find_peaks, offset_terms, size_terms
from fracture.registry.card import BoxFit

CLIP = 6.0
"""Logits are bounded by it: beyond, their differences say little about where a box ends."""

MIN_BOXES = 20
"""The fewest true boxes with a peak from which the seven coefficients are fitted."""

MAX_DISTANCE = MIXED7.apart / 2
"""How far in px from a true box a peak may be and still be counted as its own: half a cell."""

Floats = NDArray[np.float64]


class Mapped(NamedTuple):
    """An image: its place map, where it lies on its square, and its true boxes."""

    places: Floats
    """(h, w), of :func:`fracture.inference.regions.candidates.mean_places`."""
    framed: Frame
    boxes: Sequence[Box]
    """In shares of the image's width and height, 0 to 1."""


def fit_boxes(images: Sequence[Mapped], clip: float = CLIP) -> BoxFit | None:
    """The coefficients of the boxes; None where fewer than :data:`MIN_BOXES` true boxes have a peak."""
    pairs = [pair for image in images for pair in _pairs(image)]
    if len(pairs) < MIN_BOXES:
        return None
    patches = np.array([patch for patch, _ in pairs])  # (B, 3, 3)
    wanted = np.array([target for _, target in pairs])  # (B, 4)
    return BoxFit(
        clip=clip,
        offset=_least_squares(offset_terms(patches, clip), wanted[:, :2]),
        size=_least_squares(size_terms(patches, clip), wanted[:, 2:]),
        boxes=len(pairs),
    )


def _least_squares(terms: Floats, wanted: Floats) -> list[float]:
    """Terms (B, 2, T) and what they should give (B, 2) -> T coefficients, the same for both axes."""
    coefficients = np.linalg.lstsq(terms.reshape(-1, terms.shape[2]), wanted.ravel(), rcond=None)[0]
    result: list[float] = coefficients.tolist()
    return result


def _pairs(image: Mapped) -> Iterator[tuple[Floats, Floats]]:
    """For each true box with a peak: the logits around the likeliest one, and what the coefficients should give.

    That is the middle of the box from the middle of the cell, and the logarithm of its sides, all in cells.
    """
    framed = image.framed
    peaks = find_peaks(image.places, framed)
    cells = np.stack([peaks.columns, peaks.rows], axis=1)
    middles = MIXED7.first + 0.5 + MIXED7.apart * cells  # (P, 2) in px
    scale = np.array([framed.width, framed.height])
    for box in image.boxes:
        side = np.array(box[2:]) * scale
        middle = np.array(box[:2]) * scale + side / 2 + (framed.left, framed.top)
        near = (np.abs(middles - middle) < side / 2 + MAX_DISTANCE).all(axis=1)
        if near.any() and (side > 0).all():
            likeliest = int(np.argmax(near))  # peaks are sorted
            offset = (middle - middles[likeliest]) / MIXED7.apart
            yield peaks.patches[likeliest], np.concatenate([offset, np.log(side / MIXED7.apart)])
