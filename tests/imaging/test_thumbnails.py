"""Thumbnails of image files, cached in memory."""

import os
from io import BytesIO

import numpy as np
from PIL import Image

from fracture.errors import RadiographError
from fracture.imaging.thumbnails import changed, thumbnail, thumbnails


def draw(path, gray: int, time: int) -> str:
    Image.fromarray(np.full((40, 80), gray, np.uint8)).save(path)
    os.utime(path, ns=(time, time))
    return str(path)


def test_thumbnail_of_a_changed_file_is_new(tmp_path):
    """It comes from memory until the file changes."""
    path = draw(tmp_path / "a.png", 0, 10**18)
    dark = thumbnail(path, 20)
    assert Image.open(BytesIO(dark)).size == (20, 10)
    assert thumbnail(path, 20) is dark
    draw(tmp_path / "a.png", 250, 10**18 + 1)
    assert np.asarray(Image.open(BytesIO(thumbnail(path, 20)))).mean() > 200


def test_thumbnail_that_is_square_has_black_bars(tmp_path):
    """All squares have one height, also beside the thumbnail of the same file that keeps its shape."""
    path = draw(tmp_path / "a.png", 250, 10**18)
    pixels = np.asarray(Image.open(BytesIO(thumbnail(path, 20, square=True))))
    assert pixels.shape == (20, 20)
    assert pixels[:3].max() < 30
    assert pixels[9:11].min() > 200
    assert Image.open(BytesIO(thumbnail(path, 20))).size == (20, 10)


def test_thumbnails_of_a_missing_file_are_an_error_in_its_place(tmp_path):
    """The others are there."""
    path = draw(tmp_path / "a.png", 9, 10**18)
    first, missing = thumbnails([path, str(tmp_path / "gone.png")], 20)
    assert isinstance(first, bytes)
    assert isinstance(missing, RadiographError)


def test_changed_of_a_missing_file_is_zero(tmp_path):
    """Reading it will say what is wrong."""
    assert changed(str(tmp_path / "gone.png")) == 0
