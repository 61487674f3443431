"""White margins around training images, as a collimator leaves them on a film: what was not exposed is white.

Some clinics cut them off and some do not. A network that is trained with such margins, see
:mod:`fracture.training.finetune.augmentation`, gives good answers for images that have them. So that the
out-of-distribution detector does not refuse these, some training images are embedded with and without margins.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.imaging.radiograph import frame
from fracture.inference.litert import Graph

COLLIMATE_EVERY = 3
"""One training image in so many is embedded between margins as well. With it a lower leg of another hospital, between
margins of a quarter of its width, is in distribution (at 0.97 of the threshold; without, 1.15), and of pictures that
are no radiographs 99.1 % are refused instead of all. Measured on the bundled model, of FracAtlas."""

MAX_MARGIN = 0.25
"""The widest margin on each side, as a share of the whole."""

MARGIN_GRAY = (225, 255)
"""The gray levels of a margin, from and to."""


def collimate(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of an image (H, W) between margins at its sides, or above and below, or both."""
    kept = [slice(None), slice(None)]
    axes = ((1,), (0,), (0, 1))[random.integers(3)]
    for axis in axes:
        side = pixels.shape[axis]
        low, high = np.rint(random.uniform(0, MAX_MARGIN, 2) * side).astype(int)
        kept[axis] = slice(low, side - high)
    darkest, brightest = MARGIN_GRAY
    collimated = np.full_like(pixels, random.integers(darkest, brightest + 1))
    collimated[tuple(kept)] = pixels[tuple(kept)]
    return collimated


def embed_collimated(
    served: Graph,
    squares: NDArray[np.uint8],
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    how: str,
    *,
    on_progress: Callable[[int], None],
) -> NDArray[np.float32]:
    """Embeddings of images between margins: (len(rows), F).

    Args:
        served: the graph to run.
        squares: (N, S, S), all images, fitted.
        table: of all images, with ``width`` and ``height``.
        rows: the images to embed.
        how: how they were fitted, see :func:`fracture.imaging.radiograph.fit`.
        on_progress: receives after each image how many are done.
    """
    random = np.random.default_rng(0)
    embedding = np.empty((len(rows), served.embedding_size), np.float32)
    sizes = table[["width", "height"]].to_numpy()[rows]
    for place, (row, (width, height)) in enumerate(zip(rows, sizes, strict=True)):
        square = squares[row].copy()
        # Margins belong to the image: the black bars of a letterbox stay.
        framed = frame(width, height, served.size, how)
        bottom = framed.top + framed.height
        right = framed.left + framed.width
        image = square[framed.top : bottom, framed.left : right]
        image[:] = collimate(image, random)
        embedding[place] = served(square).embedding
        on_progress(place + 1)
    return embedding
