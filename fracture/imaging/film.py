"""Measures of a whole film: its gray levels, margins, shape, and seams between several views in one picture.

The same ones say what is unusual about an upload (:mod:`fracture.inference.unusual`) and which images of a data set are
(:mod:`fracture.data.checks.quality`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.imaging.radiograph import shrink

SIDE_PX = 256
"""Longer side of the picture that is measured."""

UNIFORM_LEVELS = 6
"""A row or column is uniform where its 5th and 95th percentiles differ by at most so many of 255 gray levels."""


WHITE_LEVEL = 200
"""Margins above this gray level are white, others are black."""


class FilmMeasures(NamedTuple):
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


def measure_film(pixels: NDArray[np.uint8]) -> FilmMeasures:
    """The measures of a radiograph (H, W)."""
    small = shrink(pixels, SIDE_PX).astype(np.float64)
    inner_rows, inner_columns = _inside(small), _inside(small.T)
    inner = small[inner_rows, inner_columns]
    height, width = pixels.shape
    margin = np.ones(small.shape, np.bool_)
    margin[inner_rows, inner_columns] = False
    lowest, highest = np.percentile(small, [1, 99])
    return FilmMeasures(
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
    """The jump between each two neighboring columns of the middle half, the median along them: (H, W) -> (N,)."""
    columns = values.shape[1]
    middle = values[:, columns // 4 : columns - columns // 4]
    jumps: NDArray[np.float64] = np.median(np.abs(np.diff(middle, axis=1)), axis=0)
    return jumps
