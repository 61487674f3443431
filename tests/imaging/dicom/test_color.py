"""Colors of DICOM files in gray: depths, color spaces, and ranges that the image does not use."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from fracture.imaging.dicom.color import luma
from fracture.imaging.radiograph import load, read
from tests.hostile.dicoms import dicom


@pytest.fixture
def colors():
    """Random colors, (40, 60, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def by_pillow(colors):
    """The gray (H, W) of 8-bit colors (H, W, 3)."""
    return np.asarray(Image.fromarray(colors).convert("L")).astype(int)


def test_color_to_gray_of_8_bits_is_that_of_pillow(colors):
    """To the level."""
    assert np.array_equal(read(dicom(colors)).pixels, by_pillow(colors))


@pytest.mark.parametrize(("bits", "kind"), [(16, np.uint16), (12, np.uint16), (32, np.uint32)])
def test_color_to_gray_of_deep_colors_has_the_range_of_their_bits(colors, bits, kind):
    """The same picture as in 8 bits, within one level; the steps name the bits."""
    deep = (colors / 255 * (2**bits - 1)).astype(kind)
    found = read(dicom(deep, BitsStored=bits, HighBit=bits - 1))
    assert np.abs(found.pixels - by_pillow(colors)).max() <= 1
    assert found.steps == ("color to gray", f"{bits} bit to 8 bit")


def test_color_to_gray_of_12_bits_in_16_is_not_black(colors):
    """Colors that span little of their range get the range of their values; a step says so."""
    shallow = colors.astype(np.uint16) * 16
    found = read(dicom(shallow))
    assert found.pixels.max() == 255
    assert found.steps[0] == "range of 16 bits set aside: the image spans 6% of it"


def test_color_to_gray_by_plane_is_that_by_pixel(colors):
    """Planar Configuration 1, in 16 bits."""
    deep = colors.astype(np.uint16) * 257
    by_plane = np.ascontiguousarray(np.moveaxis(deep, -1, 0))
    found = read(dicom(deep, PlanarConfiguration=1, PixelData=by_plane.tobytes()))
    assert np.array_equal(found.pixels, read(dicom(deep)).pixels)


def test_color_to_gray_of_deep_ybr_is_its_luma(colors):
    """The first of the three."""
    deep = colors.astype(np.uint16) * 257
    found = read(dicom(deep, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(found.pixels - colors[..., 0].astype(int)).max() <= 1


def test_color_to_gray_of_partial_range_is_stretched():
    """YBR_PARTIAL_422 has its black at 16 and its white at 235, and two lumas to each pair of chromas."""
    luma_values = np.linspace(16, 235, 64 * 40).astype(np.uint8).reshape(40, 64)
    packed = np.full((40, 32, 4), 128, np.uint8)
    packed[..., :2] = luma_values.reshape(40, 32, 2)
    data = dicom(
        np.zeros((40, 64, 3), np.uint8), PhotometricInterpretation="YBR_PARTIAL_422", PixelData=packed.tobytes()
    )
    expected = (luma_values.astype(float) - 16) / 219 * 255
    assert np.abs(read(data).pixels - expected).max() <= 1


@pytest.mark.parametrize(
    "name", ["SC_rgb_16bit.dcm", "SC_rgb_32bit.dcm", "SC_rgb_expb_16bit.dcm", "SC_rgb_rle_32bit.dcm"]
)
def test_color_to_gray_of_real_deep_files_equals_8_bits(name):
    """The same test image, in other depths and byte orders."""
    eight = load(Path(get_testdata_file("SC_rgb.dcm", download=False)))
    deep = load(Path(get_testdata_file(name, download=False)))
    assert np.abs(deep.pixels.astype(int) - eight.pixels).max() <= 1


def test_luma_weights_add_up_to_one():
    """White stays white."""
    assert luma(np.array([[65535, 65535, 65535]], np.uint16))[0] == pytest.approx(65535)
