"""The logit while a gray patch slides over an image: what the model loses where it can't see.

See Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.inference.heatmap import Cells

PLACES = 10
"""Of the patch, along each side of the image."""

PATCH_SHARE = 0.2
"""Side of the patch, as a share of the image's: neighbors overlap by half."""

IMAGES_PER_BATCH = 10
"""Images that are run between two reports of the progress."""

Run = Callable[[list[NDArray[np.uint8]]], list[float]]
"""Fitted images (S, S) -> their logits."""


class Sliding(NamedTuple):
    """How far the patch has come."""

    done: int
    total: int
    logits: NDArray[np.float32]
    """(PLACES, PLACES), with the patch around each place; NaN where it has not been yet."""


def layout(size: int) -> Cells:
    """Where the middles of the patch lie over an image of ``size`` px, for the map of its places."""
    side = _side(size)
    return Cells((side - 1) / 2, (size - side) / (PLACES - 1))


def slide(pixels: NDArray[np.uint8], run: Run) -> Iterator[Sliding]:
    """Cover each part of a fitted image (S, S) with its mean gray, and run it; a report after each batch.

    Patches that cover a part of one color change nothing there, such as the bars of a letterbox, but take their turn.
    """
    logits = np.full((PLACES, PLACES), np.nan, np.float32)
    places = list(np.ndindex(PLACES, PLACES))
    gray = round(float(pixels.mean()))
    for start in range(0, len(places), IMAGES_PER_BATCH):
        batch = places[start : start + IMAGES_PER_BATCH]
        found = run([_covered(pixels, row, column, gray) for row, column in batch])
        for place, logit in zip(batch, found, strict=True):
            logits[place] = logit
        yield Sliding(start + len(batch), len(places), logits.copy())


def _covered(pixels: NDArray[np.uint8], row: int, column: int, gray: int) -> NDArray[np.uint8]:
    """A copy with the patch at one of its places."""
    size = len(pixels)
    side = _side(size)
    step = (size - side) / (PLACES - 1)
    top = round(row * step)
    left = round(column * step)
    covered = pixels.copy()
    covered[top : top + side, left : left + side] = gray
    return covered


def _side(size: int) -> int:
    return round(size * PATCH_SHARE)
