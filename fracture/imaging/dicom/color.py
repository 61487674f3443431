"""Color of a DICOM image -> gray, by the luminosity that Pillow computes (ITU-R BT.601).

8-bit colors are those of the file. Deeper ones have the range of their bits (PS3.3 2024, C.7.6.3.1.2), unless the image
spans little of it: it would be black.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.processing import convert_color_space

from fracture.imaging.dicom.stored import alignment
from fracture.imaging.dicom.window import GrayScale, misfit, value_scale
from fracture.imaging.gray_scale import count_values, map_strips, split_strips, to_8_bit

STEP = "color to gray"
"""What is said of all colors."""

MAX_BITS = 16
"""The upper ones of deeper colors are used."""

_WEIGHTS = (0.299, 0.587, 0.114)


def color_to_gray(
    dataset: pydicom.Dataset, stored: NDArray[Any], color_space: str
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """(H, W, 3) in RGB or YBR of any depth -> (H, W), and what was done. Raises ValueError for signed colors."""
    if color_space == "YBR_PARTIAL_422":  # C.7.6.3.1.2: black is 16, white 235
        return map_strips(lambda strip: to_8_bit(strip[:, 0], 16, 235), stored), (STEP,)
    if stored.dtype == np.uint8:
        return map_strips(lambda strip: _luminosity(strip, color_space), stored), (STEP,)
    return _deep_to_gray(dataset, stored, color_space)


def luma(colors: NDArray[Any]) -> NDArray[np.float32]:
    """The luminosity of red, green and blue: (N, 3) -> (N,)."""
    # float32 holds every 16-bit value exactly.
    gray = np.zeros(len(colors), np.float32)
    for channel, weight in enumerate(_WEIGHTS):
        gray += colors[:, channel] * np.float32(weight)
    return gray


def _deep_to_gray(
    dataset: pydicom.Dataset, stored: NDArray[Any], color_space: str
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    if stored.dtype.kind != "u":
        raise ValueError("colors have no sign")
    align, steps = alignment(dataset, stored)
    bits = int(dataset.BitsStored)
    to_luma = _deep_luma(align, color_space, bits)
    levels = count_values(to_luma(strip) for strip in split_strips(stored))
    highest = 2 ** min(bits, MAX_BITS) - 1
    why = misfit(levels, 0, highest)
    scale = GrayScale(0, highest, (f"{bits} bit to 8 bit",))
    if why:
        scale = value_scale(levels, bits)
        steps = (*steps, f"range of {bits} bits set aside: {why}")
    gray = map_strips(lambda strip: to_8_bit(to_luma(strip), scale.low, scale.high), stored)
    return gray, (*steps, STEP, *scale.steps)


def _deep_luma(
    align: Callable[[NDArray[Any]], NDArray[Any]], color_space: str, bits: int
) -> Callable[[NDArray[Any]], NDArray[np.uint16]]:
    """Stored colors (N, 3) to their luminosity in at most :data:`MAX_BITS`, (N,)."""
    divisor = np.float32(2 ** max(0, bits - MAX_BITS))

    def to_luma(strip: NDArray[Any]) -> NDArray[np.uint16]:
        values = align(strip)
        # The first of YBR is the luminosity.
        gray = luma(values) if color_space == "RGB" else values[:, 0].astype(np.float32)
        reduced: NDArray[np.uint16] = np.rint(gray / divisor).clip(0, 2**MAX_BITS - 1).astype(np.uint16)
        return reduced

    return to_luma


def _luminosity(strip: NDArray[np.uint8], color_space: str) -> NDArray[np.uint8]:
    """(N, 3) -> (N,); (N,) stays."""
    if strip.ndim == 1:
        return strip
    row = strip[None]  # (1, N, 3)
    colors = row if color_space == "RGB" else convert_color_space(row, color_space, "RGB")
    gray: NDArray[np.uint8] = np.asarray(Image.fromarray(np.ascontiguousarray(colors)).convert("L"))[0]
    return gray
