"""The texture of an image in numbers: how its edges are spread and directed, and which patterns small squares show.

A radiograph is a sum of shadows: its edges are soft, and few directions rule a place. Drawings have flat fields and
hard edges, photographs surfaces that hide each other, noise and patterns one scale.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fracture.imaging.radiograph import fit, frame

SIDE = 256
"""Longer side in px to which an image is reduced, or enlarged, before anything is measured."""

SCALES = (0, 1, 2, 4, 8)
"""Standard deviations in px of the Gaussian filters before edges are measured."""

RADII = (1, 2, 4)
"""In px, of the circles of local binary patterns."""

MEASURES = 10 * len(SCALES) + 10 * len(RADII) + 10
"""How many numbers :func:`measure_texture` gives."""

_MIN_SIDE = 16
"""In px: a narrower image is continued by its border, so that the largest circle fits in."""

_BINS = 12
"""Of the directions of edges, over half a turn."""

_FLAT = 0.3
"""In gray levels a px: an edge below it is none."""

_STEADY = 0.05
"""Added to denominators, in squared gray levels; edges far below one gray level are rounding."""

Gray = NDArray[np.float32]
Numbers = NDArray[np.float64]


def measure_texture(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The numbers of an image (H, W): (MEASURES,)."""
    gray = _reduced(pixels)
    edges = [_edges(gray, scale) for scale in SCALES]
    patterns = [_local_binary_patterns(gray, radius) for radius in RADII]
    return np.concatenate([*edges, *patterns, _layout(gray)]).astype(np.float32)


def _reduced(pixels: NDArray[np.uint8]) -> Gray:
    """The image at :data:`SIDE`, with its aspect, and no side shorter than :data:`_MIN_SIDE`."""
    height, width = pixels.shape
    framed = frame(width, height, SIDE, "letterbox")
    square = fit(np.ascontiguousarray(pixels), SIDE, "letterbox")
    gray = square[framed.top : framed.top + framed.height, framed.left : framed.left + framed.width]
    missing = [(0, max(0, _MIN_SIDE - side)) for side in gray.shape]
    return np.pad(gray.astype(np.float32), missing, mode="edge")


def _edges(gray: Gray, scale: float) -> Numbers:
    """The edges at one scale: six numbers of their directions, two of their coherence, two of their spread."""
    smooth: Gray = ndimage.gaussian_filter(gray, scale)
    across: Gray = ndimage.sobel(smooth, 1) / np.float32(8)
    down: Gray = ndimage.sobel(smooth, 0) / np.float32(8)
    strength = np.hypot(across, down)
    flat = (strength < _FLAT).mean()
    peaked = np.square(strength).mean() / (strength.mean() ** 2 + _STEADY)
    spread = np.array([flat, peaked])
    return np.concatenate([_directions(across, down, strength), _coherence(across, down, scale), spread])


def _directions(across: Gray, down: Gray, strength: Gray) -> Numbers:
    """The three largest shares of directions, their entropy, and the shares of upright and of level edges."""
    angle = np.arctan2(down, across) % np.pi
    place = np.minimum((angle / np.pi * _BINS).astype(np.int64), _BINS - 1)
    sums = np.bincount(place.ravel(), strength.ravel(), _BINS)
    shares = sums / (sums.sum() + 1e-9)
    largest = np.sort(shares)[::-1][:3]
    entropy = -(shares * np.log(shares + 1e-9)).sum()
    middle = _BINS // 2
    upright = shares[0] + shares[-1]
    level = shares[middle - 1] + shares[middle]
    return np.array([*largest, entropy, upright, level])


def _coherence(across: Gray, down: Gray, scale: float) -> Numbers:
    """How far one direction rules a neighborhood, 0 to 1: the mean over the image, and over its edges.

    From the eigenvalues of the structure tensor (Bigün and Granlund, "Optimal orientation detection of linear
    symmetry", ICCV 1987).
    """
    window = 2 * scale + 2
    horizontal = ndimage.gaussian_filter(across * across, window)
    mixed = ndimage.gaussian_filter(across * down, window)
    vertical = ndimage.gaussian_filter(down * down, window)
    energy = horizontal + vertical
    coherence = np.sqrt((horizontal - vertical) ** 2 + 4 * mixed**2) / (energy + 0.1)
    return np.array([coherence.mean(), np.average(coherence, weights=energy + 1e-6)])


def _local_binary_patterns(gray: Gray, radius: int) -> Numbers:
    """Roots of the shares of the nine uniform patterns by their number of lighter neighbors, and of all others.

    Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns", TPAMI 24, 2002, on the eight neighbors at ``radius`` px along rows, columns and diagonals.
    """
    height, width = gray.shape
    center = gray[radius:-radius, radius:-radius]
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    lighter = []
    for row, column in around:
        top = radius * (1 + row)
        left = radius * (1 + column)
        neighbor = gray[top : top + height - 2 * radius, left : left + width - 2 * radius]
        lighter.append(neighbor > center + 1)
    pattern = np.stack(lighter)  # (8, H', W')
    changes = (pattern != np.roll(pattern, 1, axis=0)).sum(axis=0)
    kind = np.where(changes <= 2, pattern.sum(axis=0), 9)
    counts = np.bincount(kind.ravel(), minlength=10)
    shares: Numbers = np.sqrt(counts / kind.size)
    return shares


def _layout(gray: Gray) -> Numbers:
    """Gray levels, aspect, symmetry and border as a whole."""
    height, width = gray.shape
    cells = ndimage.zoom(gray, (8 / height, 8 / width), order=1, mode="nearest", grid_mode=True)
    strip = 3
    border = np.concatenate(
        [gray[:strip].ravel(), gray[-strip:].ravel(), gray[:, :strip].ravel(), gray[:, -strip:].ravel()]
    )
    return np.array(
        [
            gray.mean(),
            gray.std(),
            np.log(height / width) ** 2,
            np.abs(cells - cells[:, ::-1]).mean(),
            np.abs(cells - cells[::-1]).mean(),
            cells.std(axis=0).mean(),
            cells.std(axis=1).mean(),
            border.std(),
            abs(border.mean() - gray.mean()),
            border.mean(),
        ]
    )
