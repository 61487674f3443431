"""Overlays on a radiograph: heat maps, outlines of the truth, marks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FOR = (255, 96, 0)
"""RGB of heat that speaks for the positive label."""

AGAINST = (0, 128, 255)
"""RGB of heat that speaks against it."""

TRUTH = (240, 228, 66)
"""RGB of an outline that the data set knows."""

EXCLUDED = (213, 94, 0)
"""RGB of the cross over an excluded image."""


def heat_overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32], opacity: float, scale: float) -> Image.Image:
    """An image (H, W) with its heat map over it, in color. The map covers the image and may be coarser: (h, w).

    Orange speaks for the positive label, blue against it; where the map is near zero the image shows through
    unchanged. ``scale`` is the heat that gets the full ``opacity``, 0 to 1.
    """
    picture = Image.fromarray(pixels).convert("RGB")
    share = np.zeros_like(heat)
    if scale > 0:
        share = np.clip(np.abs(heat) / scale, 0, 1)
    alpha = (share * (255 * opacity)).astype(np.uint8)
    mask = Image.fromarray(alpha).resize(picture.size, Image.Resampling.BILINEAR)
    color = np.where(heat[..., None] > 0, FOR, AGAINST).astype(np.uint8)
    # Not interpolated: a color between the two would mean nothing.
    colors = Image.fromarray(color).resize(picture.size, Image.Resampling.NEAREST)
    return Image.composite(colors, picture, mask)


def outlined(
    picture: Image.Image | NDArray[np.uint8], boxes: Sequence[tuple[float, float, float, float]], scale: float = 1.0
) -> Image.Image:
    """An image in color with a line around each box (x, y, w, h); ``scale`` is its px per px of the boxes."""
    shown = (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).convert("RGB")
    thick = max(2, shown.width // 256)
    for x, y, w, h in boxes:
        # The line lies around the box, and covers nothing of what it marks. Pillow draws the last row and column, too.
        upper_left = (x * scale - thick, y * scale - thick)
        lower_right = ((x + w) * scale + thick - 1, (y + h) * scale + thick - 1)
        ImageDraw.Draw(shown).rectangle((upper_left, lower_right), outline=TRUTH, width=thick)
    return shown


def crossed_out(picture: Image.Image) -> Image.Image:
    """An excluded image in color: dimmed to a third, with a line from each corner to the opposite one."""
    shown = Image.blend(picture.convert("RGB"), Image.new("RGB", picture.size, (128, 128, 128)), 2 / 3)
    right = shown.width - 1
    bottom = shown.height - 1
    thick = max(3, max(shown.size) // 64)
    draw = ImageDraw.Draw(shown)
    for line in ((0, 0, right, bottom), (0, bottom, right, 0)):
        draw.line(line, fill=EXCLUDED, width=thick)
    return shown


def ringed(picture: Image.Image, across: float, down: float) -> Image.Image:
    """An image in color with a ring around a place in it, both coordinates as shares of its sides, 0 to 1."""
    shown = picture.convert("RGB")
    radius = max(picture.size) / 24
    thick = max(2, max(shown.size) // 256)
    x = across * shown.width
    y = down * shown.height
    ImageDraw.Draw(shown).ellipse((x - radius, y - radius, x + radius, y + radius), outline=FOR, width=thick)
    return shown
