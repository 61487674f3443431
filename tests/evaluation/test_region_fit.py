"""Candidate regions of a drawn data set, from its place maps to the field of a card."""

import numpy as np
import pandas as pd
import pytest

from fracture.evaluation.region_fit import fit_regions, needs_places
from fracture.registry.card import Regions

SIZE = 427


def data_set(images: int = 120, positives: float = 0.5) -> tuple[pd.DataFrame, dict[int, np.ndarray]]:
    """Images with and without a finding, a quarter of them for validation, and maps that show findings, with noise."""
    random = np.random.default_rng(0)
    rows = []
    places = {}
    for number in range(images):
        cells = random.normal(-5, 1.0, (25, 25))
        label = int(random.random() < positives)
        boxes = ""
        if label:
            row, column = random.integers(4, 21, 2)
            cells[row - 1 : row + 2, column - 1 : column + 2] = random.normal(-1, 0.5, (3, 3))
            cells[row, column] = random.normal(1, 2)
            boxes = f"{21.5 + 16 * column - 16} {21.5 + 16 * row - 16} 32 32"
        split = "valid" if number % 4 == 0 else "train"
        group = f"g{number // 3}"
        rows.append({"split": split, "label": label, "boxes": boxes, "width": SIZE, "height": SIZE, "group": group})
        places[number] = cells
    return pd.DataFrame(rows), places


def test_fit_regions_gives_a_field_that_a_card_reads_again():
    """The thresholds are in order, keep their numbers of false boxes, and everything survives JSON's types."""
    table, places = data_set()
    regions = fit_regions(table, places, SIZE, "letterbox")
    assert regions is not None
    assert regions.thresholds.high_sensitivity <= regions.thresholds.high_specificity
    assert regions.points["high_sensitivity"]["false_boxes"]["value"] <= 1
    assert regions.points["high_specificity"]["false_boxes"]["value"] <= 0.1
    assert regions.free_response["by_center"]["1"]["value"] > 0.6
    valid = table[table["split"] == "valid"]
    assert regions.free_response["images"] == len(valid)
    assert regions.free_response["boxes"] == int(valid["label"].sum())
    assert Regions.model_validate(regions.to_json()) == regions


@pytest.mark.parametrize("change", ["no maps", "no training boxes", "no validation boxes", "no hits"])
def test_fit_regions_without_what_it_needs_is_none(change):
    """A card then has no candidate regions, and pages show a ring."""
    table, places = data_set()
    in_training = table["split"] == "train"
    if change == "no maps":
        places = {}
    if change == "no training boxes":
        table["boxes"] = table["boxes"].mask(in_training, "")
    if change == "no validation boxes":
        table["boxes"] = table["boxes"].mask(~in_training, "")
    if change == "no hits":
        table["boxes"] = table["boxes"].mask(~in_training & (table["boxes"] != ""), "0 0 1 1")
    assert fit_regions(table, places, SIZE, "letterbox") is None


def test_needs_places_leaves_out_positives_whose_place_is_not_known():
    """A region there would be called false, though it may be right."""
    table = pd.DataFrame(
        {
            "split": ["train", "train", "valid", "valid", "valid", "test"],
            "label": [1, 0, 0, 1, 1, 1],
            "boxes": ["1 1 2 2", "", "", "", "1 1 2 2", "1 1 2 2"],
        }
    )
    assert needs_places(table).tolist() == [True, False, True, False, True, False]
