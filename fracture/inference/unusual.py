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

from fracture.imaging.film import WHITE_LEVEL, FilmMeasures, measure_film
from fracture.inference.ood import OodDetector
from fracture.inference.prediction import Status, View

INVERTED_EDGE = 180
"""Between films made brighter (90th percentile 163; training images: at most 157) and negatives (10th: 194)."""
BRIGHTEST_MEAN = 130
DARKEST_MEAN = 16
FEWEST_LEVELS = 84
LONGEST_ASPECT = 1.5
WIDEST_BORDER = 0.5
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


def unusual(pixels: NDArray[np.uint8]) -> list[str]:
    """What is unusual about a radiograph (H, W), in words; empty where nothing that is measured is."""
    return describe(measure_film(pixels))


def describe(measured: FilmMeasures) -> list[str]:
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
    white_border = measured.border_level > WHITE_LEVEL and measured.border > LEAST_WHITE_BORDER
    if white_border or measured.border > WIDEST_BORDER:
        color = "white " if white_border else ""
        found.append(f"a {color}border of {measured.border:.0%} of its area")
    if measured.seam > STRONGEST_SEAM:
        found.append("several views in one picture")
    if measured.aspect > LONGEST_ASPECT:
        found.append(f"a long shape, {measured.aspect:.1f} to 1, as two views side by side have")
    return found
