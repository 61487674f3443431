"""What the pixels of one image tell: brightness, what stands out in it, and hashes by which its like are found.

Everything is measured on what :mod:`fracture.imaging.radiograph` makes of a file, which is what a network sees.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from imagehash import phash
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage

from fracture.imaging.radiograph import shrink

Pixels = NDArray[np.uint8]

SIDE = 512
"""Longer side in px of what is looked at; brightness alone is counted on all pixels."""

HASH_SIDE = 16
"""A hash has 16 x 16 bits. With ImageHash's usual 8 x 8, where it finds 99 % of FracAtlas's near-duplicates, more than
half of what it finds are different pictures (see :mod:`fracture.data.checks.duplicates`)."""

DARK, LIGHT = 64, 192
"""Gray levels below which air, and above which metal and thick bone, are usually found."""

STRIP = 190
"""From this gray level on, a pixel may belong to a light strip along the border."""

MARK = 210
"""From this gray level on, a pixel may belong to a mark."""


class Measures(NamedTuple):
    """What is measured of an image. Gray levels are 0 to 255, shares 0 to 1."""

    mean: float
    median: float
    spread: float
    """Standard deviation of the gray levels."""
    black: float
    """Share of pixels at 0."""
    white: float
    """Share of pixels at 255."""
    dark: float
    """Share of pixels below :data:`DARK`."""
    light: float
    """Share of pixels above :data:`LIGHT`."""
    border: float
    """Mean gray level of the outermost twentieth on each side."""
    inside: float
    """Mean gray level of the rest."""
    strip: float
    """How deep the deepest light strip along a border is, as a share of the side; see :func:`light_strip`."""
    marks: int
    """Small bright marks on dark, such as letters; see :func:`marks`."""
    phash: str
    """Perceptual hash, 64 hexadecimal digits."""
    phash_mirrored: str
    """The same of the mirror image."""


def measure_pixels(pixels: Pixels) -> Measures:
    """All measures of an image (H, W)."""
    small = shrink(pixels, SIDE)
    picture = Image.fromarray(small)
    return Measures(
        **_levels(pixels),
        **_border(small),
        strip=light_strip(small),
        marks=sum(1 for _ in marks(small)),
        phash=_hash(picture),
        phash_mirrored=_hash(ImageOps.mirror(picture)),
    )


def light_strip(pixels: Pixels) -> float:
    """How deep the deepest light strip along one of the four borders is, as a share of that side; 0 without one.

    Collimator blades that were not cut off, and the edges of a scanned film, are such strips: whole lines of pixels,
    nine tenths of them near white, that begin within the outermost hundredths and end abruptly. (Abdomens, heads and
    thighs at the border are as bright, but fade.)
    """
    return max(_depth(lines) for side in (pixels, pixels.T) for lines in (side, side[::-1]))


def marks(pixels: Pixels) -> Iterator[tuple[int, int, int, int]]:
    """Small, compact, near-white marks on a dark ground: left, top, width and height of each in px.

    These are letters of the side, burnt-in text and arrows, now and then a ring or an earring. A mark is a connected
    patch whose sides are 0.8 to 8 % of the longer side of the image, no thinner than 1 : 2.5, at least a quarter full,
    and which stands out by at least 130 gray levels from nine tenths of its surroundings.
    """
    height, width = pixels.shape
    longest = max(height, width)
    reach = max(3, round(0.012 * longest))
    patches, _ = ndimage.label(pixels >= MARK, np.ones((3, 3)))
    for number, (rows, columns) in enumerate(ndimage.find_objects(patches), 1):
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        small = 0.008 * longest <= min(tall, wide) and max(tall, wide) <= min(0.08 * longest, 2.5 * min(tall, wide))
        inside = min(rows.start, columns.start, height - rows.stop, width - columns.stop) >= 2
        near = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in (rows, columns))
        if small and inside and _stands_out(pixels[near], patches[near] == number, tall * wide, reach):
            yield columns.start, rows.start, wide, tall


def _stands_out(gray: Pixels, patch: NDArray[np.bool_], box: int, reach: int) -> bool:
    """Whether a patch fills its box of so many px, and is much brighter than a ring around it."""
    if patch.sum() < max(12, 0.25 * box):
        return False
    ring = ndimage.binary_dilation(patch, iterations=reach) & ~ndimage.binary_dilation(patch, iterations=2)
    around = np.percentile(gray[ring], 90)
    return bool(around <= 100 and gray[patch].mean() - around >= 130)


def _depth(lines: Pixels) -> float:
    """The depth of the light strip that the first lines (L, pixels) are, as a share of L."""
    edge = max(1, round(0.03 * len(lines)))
    light = (lines >= STRIP).mean(axis=1) >= 0.85
    first = int(light[: edge + 1].argmax())
    dark = np.flatnonzero(~light[first:])
    if not light[first] or not len(dark):
        return 0.0
    end = first + int(dark[0])
    ends_abruptly = lines[end : end + edge].mean(axis=1).min() <= 150
    return end / len(lines) if ends_abruptly else 0.0


def _levels(pixels: Pixels) -> dict[str, float]:
    """What the gray levels tell, wherever they lie."""
    levels, counts = np.arange(256), np.array(Image.fromarray(pixels).histogram())
    share = counts / counts.sum()
    mean = float(levels @ share)
    return {
        "mean": mean,
        "median": float(np.searchsorted(share.cumsum(), 0.5)),
        "spread": float(np.sqrt(np.square(levels - mean) @ share)),
        "black": float(share[0]),
        "white": float(share[255]),
        "dark": float(share[:DARK].sum()),
        "light": float(share[LIGHT + 1 :].sum()),
    }


def _border(pixels: Pixels) -> dict[str, float]:
    """Mean gray levels of the border and of what is inside; an image too small for an inside has one level for both."""
    edge = max(1, round(0.05 * min(pixels.shape)))
    inside = pixels[edge:-edge, edge:-edge]
    total, within = float(pixels.sum(dtype=np.int64)), float(inside.sum(dtype=np.int64))
    if not inside.size:
        return dict.fromkeys(("border", "inside"), total / pixels.size)
    return {"border": (total - within) / (pixels.size - inside.size), "inside": within / inside.size}


def _hash(picture: Image.Image) -> str:
    return np.packbits(phash(picture, hash_size=HASH_SIDE).hash).tobytes().hex()
