"""The boxes of training images are found again."""

import numpy as np
import pytest

from fracture.evaluation.box_fit import MIN_BOXES, Mapped, fit_boxes
from fracture.imaging.radiograph import frame
from fracture.inference.regions.candidates import find_regions, overlap
from fracture.registry.card import BoxFit

SIZE = 427
FRAMED = frame(400, 300, SIZE, "letterbox")
TRUE = BoxFit(clip=6.0, offset=[0.2, 0.0], size=[0.7, 0.05, 0.1, -0.1, 0.0], boxes=60)


def images(count: int) -> list[Mapped]:
    """Maps with one clear peak each, and as its true box what the coefficients make of it."""
    random = np.random.default_rng(0)
    result = []
    for _ in range(count):
        places = np.full((25, 25), -9.0)
        row, column = random.integers(8, 17, 2)
        places[row - 1 : row + 2, column - 1 : column + 2] = random.normal(-2, 1, (3, 3))
        places[row, column] = 3 + random.random()
        box = find_regions(places, FRAMED, TRUE)[0].box
        result.append(Mapped(places, FRAMED, [box]))
    return result


def test_fit_boxes_finds_the_coefficients_again():
    """Where boxes follow from the map, the fit is exact, and its boxes are the true ones."""
    drawn = images(60)
    fitted = fit_boxes(drawn)
    assert fitted is not None and fitted.boxes == 60
    assert fitted.offset == pytest.approx(TRUE.offset, abs=1e-6)
    assert fitted.size == pytest.approx(TRUE.size, abs=1e-6)
    for image in drawn:
        assert overlap(find_regions(image.places, FRAMED, fitted)[0].box, image.boxes[0]) == pytest.approx(1)


def test_fit_boxes_leaves_out_boxes_without_a_peak():
    """A true box at the other end of the image has no peak near it; a box without an area has no sides."""
    drawn = images(MIN_BOXES)
    far = drawn[0]._replace(boxes=[(0.0, 0.0, 0.02, 0.02), (0.5, 0.5, 0.0, 0.1)])
    fitted = fit_boxes([*drawn, far])
    assert fitted is not None and fitted.boxes == MIN_BOXES


def test_fit_boxes_of_too_few_boxes_is_none():
    """Seven coefficients from a handful of boxes would mean nothing."""
    assert fit_boxes(images(MIN_BOXES - 1)) is None
