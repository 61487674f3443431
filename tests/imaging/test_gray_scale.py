"""The gray scale: its range, its 8 bits, and images computed in strips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fracture.imaging import gray_scale
from fracture.imaging.gray_scale import (
    MIN_VISIBLE,
    Levels,
    contrast,
    count_values,
    gray_range,
    is_blank,
    map_strips,
    range_steps,
    split_strips,
    to_8_bit,
)
from tests.support.drawing import draw_limb


@pytest.fixture
def values(monkeypatch):
    """An image (30, 40) of 12-bit values in several strips."""
    monkeypatch.setattr(gray_scale, "STRIP_PIXELS", 100)
    return np.random.default_rng(0).integers(7, 4000, (30, 40)).astype(np.uint16)


@pytest.fixture
def limb():
    """A drawn limb as 12-bit values (200, 200), from 160 on."""
    return draw_limb(np.random.default_rng(0), 200, positive=False).astype(np.uint16) * 12 + 160


def range_of(values):
    return gray_range(count_values(split_strips(values)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.int32, np.float64])
def test_count_values_of_strips_counts_each_pixel(values, kind):
    """The histogram is that of the image, whatever the strips and the type."""
    shifted = (values.astype(np.int64) - (2000 if np.dtype(kind).kind in "if" else 0)).astype(kind)
    levels = count_values(split_strips(shifted))
    expected, counts = np.unique(shifted, return_counts=True)
    assert np.array_equal(levels.values, expected)
    assert np.array_equal(levels.counts, counts)


def test_gray_range_without_outliers_is_minimum_and_maximum(values, limb):
    """Of noise without gaps and of a limb, no value is left out."""
    for image in (values, limb):
        levels = count_values(split_strips(image))
        low, high = gray_range(levels)
        assert (low, high) == (image.min(), image.max())
        assert range_steps(levels, low, high) == ()


def with_marker(limb):
    limb[10:30, 10:30] = 65535
    return limb


def with_noisy_marker(limb):
    limb[10:30, 10:30] = np.random.default_rng(0).normal(60000, 400, (20, 20))
    return limb


def with_hot_and_dead_pixels(limb):
    limb[5, ::50] = 65535
    limb[9, ::50] = 0
    return limb + np.uint16(20000) * (limb > 0) * (limb < 65535)


def with_white_frame(limb):
    return np.pad(limb, 60, constant_values=65535)


def with_black_frame(limb):
    return np.pad(limb + np.uint16(30000), 60)


@pytest.mark.parametrize(
    ("change", "offset"),
    [
        (with_marker, 0),
        (with_noisy_marker, 0),
        (with_hot_and_dead_pixels, 20000),
        (with_white_frame, 0),
        (with_black_frame, 30000),
    ],
)
def test_gray_range_with_outliers_is_that_of_the_limb(limb, change, offset):
    """Markers, hot and dead pixels, and frames do not set the range, and a step says so."""
    low, high = limb.min() + offset, limb.max() + offset
    levels = count_values(split_strips(change(limb.copy())))
    found = gray_range(levels)
    assert found == pytest.approx((low, high), abs=100)
    assert "without outliers" in range_steps(levels, *found)[0]


@pytest.mark.parametrize("level", [60, 3900])
def test_gray_range_of_a_small_limb_in_a_surround_is_not_that_of_the_surround(limb, level):
    """In a noisy dark or light surround of 97 %, the limb is no outlier."""
    surround = np.random.default_rng(0).normal(level, 10, (1200, 1200)).astype(np.uint16)
    surround[100:300, 100:300] = limb
    low, high = range_of(surround)
    assert low <= limb.min() and high >= np.percentile(limb, 99)


def test_gray_range_of_a_constant_surround_is_that_of_the_rest():
    """Where nearly all pixels have one value within the range, a hot pixel is an outlier all the same."""
    image = np.full((100, 100), 1000, np.uint16)
    image[:20, :20] = np.arange(400).reshape(20, 20) + 800
    image[50, 50] = 65535
    assert range_of(image) == (800, 1199)


@pytest.mark.parametrize("values", [[7], [3, 9], [0, 500, 65535]])
def test_gray_range_of_few_values_is_their_range(values):
    """One to three values are no reason to leave one out."""
    assert range_of(np.array([values], np.uint16)) == (values[0], values[-1])


@given(
    arrays(np.uint16, st.tuples(st.integers(1, 20), st.integers(1, 20)))
    | arrays(np.int16, st.tuples(st.integers(1, 20), st.integers(1, 20)))
)
@settings(deadline=None, max_examples=100)
def test_gray_range_of_any_values_is_within_them(values):
    """The range is ascending, and its ends are values of the image."""
    low, high = range_of(values)
    assert low <= high
    assert {low, high} <= set(values.reshape(-1).tolist())


def test_levels_of_two_values_have_no_inner_counts():
    """Without its two ends nothing would be left of it."""
    two = Levels(np.array([1.0, 2.0]), np.array([5, 6]))
    assert two.inner_counts.tolist() == [5, 6]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_is_blank_of_one_level_with_a_marker_or_noise(level):
    """Nearly black, white or flat, even where a marker or a little noise is on it."""
    flat = np.full((200, 200), level, np.uint8)
    marked = flat.copy()
    marked[10:30, 10:30] = 255 - level
    noisy = (flat + np.random.default_rng(0).normal(0, 2, flat.shape)).clip(0, 255).astype(np.uint8)
    assert is_blank(flat) and is_blank(marked) and is_blank(noisy)


def test_is_blank_of_a_limb_is_false(limb):
    """A limb is seen, also where it is small."""
    pixels = to_8_bit(limb, 160, 3220)
    assert not is_blank(pixels)
    assert not is_blank(np.pad(pixels, 100))


def test_contrast_counts_what_differs_from_the_median():
    """A tenth of the pixels, nine levels away; eight levels away are not seen."""
    shares = np.zeros(256)
    shares[[100, 109]] = 0.9, 0.1
    assert contrast(shares)[1] == pytest.approx(0.1)
    shares[[108, 109]] = 0.1, 0
    assert contrast(shares) == (pytest.approx(2.4), 0)
    assert MIN_VISIBLE < 0.1


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
