"""Stored values of DICOM files: where their bits lie, and which of them are padding."""

import numpy as np
import pytest

from fracture.imaging.radiograph import read
from tests.hostile.dicoms import dicom
from tests.support.drawing import draw_limb

# pytest puts aside the filters that the modules set.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def limb():
    """A drawn limb as 12-bit values from 160 on, (200, 200)."""
    return draw_limb(np.random.default_rng(0), 200, positive=False).astype(np.uint16) * 12 + 160


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padding", [65535, 0])
@pytest.mark.parametrize("more", [{}, {"WindowCenter": 1500, "WindowWidth": 2000}])
def test_render_padding_is_black_and_takes_no_part(limb, kind, padding, more):
    """Pixels of the Pixel Padding Value do not change the others, with a window and without, and become black."""
    framed = np.pad(limb, 60, constant_values=padding)
    found = read(dicom(framed, PhotometricInterpretation=kind, PixelPaddingValue=padding, **more))
    plain = read(dicom(limb, PhotometricInterpretation=kind, **more))
    assert np.array_equal(found.pixels[60:-60, 60:-60], plain.pixels)
    assert found.pixels[:60].max() == 0
    assert "padding is black (60.9% of the pixels)" in found.steps


def test_render_padding_range_is_black(limb):
    """From Pixel Padding Value to Pixel Padding Range Limit, in whichever order."""
    framed = np.pad(limb, 60, constant_values=60000)
    framed[:30] = 65535
    for value, limit in ((60000, 65535), (65535, 60000)):
        found = read(dicom(framed, PixelPaddingValue=value, PixelPaddingRangeLimit=limit))
        assert np.array_equal(found.pixels[60:-60, 60:-60], read(dicom(limb)).pixels)
        assert found.pixels[:60].max() == 0


def test_render_signed_padding_is_found(limb):
    """In a signed image, a negative padding value."""
    signed = np.pad(limb.astype(np.int16) - 1000, 60, constant_values=-2000)
    assert read(dicom(signed, PixelPaddingValue=-2000)).pixels[:60].max() == 0
    assert "padding is black (60.9% of the pixels)" in read(dicom(signed, PixelPaddingValue=-2000)).steps


def test_render_padding_of_all_pixels_is_set_aside(limb):
    """A range that leaves nothing of the image is no padding."""
    found = read(dicom(limb, PixelPaddingValue=0, PixelPaddingRangeLimit=65535))
    assert np.array_equal(found.pixels, read(dicom(limb)).pixels)
    assert found.steps[0] == "padding value set aside: all pixels have it"


@pytest.mark.parametrize("more", [{}, {"WindowCenter": 2048, "WindowWidth": 4096}])
@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_render_left_aligned_pixels_are_shifted(limb, more, kind):
    """High Bit 15 with 12 bits stored: the same picture as right-aligned, with a step; bits below are no part of it."""
    values = limb.astype(kind) - (1000 if kind == np.int16 else 0)
    shifted = (values << 4) + kind(5)
    right = read(dicom(values.astype(kind), BitsStored=12, HighBit=11, **more))
    left = read(dicom(shifted.astype(kind), BitsStored=12, HighBit=15, **more))
    assert np.array_equal(left.pixels, right.pixels)
    assert left.steps == ("shifted by 4 bits (high bit 15)", *right.steps)


@pytest.mark.parametrize("high_bit", [15, 9, 31])
def test_render_high_bit_that_is_wrong_is_set_aside(limb, high_bit):
    """Pixels that lie where no High Bit could have put them are taken as right-aligned."""
    values = limb + np.uint16(1)
    found = read(dicom(values, BitsStored=12, HighBit=high_bit))
    assert np.array_equal(found.pixels, read(dicom(values, BitsStored=12, HighBit=11)).pixels)
    assert found.steps[0] == "high bit set aside: the pixels do not lie there"


def test_render_bits_above_the_high_bit_are_no_part_of_the_values(limb):
    """Overlays lay there in old files."""
    overlaid = limb.copy()
    overlaid[50:60] |= 0xF000
    assert np.array_equal(read(dicom(overlaid, BitsStored=12, HighBit=11)).pixels, read(dicom(limb)).pixels)
