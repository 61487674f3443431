"""What an unusual picture suggests: to invert it, or to crop it to one of two views."""

import numpy as np
import pytest

from fracture.imaging.film import measure_film
from fracture.imaging.viewing.changes import PictureChanges
from fracture.inference.suggestions import find_views, suggest
from tests.inference.test_unusual import film

NOTHING = PictureChanges()


def suggested(pixels, made=NOTHING):
    """The suggestions for an image that is shown in its own size, by their keys."""
    size = (pixels.shape[1], pixels.shape[0])
    return {each.key: each.changes for each in suggest(pixels, size, made)}


def test_suggest_nothing_for_an_ordinary_film():
    """No button stands beside its answer."""
    assert suggested(film()) == {}


def test_suggest_inversion_of_a_negative():
    """And of one that was inverted by mistake, to take that back."""
    assert suggested(255 - film()) == {"invert": PictureChanges(invert=True)}
    assert suggested(255 - film(), PictureChanges(invert=True)) == {"invert": NOTHING}


@pytest.mark.parametrize("gutter", [0, 6, 30])
@pytest.mark.parametrize("gray", [0, 255])
def test_suggest_crops_of_two_views(gutter, gray):
    """Each is the view without the bar between them, to 1 % of the width; in px of the image as it was read."""
    bar = np.full((400, gutter), gray, np.uint8)
    both = np.hstack([film(), bar, film()])
    large = (both.shape[1] * 3, both.shape[0] * 3)
    crops = dict(find_views(both, large, measure_film(both)))
    assert crops["left"][:2] == (0, 0) and crops["left"][3] == crops["right"][3] == large[1]
    assert crops["right"][0] + crops["right"][2] == large[0]
    tolerance = large[0] * (0.01 if gray else 0.05)
    assert crops["left"][2] == pytest.approx(320 * 3, abs=tolerance)
    assert crops["right"][0] == pytest.approx((320 + gutter) * 3, abs=tolerance)


def test_suggest_crops_of_views_one_above_the_other():
    """They are the upper and the lower one."""
    both = np.vstack([film().T, film().T])
    assert list(suggested(both)) == ["crop upper", "crop lower"]


def test_suggest_no_crop_of_a_cropped_picture():
    """Its crop would be in px of another image."""
    both = np.hstack([film(), film()])
    assert suggested(both, PictureChanges(crop=(0, 0, 100, 100))) == {}
    assert suggested(both, PictureChanges(quarter_turns=1)) == {}


def test_suggest_no_crop_below_the_shortest_side():
    """A model could judge nothing of it."""
    both = np.hstack([film(), film()])
    assert find_views(both, (60, 37), measure_film(both)) == []


@pytest.mark.parametrize("scale", [1, 3])
def test_suggest_no_crop_to_a_part_with_nothing_to_see(scale):
    """A long film with the bone in its lower half: only that half could be classified."""
    both = np.vstack([np.zeros((440, 320), np.uint8), film()])
    found = suggest(both, (320 * scale, 840 * scale), NOTHING)
    assert [each.key for each in found] == ["crop lower"]
