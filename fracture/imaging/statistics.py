"""Statistics of one image: gray levels, light strips along the border, bright marks, and perceptual hashes.

All are computed from the pixels that :mod:`fracture.imaging.radiograph` decodes, which are those that a network gets.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypedDict

import numpy as np
from imagehash import phash
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage

from fracture.imaging.film import measure_film
from fracture.imaging.gray_scale import contrast
from fracture.imaging.radiograph import shrink

Pixels = NDArray[np.uint8]

REDUCED_SIDE = 512
"""Longer side in px to which an image is reduced first; gray levels alone are counted on all pixels."""

HASH_SIDE = 16
"""A hash has 16 x 16 bits. With ImageHash's usual 8 x 8, where it finds 99 % of FracAtlas's near-duplicates, more than
half of what it finds are different pictures (see :mod:`fracture.data.checks.duplicates`)."""

DARK_LEVEL = 64
"""Air is usually below this gray level."""

LIGHT_LEVEL = 192
"""Metal and thick bone are usually above this gray level."""

STRIP_LEVEL = 190
"""From this gray level on, a pixel may belong to a light strip along the border."""

MARK_LEVEL = 210
"""From this gray level on, a pixel may belong to a mark."""


class Measures(NamedTuple):
    """What is measured of an image. Gray levels are 0 to 255, shares 0 to 1."""

    mean: float
    median: float
    spread: float
    """Standard deviation of the gray levels."""
    visible: float
    """Share of pixels that differ from the median, see :func:`fracture.imaging.gray_scale.contrast`."""
    black: float
    """Share of pixels at 0."""
    white: float
    """Share of pixels at 255."""
    dark: float
    """Share of pixels below :data:`DARK_LEVEL`."""
    light: float
    """Share of pixels above :data:`LIGHT_LEVEL`."""
    border: float
    """Mean gray level of the outermost twentieth on each side."""
    inside: float
    """Mean gray level of the rest."""
    strip: float
    """How deep the deepest light strip along a border is, as a share of the side; see :func:`light_strip`."""
    marks: int
    """Small bright marks on dark, such as letters; see :func:`marks`."""
    low: float
    """The 5th percentile of the gray levels."""
    high: float
    """The 99th percentile of the gray levels."""
    sharpness: float
    """Variance of the Laplacian, the usual measure of focus (Pech-Pacheco et al., ICPR 2000)."""
    margin: float
    """Share of the area in uniform margins, black or white; see :mod:`fracture.imaging.film`."""
    margin_level: float
    """Gray level of the margins; 0 without."""
    seam: float
    """The largest jump between neighboring rows or columns, as between two views in one picture."""
    phash: str
    """Perceptual hash, 64 hexadecimal digits."""
    phash_mirrored: str
    """The same of the mirror image."""


def measure_pixels(pixels: Pixels) -> Measures:
    """All measures of an image (H, W)."""
    small = shrink(pixels, REDUCED_SIDE)
    image = Image.fromarray(small)
    film = measure_film(small)
    return Measures(
        **_gray_levels(pixels),
        **_border_levels(small),
        strip=light_strip(small),
        marks=sum(1 for _ in marks(small)),
        sharpness=float(ndimage.laplace(small.astype(np.float32)).var()),
        margin=film.border,
        margin_level=film.border_level,
        seam=film.seam,
        phash=_perceptual_hash(image),
        phash_mirrored=_perceptual_hash(ImageOps.mirror(image)),
    )


def light_strip(pixels: Pixels) -> float:
    """How deep the deepest light strip along one of the four borders is, as a share of that side; 0 without one.

    Collimator blades that were not cut off, and the edges of a scanned film, are such strips: whole lines of pixels,
    85 % of them near white, that begin within the outermost hundredths and end abruptly. (Abdomens, heads and
    thighs at the border are as bright, but fade.)
    """
    from_each_border = (pixels, pixels[::-1], pixels.T, pixels.T[::-1])
    return max(_strip_depth(lines) for lines in from_each_border)


def marks(pixels: Pixels) -> Iterator[tuple[int, int, int, int]]:
    """Small, compact, near-white marks on a dark ground: left, top, width and height of each in px.

    These are letters of the side, burnt-in text and arrows, now and then a ring or an earring. A mark is a connected
    patch whose sides are 0.8 to 8 % of the longer side of the image, no thinner than 1 : 2.5, at least a quarter full,
    and which stands out by at least 130 gray levels from nine tenths of its surroundings.
    """
    height, width = pixels.shape
    longer_side = max(height, width)
    min_size = 0.008 * longer_side
    max_size = 0.08 * longer_side
    ring_width = max(3, round(0.012 * longer_side))
    patches, _ = ndimage.label(pixels >= MARK_LEVEL, np.ones((3, 3)))
    for number, (rows, columns) in enumerate(ndimage.find_objects(patches), 1):
        patch_height = rows.stop - rows.start
        patch_width = columns.stop - columns.start
        shorter = min(patch_height, patch_width)
        longer = max(patch_height, patch_width)
        is_small = min_size <= shorter and longer <= max_size
        is_compact = longer <= 2.5 * shorter
        to_border = min(rows.start, columns.start, height - rows.stop, width - columns.stop)
        if not is_small or not is_compact or to_border < 2:  # what touches the border may go on beyond it
            continue
        around = (
            slice(max(0, rows.start - ring_width), rows.stop + ring_width),
            slice(max(0, columns.start - ring_width), columns.stop + ring_width),
        )
        box_area = patch_height * patch_width
        if _stands_out(pixels[around], patches[around] == number, box_area, ring_width):
            yield columns.start, rows.start, patch_width, patch_height


def _stands_out(gray: Pixels, patch: NDArray[np.bool_], box_area: int, ring_width: int) -> bool:
    """Whether a patch fills a quarter of its box, and is much brighter than a ring around it."""
    if patch.sum() < max(12, 0.25 * box_area):
        return False
    # The ring begins 2 px away: the blur of the image belongs to neither.
    ring = ndimage.binary_dilation(patch, iterations=ring_width) & ~ndimage.binary_dilation(patch, iterations=2)
    surroundings = np.percentile(gray[ring], 90)
    return bool(surroundings <= 100 and gray[patch].mean() - surroundings >= 130)


def _strip_depth(lines: Pixels) -> float:
    """The depth of the light strip that the first lines (L, pixels) form, as a share of L."""
    edge = max(1, round(0.03 * len(lines)))
    is_light = (lines >= STRIP_LEVEL).mean(axis=1) >= 0.85
    # The first light line within the outermost hundredths; without one it is line 0, which is then not light.
    first = int(is_light[: edge + 1].argmax())
    dark = np.flatnonzero(~is_light[first:])
    if not is_light[first] or not len(dark):
        return 0.0
    end = first + int(dark[0])
    ends_abruptly = lines[end : end + edge].mean(axis=1).min() <= 150
    return end / len(lines) if ends_abruptly else 0.0


class _GrayLevels(TypedDict):
    mean: float
    median: float
    spread: float
    visible: float
    black: float
    white: float
    dark: float
    light: float
    low: float
    high: float


def _gray_levels(pixels: Pixels) -> _GrayLevels:
    """What the histogram tells, wherever the pixels lie."""
    levels = np.arange(256)
    counts = np.array(Image.fromarray(pixels).histogram())
    share = counts / counts.sum()  # its sums give the median without sorting millions of pixels
    below = share.cumsum()
    spread, visible = contrast(share)
    return {
        "mean": float(levels @ share),
        "median": float(np.searchsorted(below, 0.5)),
        "spread": spread,
        "visible": visible,
        "black": float(share[0]),
        "white": float(share[255]),
        "dark": float(share[:DARK_LEVEL].sum()),
        "light": float(share[LIGHT_LEVEL + 1 :].sum()),
        "low": float(np.searchsorted(below, 0.05)),
        "high": float(np.searchsorted(below, 0.99)),
    }


class _BorderLevels(TypedDict):
    border: float
    inside: float


def _border_levels(pixels: Pixels) -> _BorderLevels:
    """Mean gray levels of the border and of the rest; an image too small to have a rest has one level for both."""
    edge = max(1, round(0.05 * min(pixels.shape)))
    inside = pixels[edge:-edge, edge:-edge]
    whole_sum = float(pixels.sum(dtype=np.int64))
    inside_sum = float(inside.sum(dtype=np.int64))
    if not inside.size:
        mean = whole_sum / pixels.size
        return {"border": mean, "inside": mean}
    border_mean = (whole_sum - inside_sum) / (pixels.size - inside.size)
    return {"border": border_mean, "inside": inside_sum / inside.size}


def _perceptual_hash(image: Image.Image) -> str:
    return np.packbits(phash(image, hash_size=HASH_SIDE).hash).tobytes().hex()
