"""Feature maps as pictures."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def map_picture(cells: NDArray[np.float32], side: int) -> Image.Image:
    """A map (h, w) as a gray picture, its longer side ``side`` px or a little less: black at 0, white at its maximum.

    Cells are not interpolated where each gets several px: their number is a part of what is to be seen.
    """
    highest = float(cells.max())
    shades = cells / highest * 255 if highest > 0 else np.zeros_like(cells)
    picture = Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8))
    longer = max(cells.shape)
    if longer > side:
        picture.thumbnail((side, side), Image.Resampling.BOX)
        return picture
    scale = side // longer
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
