"""Annotations of an image as text in a table: bounding boxes, and masks as run lengths.

A box is ``x y w h`` in px, its upper left corner first, with ``;`` between boxes. A mask is ``start length start
length ...``: runs of pixels in row order, the first pixel of the image being 0. Nothing at all is the empty text.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError

Box = tuple[float, float, float, float]
"""``x, y, w, h`` in px: from x up to, not including, x + w across, and likewise down. Column 0 covers 0 to 1."""


def parse_boxes(text: str) -> list[Box]:
    """The boxes that a text such as ``10 20 30 40;5 6 7 8`` names; none for an empty one.

    Raises DatasetError for any other text. That a box lies within its image is not looked at.
    """
    return [_box(part, text) for part in text.split(";") if part.strip()]


def boxes_text(boxes: Sequence[Box]) -> str:
    """The text that :func:`parse_boxes` reads."""
    return ";".join(f"{x:.10g} {y:.10g} {w:.10g} {h:.10g}" for x, y, w, h in boxes)


def scale_boxes(boxes: Sequence[Box], across: float, down: float) -> list[Box]:
    """The boxes on the same image at another size: ``across`` and ``down`` are its px for each px of the boxes."""
    return [(x * across, y * down, w * across, h * down) for x, y, w, h in boxes]


def encode_mask(mask: NDArray[np.bool_]) -> str:
    """A mask (H, W) as run lengths."""
    # A frame of False, so that runs at the first and the last pixel have both edges.
    edges = np.flatnonzero(np.diff(mask.ravel(), prepend=False, append=False))
    edges[1::2] -= edges[::2]  # where a run ends -> how long it is
    return " ".join(map(str, edges.tolist()))


def decode_mask(text: str, width: int, height: int) -> NDArray[np.bool_]:
    """Run lengths as a mask (height, width).

    Raises DatasetError where they are no run lengths, or do not fit an image of this size.
    """
    gaps = run_gaps(text, width, height)
    return np.repeat(np.arange(len(gaps)) % 2 == 1, gaps).reshape(height, width)


def run_gaps(text: str, width: int, height: int) -> NDArray[np.int64]:
    """How many pixels lie outside, inside, outside, ... by turns, in row order.

    Raises DatasetError as :func:`decode_mask` does, which it spares where the mask itself is not needed.
    """
    size = width * height
    words = text.split()
    try:
        edges = np.array(words).astype(np.int64) if words else np.empty(0, np.int64)
        edges = np.clip(edges, -1, size + 1)  # so that no sum overflows
        edges[1::2] += edges[::2]  # how long a run is -> where it ends
        gaps = np.diff(edges, prepend=0, append=size)
    except (ValueError, OverflowError):
        gaps = np.array([-1])  # refused below
    if len(words) % 2 or (gaps < 0).any():
        raise DatasetError(
            f"A mask must be whole numbers, start and length of each run in rising order within {width} x {height} px. "
            f"Received: {_short(text)}"
        )
    return gaps


def bounding_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The smallest box around a mask (H, W); None around nothing."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x = int(columns[0])
    y = int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def boxes_to_mask(boxes: Sequence[Box], width: int, height: int) -> NDArray[np.bool_]:
    """The pixels (height, width) whose center lies in any of the boxes; what sticks out of the image is cut off."""
    across = np.arange(width) + 0.5
    down = np.arange(height) + 0.5
    mask = np.zeros((height, width), np.bool_)
    for x, y, w, h in boxes:
        rows = (y <= down) & (down < y + h)
        columns = (x <= across) & (across < x + w)
        mask |= rows[:, None] & columns
    return mask


def _box(part: str, text: str) -> Box:
    try:
        x, y, w, h = map(float, part.split())
    except ValueError:
        x = y = w = h = math.nan  # refused below
    if not (math.isfinite(x + y) and 0 <= w < math.inf and 0 <= h < math.inf):
        raise DatasetError(f"A box must be four numbers of pixels, x y w h. Received: {_short(text)}")
    return x, y, w, h


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
