"""Where the ring and the candidate regions are drawn."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture.app.shared.heatmap_overlay import heat_in_words, heated, likeliest, marked_regions
from fracture.app.shared.prediction_cache import Examined
from fracture.charts import FOR
from fracture.evaluation.localization import localize
from fracture.imaging.radiograph import Radiograph, fit, frame, unfit
from fracture.inference.heatmap import SIDE
from fracture.inference.prediction import View
from fracture.inference.regions.candidates import Region

SIZES = ((373, 454), (454, 373), (300, 300), (900, 60), (60, 900))


class Seer:
    """A model whose map of places is the brightness of the fitted image."""

    shows_places = True
    labels = ("normal", "abnormal")

    def __init__(self, how: str) -> None:
        self.how = how

    def view(self, image: Radiograph) -> View:
        """What this model says of an image."""
        seen = fit(image.pixels, SIDE, self.how).astype(np.float32) / 255
        framed = frame(image.width, image.height, SIDE, self.how)
        return View("view", 0.9, (2.0, 2.0), (0.9, 0.9), seen, framed, np.zeros(1, np.float32))

    def heat(self, view: View, width: int, height: int) -> np.ndarray:
        """As :meth:`fracture.inference.classifier.Classifier.heat`."""
        return unfit(view.heat, view.framed, width, height)


def examined(model: Seer, pixels: np.ndarray) -> Examined:
    return Examined(model.view(Radiograph(pixels, "PNG")), pixels, "PNG", (), False)


def drawings(folder, *, beside: bool) -> pd.DataFrame:
    """Images with one bright patch each, and boxes around every patch, or, with ``beside``, around every other one."""
    random, rows = np.random.default_rng(0), []
    for number in range(20):
        width, height = SIZES[number % len(SIZES)]
        side = min(width, height) // 6
        x, y = int(random.integers(0, width - side)), int(random.integers(0, height - side))
        pixels = np.zeros((height, width), np.uint8)
        pixels[y : y + side, x : x + side] = 255
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        left = x if number % 2 or not beside else (x + width / 2) % width
        rows.append({"image_id": path.name, "path": str(path), "boxes": f"{left} {y} {side} {side}"})
    return pd.DataFrame(rows).assign(label=1, mask="", group=[str(number) for number in range(20)])


@pytest.mark.parametrize("how", ["letterbox", "stretch"])
@pytest.mark.parametrize("beside", [False, True])
def test_ring_hits_as_often_as_the_pointing_game(tmp_path, how, beside):
    """The share of rings that lie in a box equals the metric of `evaluate`, for any aspect ratio."""
    model, hits = Seer(how), []
    table = drawings(tmp_path, beside=beside)
    for row in table.itertuples():
        pixels = np.asarray(Image.open(row.path))
        ring = likeliest(model, examined(model, pixels))
        x, y, side, _ = map(float, row.boxes.split())
        height, width = pixels.shape
        hits.append(x <= ring.across * width < x + side and y <= ring.down * height < y + side)
    told = localize(table, lambda image, *size: model.heat(model.view(image), *size))
    assert np.mean(hits) == told["pointing"]["value"]
    assert np.mean(hits) == (0.5 if beside else 1.0)


def test_ring_on_a_portrait_image_surrounds_the_peak():
    """On a letterboxed portrait image the ring is drawn around the peak of the heat map."""
    model, pixels = Seer("letterbox"), np.zeros((400, 100), np.uint8)
    pixels[40:60, 70:90] = 255
    each = examined(model, pixels)
    drawn = np.asarray(heated(model, each, 0.0, 1.0, likeliest(model, each)))
    rows, columns = np.nonzero((drawn == FOR).all(axis=2))
    assert rows.mean() == pytest.approx(50, abs=4)
    assert np.ptp(rows) == pytest.approx(2 * 400 / 24, abs=4), "the whole ring is in the picture"
    assert columns.min() == pytest.approx(80 - 400 / 24, abs=4)


@pytest.mark.parametrize("bright", [[], [10, 80]])
def test_ring_without_a_single_peak_is_missing(bright):
    """A constant map, or one with two equal peaks, has no ring."""
    model, pixels = Seer("stretch"), np.zeros((60, 100), np.uint8)
    for column in bright:
        pixels[20:40, column : column + 10] = 255
    assert likeliest(model, examined(model, pixels)) is None


def test_ring_of_a_class_activation_map_is_missing():
    """A model that was not taught by boxes has no ring."""
    assert likeliest(SimpleNamespace(shows_places=False), None) is None


BOX = (0.1, 0.2, 0.3, 0.4)


THRESHOLDS = SimpleNamespace(high_sensitivity=0.1, high_specificity=0.5)


def with_thresholds(*probabilities: float, thresholds=THRESHOLDS):
    """A model whose card has thresholds of places, or none, and a view with regions of these probabilities."""
    regions = thresholds and SimpleNamespace(thresholds=thresholds)
    model = SimpleNamespace(shows_places=True, labels=("no", "yes"), card=SimpleNamespace(regions=regions))
    view = SimpleNamespace(regions=tuple(Region(BOX, each) for each in probabilities))
    return model, SimpleNamespace(view=view)


def test_regions_are_solid_from_one_threshold_and_dashed_from_the_other():
    """Below the high-sensitivity threshold nothing is drawn; at a threshold a region belongs to it."""
    marked = marked_regions(*with_thresholds(0.9, 0.5, 0.49, 0.1, 0.09))
    assert [(each.text, each.dashed) for each in marked] == [
        ("90%", False), ("50%", False), ("49%", True), ("10%", True),
    ]  # fmt: skip
    assert marked[0].box == BOX


def test_regions_of_a_card_without_thresholds_are_unknown():
    """The page then shows the ring, and says so; a model that was not trained on boxes has neither."""
    assert marked_regions(*with_thresholds(0.9, thresholds=None)) is None
    model, each = with_thresholds(0.9)
    assert "ring" in heat_in_words(model) and "ring" not in heat_in_words(model, ring=False)
    model.shows_places = False
    assert marked_regions(model, each) is None
