"""White margins, as a collimator leaves them on a film: what was not exposed is white, and some clinics cut it off.

A network that was trained with such margins, see :mod:`fracture.training.finetune.augmentation`, answers behind them as
well. So that it does not take them for something strange, some of its
training images are looked at with them and without.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.imaging.radiograph import frame
from fracture.inference.litert import Graph

EVERY = 3
"""One training image in so many is looked at between margins as well. With it a lower leg of another hospital, between
margins of a quarter of its width, is known (at 0.97 of the threshold; without, 1.15), and of pictures that are no
radiographs 99.1 % are refused instead of all. Measured on the model of FracAtlas that comes with the project."""

MARGIN = 0.25
"""The widest on each side, as a share of the whole."""

WHITE = (225, 255)
"""The gray levels of a margin, from and to."""


def collimate(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of an image (H, W) between margins at its sides, or above and below, or both."""
    kept = [slice(None), slice(None)]
    for axis in ((1,), (0,), (0, 1))[random.integers(3)]:
        low, high = np.rint(random.uniform(0, MARGIN, 2) * pixels.shape[axis]).astype(int)
        kept[axis] = slice(low, pixels.shape[axis] - high)
    between = np.full_like(pixels, random.integers(WHITE[0], WHITE[1] + 1))
    between[tuple(kept)] = pixels[tuple(kept)]
    return between


def look_between_margins(
    served: Graph,
    squares: NDArray[np.uint8],
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    how: str,
    *,
    on_done: Callable[[int], None],
) -> NDArray[np.float32]:
    """What the network sees in images between margins, by which they are compared: (len(rows), F).

    Args:
        served: the graph that is asked.
        squares: (N, S, S), all images, fitted.
        table: of all images, with ``width`` and ``height``.
        rows: the images that are asked about.
        how: how they were fitted, see :func:`fracture.imaging.radiograph.fit`.
        on_done: is told after each image how many are done.
    """
    random, looks = np.random.default_rng(0), np.empty((len(rows), served.compared), np.float32)
    sizes = table[["width", "height"]].to_numpy()[rows]
    for place, (row, (width, height)) in enumerate(zip(rows, sizes, strict=True)):
        square = squares[row].copy()
        framed = frame(width, height, served.size, how)
        image = square[framed.top : framed.top + framed.height, framed.left : framed.left + framed.width]
        image[:] = collimate(image, random)
        looks[place] = served(square).looks
        on_done(place + 1)
    return looks
