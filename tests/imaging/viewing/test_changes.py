"""Changes that a person makes to a picture before it is classified."""

import numpy as np
import pytest

from fracture.errors import RadiographError
from fracture.imaging.radiograph import Radiograph
from fracture.imaging.viewing.changes import PictureChanges, change

PIXELS = np.arange(60 * 80, dtype=np.uint32).reshape(60, 80).astype(np.uint8)


def test_picture_changes_without_any_gives_the_same_pixels():
    """No change is no change, and says nothing."""
    assert not PictureChanges()
    assert (PictureChanges().apply(PIXELS) == PIXELS).all()
    assert PictureChanges().describe() == []


def test_picture_changes_crops_in_px_of_the_image_before_it_is_turned():
    """The crop names columns and rows of the image as it was read."""
    changed = PictureChanges(crop=(10, 20, 40, 35), quarter_turns=1).apply(PIXELS)
    assert changed.shape == (40, 35)
    assert (changed[:, -1] == PIXELS[20, 10:50]).all()  # the first row is on the right after a clockwise turn


@pytest.mark.parametrize(
    ("quarter_turns", "corner"), [(0, PIXELS[0, 0]), (1, PIXELS[-1, 0]), (2, PIXELS[-1, -1]), (3, PIXELS[0, -1])]
)
def test_picture_changes_turns_clockwise(quarter_turns, corner):
    """A clockwise quarter turn brings the lower left corner to the upper left."""
    assert PictureChanges(quarter_turns=quarter_turns).apply(PIXELS)[0, 0] == corner


def test_picture_changes_of_a_whole_turn_is_no_change():
    """Four quarter turns are none, and equal to it."""
    assert PictureChanges(quarter_turns=4) == PictureChanges()
    assert PictureChanges(quarter_turns=-1) == PictureChanges(quarter_turns=3)


def test_picture_changes_inverts():
    """Black becomes white."""
    assert (PictureChanges(invert=True).apply(PIXELS) == 255 - PIXELS).all()


@pytest.mark.parametrize("crop", [(-1, 0, 40, 40), (50, 0, 40, 40), (0, 30, 40, 40), (0, 0, 31, 40), (0, 0, 40, -5)])
def test_picture_changes_refuses_a_crop_outside_of_the_image(crop):
    """A crop comes from a browser: it is checked."""
    with pytest.raises(RadiographError, match="within the image of 80 x 60 px"):
        PictureChanges(crop=crop).apply(PIXELS)


def test_change_adds_its_steps_to_those_of_the_image():
    """The answer says what was done to the picture, after what was done to read it."""
    image = Radiograph(PIXELS, "PNG", ("16 bit to 8 bit",))
    changed = change(image, PictureChanges((10, 20, 40, 35), 3, True))
    assert changed.steps == (
        "16 bit to 8 bit",
        "cropped to 40 x 35 px at 10, 20",
        "rotated by 90° counterclockwise",
        "inverted on request",
    )
    assert change(image, PictureChanges()) is image
