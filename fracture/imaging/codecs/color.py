"""How much of a picture is in color: radiographs are gray, but for a tint, a few marks, and what a photograph adds.

Measured when a file is decoded, because afterwards only gray levels are left.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MIDDLE = 0.6
"""Share of each side that is looked at, in the middle: a phone's photograph of a film shows the table around it."""

LIMIT = 12.0
"""In gray levels: a pixel nearer to gray, or to the picture's tint, has no color of its own. The noise of a phone's
sensor and of JPEG stays below it."""

_DENSE = 512
_SIDE = 128
"""In px: the middle is sampled at ``_DENSE`` by ``_DENSE`` places, and averaged to ``_SIDE`` against noise."""

_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue in a gray level (ITU-R BT.601)."""

Numbers = NDArray[np.float32]
Box = tuple[float, float, float, float]


def measure_color(image: Image.Image) -> float:
    """Share of the middle of a picture that is neither gray nor of the picture's tint, 0 to 1.

    The colors are the differences of opponents of Hasler and Süsstrunk, "Measuring colorfulness in natural images",
    Human Vision and Electronic Imaging VIII, SPIE 5007, 2003: red - green, and their mean - blue. The tint is their
    quadratic regression on the gray level, so that blue film, sepia and the color of a lamp count as none.
    """
    if image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I"):
        return 0.0
    middle = _middle(image)
    # Most radiographs in color files are gray, and done here.
    few = _rgb_at(image, middle, _SIDE)
    if not _is_far(_opponents(_flat(few))).any():
        return 0.0
    colors = _flat(_rgb_at(image, middle, _DENSE).reduce(_DENSE // _SIDE))
    opponents = _opponents(colors)
    far_from_gray = _is_far(opponents)
    far_from_tint = _is_far(opponents - _tint(colors @ _WEIGHTS, opponents))
    return float((far_from_gray & far_from_tint).mean())


def _middle(image: Image.Image) -> Box:
    """Left, top, right and bottom in px."""
    across = image.width * (1 - MIDDLE) / 2
    down = image.height * (1 - MIDDLE) / 2
    return across, down, image.width - across, image.height - down


def _rgb_at(image: Image.Image, box: Box, side: int) -> Image.Image:
    """``side`` by ``side`` pixels from a box, transparent ones over black.

    The places are chosen before anything is converted, so that the memory does not grow with the image.
    """
    chosen = image.resize((side, side), Image.Resampling.NEAREST, box=box)
    if chosen.has_transparency_data:
        black = Image.new("RGBA", chosen.size, (0, 0, 0, 255))
        chosen = Image.alpha_composite(black, chosen.convert("RGBA"))
    return chosen.convert("RGB")


def _flat(image: Image.Image) -> Numbers:
    """Red, green and blue, 0 to 255: (N, 3)."""
    return np.asarray(image, np.float32).reshape(-1, 3)


def _opponents(colors: Numbers) -> Numbers:
    """Red - green and yellow - blue: (N, 3) -> (N, 2)."""
    red, green, blue = colors.T
    return np.stack([red - green, (red + green) / 2 - blue], axis=1)


def _is_far(differences: Numbers) -> NDArray[np.bool_]:
    far: NDArray[np.bool_] = np.hypot(*differences.T) > LIMIT
    return far


def _tint(gray: Numbers, opponents: Numbers) -> Numbers:
    """The color that the picture has on average at each gray level: (N,) and (N, 2) -> (N, 2)."""
    level = gray / 255
    powers = np.stack([np.ones_like(level), level, level**2], axis=1)
    factors, *_ = np.linalg.lstsq(powers, opponents, rcond=None)
    tint: Numbers = powers @ factors
    return tint
