"""Real radiographs that come with the app: 24 of FracAtlas's validation part, which no shipped model was trained on.

``python -m benchmarks.sample_radiographs`` chose them at random, by body part and label. Their folder is a data set
like others, with the images unchanged. FracAtlas is by Abedeen et al. (Scientific Data 10, 521, 2023), CC BY 4.0.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from fracture.data.dataset_csv import dataset_csv
from fracture.imaging.annotations import Box, parse_boxes, scale_boxes
from fracture.paths import PROJECT

FOLDER = PROJECT / "assets" / "samples" / "fracatlas"

CREDIT = "FracAtlas (Abedeen et al., 2023, CC BY 4.0)"
"""Stands beside each of these pictures."""

FIRST = "IMG0003685.jpg"
"""Shown to a new visitor: a displaced fracture of a lower leg, which a beginner sees, too."""


class SampleRadiograph(NamedTuple):
    """A real radiograph with its truth."""

    name: str
    """Of its file."""
    path: Path
    body_part: str
    label: str
    """``fractured`` or ``not fractured``, as FracAtlas's readers decided."""
    boxes: tuple[Box, ...]
    """Around each fracture, in shares of the image's width and height, 0 to 1."""
    aspect: float
    """Width by height."""


@lru_cache(maxsize=1)
def sample_radiographs() -> tuple[SampleRadiograph, ...]:
    """All of them, in the order of their names; none where a deployment has left the folder out."""
    # Not by a scan: a public demo scans only the data sets of its own home.
    found = dataset_csv(FOLDER)
    if found is None:
        return ()
    return tuple(_sample(row, found.label_names) for _, row in found.rows.iterrows())


def _sample(row: "pd.Series[Any]", label_names: tuple[str, str]) -> SampleRadiograph:
    path = Path(row["path"])
    width = row["width"]
    height = row["height"]
    boxes = scale_boxes(parse_boxes(row["boxes"]), 1 / width, 1 / height)
    return SampleRadiograph(
        path.name, path, row["body_part"], label_names[row["label"]], tuple(boxes), float(width / height)
    )
