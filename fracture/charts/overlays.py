"""Overlays on a radiograph: heat maps, outlines of the truth, marks."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FOR = (255, 96, 0)
"""RGB of heat that speaks for the positive label."""

AGAINST = (0, 128, 255)
"""RGB of heat that speaks against it."""

TRUTH = (240, 228, 66)
"""RGB of an outline that the data set knows."""

EXCLUDED = (213, 94, 0)
"""RGB of the cross over an excluded image."""


class LabeledBox(NamedTuple):
    """A box to draw, in shares of the picture's width and height, with a short text."""

    box: tuple[float, float, float, float]
    """``x, y, width, height``, 0 to 1."""
    text: str
    dashed: bool


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


def boxed(picture: Image.Image, boxes: Sequence[LabeledBox]) -> Image.Image:
    """An image in color with a solid or dashed line around each box, and its text above, or below where it has no room.

    The lines lie around the boxes, and cover nothing of what they mark.
    """
    shown = picture.convert("RGB")
    draw = ImageDraw.Draw(shown)
    thick = max(2, max(shown.size) // 256)
    font = ImageFont.load_default(max(10, max(shown.size) // 40))
    for each in boxes:
        x, y, width, height = each.box
        left = round(x * shown.width) - thick
        top = round(y * shown.height) - thick
        right = round((x + width) * shown.width) + thick - 1
        bottom = round((y + height) * shown.height) + thick - 1
        corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
        if each.dashed:
            for dash in _dashes(corners, 4 * thick):
                draw.line(dash, fill=FOR, width=thick)
        else:
            draw.rectangle((left, top, right, bottom), outline=FOR, width=thick)
        _write(draw, each.text, (left, top, bottom), font, shown.size)
    return shown


def _dashes(corners: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[float, float, float, float]]:
    """Lines of this length in px from each corner on, with gaps as long between them."""
    for (x1, y1), (x2, y2) in itertools.pairwise(corners):
        side = abs(x2 - x1) + abs(y2 - y1)  # each side runs along one axis
        for start in range(0, side, 2 * length):
            begin = start / side
            end = min(side, start + length) / side
            yield x1 + begin * (x2 - x1), y1 + begin * (y2 - y1), x1 + end * (x2 - x1), y1 + end * (y2 - y1)


def _write(
    draw: ImageDraw.ImageDraw,
    text: str,
    place: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: tuple[int, int],
) -> None:
    """A text above a box with this left, top and bottom, on black, and within the picture."""
    left, top, bottom = place
    _, _, width, height = draw.textbbox((0, 0), text, font=font)
    x = max(0, min(left, size[0] - int(width)))
    y = top - int(height) - 2
    if y < 0:
        y = min(bottom + 2, size[1] - int(height))
    draw.rectangle((x, y, x + width, y + height), fill=(0, 0, 0))
    draw.text((x, y), text, fill=FOR, font=font)
