"""A view with its heat map: drawn in one way wherever it is shown."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from fracture import charts
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.inference.classifier import Classifier
from fracture.inference.heatmap import map_size, peak


def full_heat(model: Classifier, examined: Iterable[Examined]) -> float:
    """The heat that is drawn at full opacity, one for all views together: 1 where heat is a probability."""
    if model.shows_places:
        return 1.0
    return max((float(np.abs(each.view.heat).max()) for each in examined), default=0.0)


class Place(NamedTuple):
    """The likeliest place of a finding in a view; ``across`` and ``down`` as shares of its sides, 0 to 1."""

    across: float
    down: float
    probability: float


def likeliest(model: Classifier, each: Examined) -> Place | None:
    """The peak of the heat map over the view; None where there is no single one, or the model was not taught by boxes.

    The peak is that of :func:`fracture.evaluation.localization.pointing_game`: the card counts the hits of this ring.
    """
    if not model.shows_places:
        return None
    height, width = each.pixels.shape
    heat = model.heat(each.view, *map_size(width, height))
    found = peak(heat)
    if found is None:
        return None
    rows, columns = heat.shape
    return Place(found.x / columns, found.y / rows, float(heat.max()))


def heated(model: Classifier, each: Examined, opacity: float, full: float, ring: Place | None = None) -> Image.Image:
    """The view with its heat map, and a ring around a place, since a faint map is easily overlooked."""
    height, width = each.pixels.shape
    # The map is so smooth that a quarter of the pixels each way is enough.
    heat = model.heat(each.view, math.ceil(width / 4), math.ceil(height / 4))
    picture = charts.heat_overlay(each.pixels, heat, opacity, full)
    if ring is None:
        return picture
    return charts.ringed(picture, ring.across, ring.down)


def marked_regions(model: Classifier, each: Examined) -> list[charts.LabeledBox] | None:
    """The candidate regions from the high-sensitivity threshold of places on; None for a model without thresholds.

    Those from the high-specificity threshold on are solid, the others dashed.
    """
    recorded = model.card.regions
    if recorded is None or not model.shows_places:
        return None
    thresholds = recorded.thresholds
    return [
        charts.LabeledBox(
            region.box, f"{region.probability:.0%}", dashed=region.probability < thresholds.high_specificity
        )
        for region in each.view.regions
        if region.probability >= thresholds.high_sensitivity
    ]


def heat_in_words(model: Classifier, *, ring: bool = True) -> str:
    """The meaning of the colors of such a picture, and of the ring where there is one."""
    positive = escape_markdown(model.labels[1])
    if model.shows_places:
        probability = "The heat map shows for each place the probability that a reader would draw a box there"
        return f"{probability}; a ring marks the likeliest place." if ring else f"{probability}."
    return f"Orange is evidence for *{positive}*, blue against it."
