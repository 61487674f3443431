"""What is unusual about a radiograph, and which body parts it is nearest to where it is out of distribution, in words.

Unusual is what plain measures of its pixels say, compared with FracAtlas's training images (CC BY 4.0; Abedeen et al.,
Scientific Data 10, 521, 2023). ``python -m benchmarks.unusual --data FRACATLAS`` prints their ranges, how many
validation images are called unusual, and which changes of a film are recognized: of 150 inverted films 149, of those
made brighter 92, with a white border all. The measures explain; :mod:`fracture.inference.ood` decides whether an image
is in distribution.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.imaging.radiograph import shrink
from fracture.inference.ood import OodDetector
from fracture.inference.prediction import Status, View

SIDE_PX = 256
"""Longer side of the picture that is measured."""

UNIFORM_LEVELS = 6
"""A row or column is uniform where its 5th and 95th percentiles differ by at most so many of 255 gray levels."""

INVERTED_EDGE = 180
"""Between films made brighter (90th percentile 163; training images: at most 157) and negatives (10th: 194)."""
BRIGHTEST_MEAN = 130
DARKEST_MEAN = 16
FEWEST_LEVELS = 84
LONGEST_ASPECT = 1.5
WIDEST_BORDER = 0.5
WHITE = 200
LEAST_WHITE_BORDER = 0.05
STRONGEST_SEAM = 100


class Explanation(NamedTuple):
    """What is said of a radiograph beside its answer, or in place of one."""

    parts: tuple[tuple[str, int], ...] = ()
    """Body parts of the most similar training images, the most frequent first, each with its count."""
    unusual: tuple[str, ...] = ()
    """What :func:`unusual` says of it."""

    @property
    def parts_in_words(self) -> str:
        """Body parts with counts: *hand (7 of 10), leg (3 of 10)*."""
        total = sum(count for _, count in self.parts)
        words = {"mixed": "several body parts"}
        return ", ".join(f"{words.get(part, part)} ({count} of {total})" for part, count in self.parts)

    @property
    def unusual_in_words(self) -> str:
        """All that is unusual, in one line."""
        return "; ".join(self.unusual)


def explain(view: View, detector: OodDetector | None, pixels: NDArray[np.uint8]) -> Explanation:
    """Explain the answer for an image (H, W), or that it has none.

    The nearest training images are counted for a radiograph unlike them; nothing is said of what is no radiograph.
    """
    if view.status is Status.NO_RADIOGRAPH:
        return Explanation()
    parts = []
    if view.status is Status.UNLIKE and detector is not None:
        parts = detector.nearest_parts(view.embedding)
    return Explanation(tuple(parts), tuple(unusual(pixels)))


class Measures(NamedTuple):
    """What is measured; gray levels are from 0 to 255. *Inside* is what is left without uniform margins."""

    mean: float
    """Gray level inside."""
    levels: float
    """Gray levels between the 1st and the 99th percentile."""
    edge: float
    """Median gray level of the outer 6 % inside."""
    aspect: float
    """Longer side to shorter side."""
    border: float
    """Share of the area in uniform margins."""
    border_level: float
    """Gray level of the margins; 0 without."""
    seam: float
    """The largest jump between two neighboring rows or columns in the middle half, the median along them."""


def unusual(pixels: NDArray[np.uint8]) -> list[str]:
    """What is unusual about a radiograph (H, W), in words; empty where nothing that is measured is."""
    return describe(measure(pixels))


def describe(measured: Measures) -> list[str]:
    """The measures that lie outside of the training images' range, in words."""
    found = []
    if measured.edge > INVERTED_EDGE:
        found.append("bright up to its edges, as inverted X-rays are")
    elif measured.mean > BRIGHTEST_MEAN:
        found.append("much brighter")
    elif measured.mean < DARKEST_MEAN:
        found.append("much darker")
    if measured.levels < FEWEST_LEVELS:
        found.append("few gray levels")
    white_border = measured.border_level > WHITE and measured.border > LEAST_WHITE_BORDER
    if white_border or measured.border > WIDEST_BORDER:
        color = "white " if white_border else ""
        found.append(f"a {color}border of {measured.border:.0%} of its area")
    if measured.seam > STRONGEST_SEAM:
        found.append("several views in one picture")
    if measured.aspect > LONGEST_ASPECT:
        found.append(f"a long shape, {measured.aspect:.1f} to 1, as two views side by side have")
    return found


def measure(pixels: NDArray[np.uint8]) -> Measures:
    """The measures of a radiograph (H, W)."""
    small = shrink(pixels, SIDE_PX).astype(np.float64)
    inner_rows, inner_columns = _inside(small), _inside(small.T)
    inner = small[inner_rows, inner_columns]
    height, width = pixels.shape
    margin = np.ones(small.shape, np.bool_)
    margin[inner_rows, inner_columns] = False
    lowest, highest = np.percentile(small, [1, 99])
    return Measures(
        mean=float(inner.mean()),
        levels=float(highest - lowest),
        edge=_edge(inner),
        aspect=max(height, width) / min(height, width),
        border=float(margin.mean()),
        border_level=float(np.median(small[margin])) if margin.any() else 0.0,
        seam=float(max(seams(inner).max(initial=0.0), seams(inner.T).max(initial=0.0))),
    )


def _inside(values: NDArray[np.float64]) -> slice:
    """The rows without uniform margins; all of them where every row is uniform."""
    low, high = np.percentile(values, [5, 95], axis=1)
    rows = np.flatnonzero(high - low > UNIFORM_LEVELS)
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, len(values))


def _edge(values: NDArray[np.float64]) -> float:
    wide = max(1, round(0.06 * min(values.shape)))
    middle = np.zeros(values.shape, np.bool_)
    middle[wide:-wide, wide:-wide] = True
    return float(np.median(values[~middle]))


def seams(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The jump between each two neighboring columns of the middle half, the median along them."""
    columns = values.shape[1]
    middle = values[:, columns // 4 : columns - columns // 4]
    jumps: NDArray[np.float64] = np.median(np.abs(np.diff(middle, axis=1)), axis=0)
    return jumps
