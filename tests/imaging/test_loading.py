"""Image files decoded and fitted in their order."""

import logging

import numpy as np
import pytest
from PIL import Image

from fracture.imaging import loading
from fracture.imaging.loading import IMAGES_AHEAD, decode
from fracture.imaging.radiograph import fit, load


@pytest.fixture
def paths(tmp_path):
    """More files than are decoded ahead, each of its own gray; one of them can't be read."""
    found = []
    for number in range(IMAGES_AHEAD + 20):
        path = tmp_path / f"{number:03}.png"
        Image.fromarray(np.full((90, 60), number, np.uint8)).save(path)
        found.append(path)
    found[5].write_bytes(b"no image")
    return found


def test_decode_gives_the_fitted_pixels_of_each_file_in_order(paths):
    """As load and fit give them; None in the place of a file that can't be read."""
    decoded = list(decode([str(path) for path in paths], 32, "letterbox"))
    assert len(decoded) == len(paths)
    for number, (path, pixels) in enumerate(zip(paths, decoded, strict=True)):
        if number == 5:
            assert pixels is None
        else:
            assert np.array_equal(pixels, fit(load(path).pixels, 32, "letterbox"))


def test_decode_logs_the_files_that_cannot_be_read(paths, caplog):
    """By their names."""
    caplog.set_level(logging.INFO)
    list(decode([str(path) for path in paths], 32, "stretch"))
    assert caplog.messages == ["005.png can't be read and is left out"]


def test_decode_stays_a_bounded_number_of_files_ahead(paths, monkeypatch):
    """Memory does not grow with the number of files, and a caller who leaves early leaves nothing running."""
    started = []
    monkeypatch.setattr(loading, "_decode", lambda path, *_: started.append(path) or np.zeros((8, 8), np.uint8))
    images = decode([str(path) for path in paths], 8, "stretch")
    next(images)
    images.close()
    assert len(started) <= IMAGES_AHEAD + 1


def test_decode_without_files_gives_nothing():
    """An empty list is no error."""
    assert list(decode([], 32, "stretch")) == []
