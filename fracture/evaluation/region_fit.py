"""Fits and measures a model's candidate regions: boxes on training images, thresholds and figures on validation images.

The two thresholds of places are chosen on the images that are reported; expect somewhat less on others.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import logit

from fracture.evaluation.box_fit import Floats, Mapped, fit_boxes
from fracture.evaluation.free_response import (
    TARGET_FALSE_BOXES,
    Marked,
    free_response,
    measure_point,
    place_threshold,
)
from fracture.imaging.annotations import parse_boxes, scale_boxes
from fracture.imaging.radiograph import frame
from fracture.inference.regions.candidates import UNCALIBRATED, center_inside, find_regions
from fracture.registry.card import BoxFit, PlaceThresholds, RegionFinder, Regions


def needs_places(table: pd.DataFrame) -> "pd.Series[bool]":
    """Which images of a data set are needed: those of training with a box, and those of validation.

    A positive validation image without a box is left out: nobody knows where its finding is.
    """
    has_boxes = (table["label"] == 1) & (table["boxes"] != "")
    in_training = (table["split"] == "train") & has_boxes
    in_validation = (table["split"] == "valid") & (has_boxes | (table["label"] == 0))
    return in_training | in_validation


def fit_regions(table: pd.DataFrame, places: Mapping[int, Floats], size: int, how: str) -> Regions | None:
    """Candidate regions for a card.

    Args:
        table: images of one data set, with the columns of :data:`fracture.data.dataset.TABLE_COLUMNS`.
        places: the mean place map of each image that could be read, by the row's index.
        size: side of the square in px.
        how: how images are fitted.

    Returns:
        None where too few training images have boxes, no validation image has one, the map tells nothing about places,
        or no threshold has so few false boxes.
    """
    table = table[needs_places(table) & table.index.isin(list(places))]
    valid = table[table["split"] == "valid"]
    fitted = fit_boxes(mapped(table[table["split"] == "train"], places, size, how))
    if fitted is None or not (valid["boxes"] != "").any():
        return None
    images = mapped(valid, places, size, how)
    calibration = _calibrate(mark(images, valid["group"], fitted))
    if calibration is None:
        return None
    return measure_regions(mark(images, valid["group"], fitted, calibration), fitted, calibration)


def measure_regions(
    marked: Marked, fitted: BoxFit, calibration: tuple[float, float], finder: RegionFinder | None = None
) -> Regions | None:
    """The thresholds of regions and the figures at them; None where no threshold has so few false boxes."""
    thresholds = {name: place_threshold(marked, most) for name, most in TARGET_FALSE_BOXES.items()}
    sensitive = thresholds["high_sensitivity"]
    specific = thresholds["high_specificity"]
    if sensitive is None or specific is None:
        return None
    return Regions(
        fit=fitted,
        calibration=calibration,
        thresholds=PlaceThresholds(high_sensitivity=sensitive, high_specificity=specific),
        free_response=free_response(marked),
        points={
            "high_sensitivity": measure_point(marked, sensitive),
            "high_specificity": measure_point(marked, specific),
        },
        **({} if finder is None else {"finder": finder}),
    )


def _calibrate(marked: Marked) -> tuple[float, float] | None:
    """Slope and intercept by which the logits of regions become those of hitting a box by the rule of the center.

    Platt scaling (Advances in Large Margin Classifiers, 1999). None where likelier regions do not hit more often.
    """
    from sklearn.linear_model import LogisticRegression

    logits = []
    hits = []
    for regions, boxes in zip(marked.regions, marked.boxes, strict=True):
        for region in regions:
            logits.append(float(logit(region.probability)))
            hits.append(any(center_inside(region.box, box) for box in boxes))
    if len(set(hits)) < 2:
        return None
    model = LogisticRegression(C=np.inf).fit(np.array(logits)[:, None], hits)
    slope = float(model.coef_[0, 0])
    return (slope, float(model.intercept_[0])) if slope > 0 else None


def mark(
    images: Sequence[Mapped],
    group: "pd.Series[str]",
    fitted: BoxFit,
    calibration: tuple[float, float] = UNCALIBRATED,
) -> Marked:
    """The candidate regions and the true boxes of images, with the group of each."""
    regions = [find_regions(image.places, image.framed, fitted, calibration) for image in images]
    return Marked(regions, [image.boxes for image in images], group)


def mapped(table: pd.DataFrame, places: Mapping[int, Floats], size: int, how: str) -> list[Mapped]:
    """The place map, the frame and the true boxes of each image; a negative one has none."""
    images = []
    for index, row in table.iterrows():
        width = int(row["width"])
        height = int(row["height"])
        boxes = parse_boxes(row["boxes"]) if row["label"] == 1 else []
        shares = scale_boxes(boxes, 1 / width, 1 / height)
        images.append(Mapped(places[int(str(index))], frame(width, height, size, how), shares))
    return images
