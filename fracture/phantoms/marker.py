"""The letter of the side, in lead."""

import numpy as np

from fracture.phantoms.anatomy.geometry import Array, Grid, rods

_STROKES = {  # on a square of 1, from the upper left
    "L": (((0, 0), (0, 1)), ((0, 1), (0.6, 1))),
    "R": (
        ((0, 0), (0, 1)),
        ((0, 0), (0.45, 0.02)),
        ((0.45, 0.02), (0.6, 0.25)),
        ((0.6, 0.25), (0.45, 0.5)),
        ((0.45, 0.5), (0, 0.52)),
        ((0.3, 0.52), (0.62, 1)),
    ),
}


def marker(grid: Grid, letter: str, corner: tuple[float, float], height: float, thickness: float) -> Array:
    """Path lengths in mm through the letter; its upper left corner and its height are in mm of the image plane."""
    reach = height * 0.075
    total = np.zeros((len(grid.v), len(grid.u)))
    for strokes in _STROKES[letter]:
        points = [(corner[0] + x * height, corner[1] + y * height) for x, y in strokes]
        np.maximum(total, rods(grid, points, [reach, reach], insets=(0,))[0], out=total)
    return np.minimum(total / (2 * reach), 0.5) * 2 * thickness
