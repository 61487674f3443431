"""A view under its heat map: drawn in one way wherever it is shown."""

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
    """The heat that is drawn at full opacity, one for all that is shown together: certainty, where maps know places."""
    return 1.0 if model.shows_places else max((float(np.abs(each.view.heat).max()) for each in examined), default=0.0)


class Place(NamedTuple):
    """Where a view most likely shows what is looked for; ``across`` and ``down`` as shares of its sides, 0 to 1."""

    across: float
    down: float
    probability: float


def likeliest(model: Classifier, each: Examined) -> Place | None:
    """The peak of the map over the view; None where the map has no single one, or the model has not learned of places.

    The peak is that of :func:`fracture.evaluation.localization.pointing_game`: the ring hits what the card counts.
    """
    if not model.shows_places:
        return None
    height, width = each.pixels.shape
    heat = model.heat(each.view, *map_size(width, height))
    found = peak(heat)
    return None if found is None else Place(found.x / heat.shape[1], found.y / heat.shape[0], float(heat.max()))


def heated(model: Classifier, each: Examined, opacity: float, full: float, ring: Place | None = None) -> Image.Image:
    """The view with its heat, and a ring around a place: a faint map is easily overlooked."""
    height, width = each.pixels.shape
    heat = model.heat(each.view, -(-width // 4), -(-height // 4))  # so smooth a map needs no more
    picture = charts.heat_overlay(each.pixels, heat, opacity, full)
    return charts.ringed(picture, ring.across, ring.down) if ring else picture


def heat_in_words(model: Classifier) -> str:
    """What is seen on such a picture."""
    positive = escape_markdown(model.labels[1])
    if model.shows_places:
        return (
            "The heat map says of each place how likely it shows what a reader would draw a box around; a ring is "
            "around the likeliest."
        )
    return f"Orange speaks for *{positive}*, blue against it."
