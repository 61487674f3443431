"""The gray scale: its range, its 8 bits, and images computed in strips."""

import numpy as np
import pytest
from PIL import Image

from fracture.imaging import gray_scale
from fracture.imaging.gray_scale import gray_range, gray_range_of_image, map_strips, split_strips, to_8_bit


@pytest.fixture
def values(monkeypatch):
    """An image (30, 40) of 12-bit values in several strips."""
    monkeypatch.setattr(gray_scale, "STRIP_PIXELS", 100)
    return np.random.default_rng(0).integers(7, 4000, (30, 40)).astype(np.uint16)


def test_gray_range_of_strips_is_that_of_the_image(values):
    """The range is the minimum and the maximum, in whichever strip they lie."""
    assert gray_range(split_strips(values)) == (values.min(), values.max())


def test_gray_range_of_image_is_the_same(values):
    """Pillow and NumPy give the same range."""
    assert gray_range_of_image(Image.fromarray(values)) == gray_range([values])


def test_map_strips_equals_the_whole_image(values):
    """Strips cover each pixel once, in its place."""
    assert np.array_equal(map_strips(lambda strip: to_8_bit(strip, 7, 4000), values), to_8_bit(values, 7, 4000))


def test_map_strips_of_color_gives_one_value_a_pixel(values):
    """The last axis belongs to the pixel."""
    colors = np.stack([values, values, values], axis=-1).astype(np.uint8)
    assert np.array_equal(map_strips(lambda strip: strip[:, 1], colors), colors[:, :, 1])


def test_to_8_bit_is_linear_and_clipped():
    """The ends of the range are black and white, and nothing is beyond them."""
    assert to_8_bit(np.array([-5.0, 0, 50, 100, 200]), 0, 100).tolist() == [0, 0, 128, 255, 255]


def test_to_8_bit_of_one_value_is_black():
    """A range without a width is no error."""
    assert to_8_bit(np.array([3, 3]), 3, 3).tolist() == [0, 0]
