"""Parts of a radiograph covered, to see what a model's answer rests on.

Covering is as old as heat maps (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
section 4.2). What is put in the place matters: a black patch is itself something that no model has seen. And any cover
changes an answer somewhat: so the same cover is laid elsewhere, too, for comparison.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FILLS = ("surroundings", "mean", "black")
"""What a covered place shows: what lies around it, drawn over it smoothly; the mean gray of the image; or nothing."""

Mask = NDArray[np.bool_]
"""(H, W): where an image is covered."""

Corner = tuple[float, float]
"""x and y in px from the upper left corner of the image."""


def outline_mask(corners: Sequence[Corner], width: int, height: int) -> Mask:
    """The pixels within a closed line through these corners; of two corners, within the box between them."""
    drawn = Image.new("1", (width, height))
    points = [(float(x), float(y)) for x, y in corners]
    if len(points) == 2:
        (left, top), (right, bottom) = np.sort(points, axis=0).tolist()
        if right - left >= 1 and bottom - top >= 1:
            ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), fill=1)
    elif len(points) > 2:
        ImageDraw.Draw(drawn).polygon(points, fill=1)
    return np.array(drawn, np.bool_)


def border_mask(width: int, height: int, share: float) -> Mask:
    """All that is nearer to an edge than ``share`` of the shorter side."""
    edge = round(share * min(width, height))
    mask = np.ones((height, width), np.bool_)
    mask[edge : height - edge, edge : width - edge] = False
    return mask


def cover(pixels: NDArray[np.uint8], mask: Mask, fill: str) -> NDArray[np.uint8]:
    """A copy of an image (H, W) with the pixels of ``mask`` (H, W) replaced. ``fill``: one of :data:`FILLS`."""
    covered = pixels.copy()
    if not mask.any():
        return covered
    if fill == "surroundings" and not mask.all():
        covered[mask] = _from_around(pixels, mask)[mask]
    else:
        covered[mask] = 0 if fill == "black" else round(float(pixels.mean()))
    return covered


def elsewhere(mask: Mask, count: int, seed: int = 0) -> Iterator[Mask]:
    """The same cover moved to other places within the image, drawn by lot.

    Of several places tried for each, the one that overlaps the cover least is taken; none where they all overlap it by
    half or more. What reaches from edge to edge has no other place.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return
    height, width = mask.shape
    rng = np.random.default_rng(seed)
    for _ in range(count):
        downs = rng.integers(-rows[0], height - rows[-1], TRIED)
        acrosses = rng.integers(-columns[0], width - columns[-1], TRIED)
        moved = [np.roll(mask, (down, across), (0, 1)) for down, across in zip(downs, acrosses, strict=True)]
        least = min(moved, key=lambda each: int((each & mask).sum()))
        if (least & mask).sum() < mask.sum() / 2:
            yield least


TRIED = 8
"""Places that are tried for each cover that is moved."""


def _from_around(pixels: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """Gray levels spread from what is not covered, coarser the farther away it is.

    Normalised convolution (Knutsson and Westin, CVPR 1993) with a Gaussian, at widths that double until all is filled.
    """
    from scipy.ndimage import gaussian_filter

    known = (~mask).astype(np.float32)
    filled, weight = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    sigma, widest = 2.0, float(max(mask.shape))
    while (weight < ENOUGH)[mask].any() and sigma <= widest:
        around = gaussian_filter(known, sigma)
        spread = gaussian_filter(pixels * known, sigma) / np.maximum(around, 1e-6)
        fresh = (weight < ENOUGH) & (around >= ENOUGH)
        filled[fresh], weight[fresh] = spread[fresh], around[fresh]
        sigma *= 2
    filled[weight < ENOUGH] = pixels[~mask].mean()
    smooth = gaussian_filter(np.where(mask, filled, pixels).astype(np.float32), 4.0)
    return np.where(mask, smooth, pixels).round().clip(0, 255).astype(np.uint8)


ENOUGH = 0.02
"""Share of what a Gaussian looks at that must be known for its mean to be used."""
