"""Citation and license of the public data sets, for the cards of models trained on them."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Source:
    """A data set's origin."""

    name: str
    citation: str
    licence: str
    """Spelled as in the cards on disk."""


FRACATLAS = Source(
    "FracAtlas",
    "Abedeen et al., FracAtlas: A Dataset for Fracture Classification, Localization and Segmentation of "
    "Musculoskeletal Radiographs, Scientific Data 10, 521 (2023), doi 10.1038/s41597-023-02432-4",
    "CC BY 4.0",
)
MURA = Source(
    "MURA",
    "Rajpurkar et al., MURA: Large Dataset for Abnormality Detection in Musculoskeletal Radiographs, 2018, "
    "arXiv 1712.06957",
    "Stanford University's terms: for research, not to be passed on",
)
PHANTOMS = Source("phantoms", "synthetic radiographs drawn by this project; they show no person", "this project's own")


def source_of(layout: str, synthetic: bool, image_ids: "pd.Series[str]") -> Source | None:
    """The origin of a data set by its layout and the names of its files; None where they do not tell."""
    if synthetic:
        return PHANTOMS
    if layout == "MURA":
        return MURA
    named = layout == "dataset.csv" and image_ids.str.fullmatch(r"(.*/)?IMG\d{7}\.jpg").all()
    return FRACATLAS if named else None
