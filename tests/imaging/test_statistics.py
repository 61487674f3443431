import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw, ImageOps
from scipy.ndimage import gaussian_filter

from fracture.imaging.statistics import light_strip, marks, measure_pixels
from tests.support.drawing import draw_limb


@pytest.fixture
def limb():
    """A drawn limb, (400, 400)."""
    return draw_limb(np.random.default_rng(0), 400, positive=False)


def blurred(seed: int) -> Image.Image:
    """Clouds without noise, 400 x 400, as unlike each other as two radiographs."""
    clouds = gaussian_filter(np.random.default_rng(seed).normal(size=(400, 400)), 15)
    return Image.fromarray(np.interp(clouds, [clouds.min(), clouds.max()], [0, 255]).astype(np.uint8))


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_measure_pixels_counts_gray_levels_of_all_pixels():
    """An image half black and half white has known levels."""
    pixels = np.zeros((100, 100), np.uint8)
    pixels[:, 50:] = 255
    found = measure_pixels(pixels)
    assert (found.mean, found.median, found.spread) == (127.5, 0, 127.5)
    assert (found.black, found.white, found.dark, found.light) == (0.5, 0.5, 0.5, 0.5)
    assert (found.border, found.inside) == (127.5, 127.5)


def test_measure_pixels_separates_border_and_inside():
    """The outermost twentieth on each side is the border."""
    pixels = np.full((100, 200), 10, np.uint8)
    pixels[5:-5, 5:-5] = 90
    found = measure_pixels(pixels)
    assert (found.border, found.inside) == (10, 90)


@settings(deadline=None, max_examples=50)
@given(arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90))))
def test_measure_pixels_of_any_shape_is_in_range(pixels):
    """Down to a single pixel, every measure is a number in its range."""
    found = measure_pixels(pixels)
    assert 0 <= found.mean <= 255 and 0 <= found.border <= 255 and 0 <= found.inside <= 255
    assert 0 <= found.strip <= 1 and found.marks >= 0
    assert len(found.phash) == len(found.phash_mirrored) == 64


@pytest.mark.parametrize("turns", range(4))
def test_light_strip_is_found_on_each_side(limb, turns):
    """A white band of a tenth of the image along any border is a strip of a tenth, behind a thin dark edge as well."""
    pixels = np.rot90(limb, turns).copy()
    pixels[:40] = 240
    pixels[:4] = 0
    assert light_strip(np.rot90(pixels, -turns)) == pytest.approx(0.1, abs=0.01)


def test_light_strip_ignores_what_fades(limb):
    """A thigh that grows darker bit by bit is no strip; nor is a limb that reaches the border."""
    fading = np.maximum(limb, np.linspace(255, 0, 400)[:, None].astype(np.uint8))
    assert light_strip(limb) == light_strip(fading) == 0


def test_light_strip_of_a_white_image_is_none():
    """Where all is light, nothing is a border."""
    assert light_strip(np.full((50, 50), 250, np.uint8)) == 0


def test_marks_finds_letters(limb):
    """Letters in white beside the limb are found where they are."""
    picture = Image.fromarray(limb)
    for left, letter in ((40, "L"), (90, "R")):
        ImageDraw.Draw(picture).text((left, 300), letter, fill=255, font_size=30)
    found = sorted(marks(np.asarray(picture)))
    assert len(found) == 2
    for (left, top, width, height), place in zip(found, (40, 90), strict=True):
        assert place <= left < left + width <= place + 30 and 300 <= top < top + height <= 340


def test_marks_ignores_bones_specks_and_borders(limb):
    """A bright bone, a hot pixel, a white border and a bright patch within soft tissue are no marks."""
    limb[100:300, 180:220] = 255
    limb[50, 50] = 255
    limb[:, -30:] = 255
    limb[320:340, 60:80] = 255
    limb[310:350, 50:90] = np.maximum(limb[310:350, 50:90], 160)
    assert list(marks(limb)) == []


def test_phash_of_a_changed_copy_is_near():
    """Reduced, saved as JPEG, darker: few bits change. In another image, many do."""
    picture, file = blurred(0), io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    known = measure_pixels(np.asarray(picture)).phash
    for changed in (picture.resize((150, 150)), Image.open(file), picture.point(lambda level: level * 0.8)):
        assert bits_apart(known, measure_pixels(np.asarray(changed)).phash) <= 24
    assert bits_apart(known, measure_pixels(np.asarray(blurred(1))).phash) > 60


def test_phash_mirrored_is_that_of_the_mirror_image(limb):
    """It is the hash that the mirror image would have."""
    mirrored = np.asarray(ImageOps.mirror(Image.fromarray(limb)))
    assert measure_pixels(limb).phash_mirrored == measure_pixels(mirrored).phash
