"""Occlusion: parts of a radiograph are masked, to see how the answer of a model depends on them.

See Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2. The fill matters:
a black patch is itself out of distribution. And any occlusion changes an answer somewhat: for comparison, the same mask
is moved to other places.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FILLS = ("surroundings", "mean", "black")
"""What replaces masked pixels: the surroundings, interpolated smoothly; the mean gray of the image; or black."""

PLACES_TRIED = 8
"""Random places for each moved mask, of which the best is taken."""

NARROWEST_SIGMA = 2.0
"""Of the Gaussians by which masked pixels are interpolated, in px."""

SEAM_SIGMA = 4.0
"""Of the Gaussian that smooths the seams between the widths, in px."""

MIN_KNOWN_SHARE = 0.02
"""Share of a Gaussian's weight that must be on unmasked pixels for its mean to be used."""

Mask = NDArray[np.bool_]
"""(H, W): True where an image is occluded."""

Corner = tuple[float, float]
"""x and y in px from the upper left corner of the image."""


def outline_mask(corners: Sequence[Corner], width: int, height: int) -> Mask:
    """The mask within a polygon with these corners; of two corners, within the box between them."""
    drawn = Image.new("1", (width, height))
    points = [(float(x), float(y)) for x, y in corners]
    if len(points) == 2:
        (left, top), (right, bottom) = np.sort(points, axis=0).tolist()
        # Pillow draws the last row and column as well.
        if right - left >= 1 and bottom - top >= 1:
            ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), fill=1)
    elif len(points) > 2:
        ImageDraw.Draw(drawn).polygon(points, fill=1)
    return np.array(drawn, np.bool_)


def border_mask(width: int, height: int, share: float) -> Mask:
    """The mask of all that is nearer to an edge than ``share`` of the shorter side."""
    edge = round(share * min(width, height))
    mask = np.ones((height, width), np.bool_)
    mask[edge : height - edge, edge : width - edge] = False
    return mask


def occlude(pixels: NDArray[np.uint8], mask: Mask, fill: str) -> NDArray[np.uint8]:
    """A copy of an image (H, W) with the pixels of ``mask`` (H, W) replaced. ``fill``: one of :data:`FILLS`."""
    occluded = pixels.copy()
    if not mask.any():
        return occluded
    if fill == "surroundings" and not mask.all():
        occluded[mask] = _inpaint(pixels, mask)[mask]
    elif fill == "black":
        occluded[mask] = 0
    else:
        occluded[mask] = round(float(pixels.mean()))
    return occluded


def move_mask(mask: Mask, count: int, seed: int = 0) -> Iterator[Mask]:
    """The same mask at random other places within the image, ``count`` at most.

    Of several random places for each, the one that overlaps the mask least is taken; none where they all overlap it by
    half or more. A mask that reaches from edge to edge has no other place.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return
    height, width = mask.shape
    rng = np.random.default_rng(seed)
    for _ in range(count):
        # Within these bounds np.roll carries nothing of the mask across an edge.
        downs = rng.integers(-rows[0], height - rows[-1], PLACES_TRIED)
        acrosses = rng.integers(-columns[0], width - columns[-1], PLACES_TRIED)
        moved = [np.roll(mask, (down, across), (0, 1)) for down, across in zip(downs, acrosses, strict=True)]
        overlaps = [int((each & mask).sum()) for each in moved]
        least = int(np.argmin(overlaps))
        if overlaps[least] < mask.sum() / 2:
            yield moved[least]


def _inpaint(pixels: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """An image whose masked pixels are interpolated from the others, more smoothly the farther away these are.

    Normalized convolution (Knutsson and Westin, CVPR 1993) with a Gaussian, at widths that double until all is filled.
    """
    from scipy.ndimage import gaussian_filter

    known = (~mask).astype(np.float32)
    filled = np.zeros(mask.shape, np.float32)
    missing = mask.copy()
    sigma = NARROWEST_SIGMA
    while missing.any() and sigma <= max(mask.shape):
        known_share = gaussian_filter(known, sigma)
        mean = gaussian_filter(pixels * known, sigma) / np.maximum(known_share, 1e-6)
        reached = missing & (known_share >= MIN_KNOWN_SHARE)
        filled[reached] = mean[reached]
        missing &= ~reached
        sigma *= 2
    filled[missing] = pixels[~mask].mean()
    # Where one width ends and the next begins there is a seam, which would be a structure of its own.
    smooth = gaussian_filter(np.where(mask, filled, pixels).astype(np.float32), SEAM_SIGMA)
    return np.where(mask, smooth, pixels).round().clip(0, 255).astype(np.uint8)
