"""Black and white of DICOM files: windows that fit and those that do not, and values alone."""

import numpy as np
import pytest

from fracture.imaging.radiograph import read
from tests.hostile.dicoms import dicom, windowed
from tests.support.drawing import draw_limb

# pytest puts aside the filters that the modules set.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def limb():
    """A drawn limb as 12-bit values from 160 on, (200, 200)."""
    return draw_limb(np.random.default_rng(0), 200, positive=False).astype(np.uint16) * 12 + 160


def difference(one, other):
    """The largest distance of two images in gray levels."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_render_without_window_leaves_out_a_marker(limb):
    """A saturated marker is white, and the limb keeps its gray levels; a step says so."""
    marked = limb.copy()
    marked[5:20, 5:20] = 4095
    found = read(dicom(marked, BitsStored=12, HighBit=11))
    assert difference(found.pixels[30:], read(dicom(limb)).pixels[30:]) <= 1
    assert found.steps == ("12 bit to 8 bit", "gray scale set without outliers (0.56% of the pixels)")


def test_render_8_bit_window_of_12_bits_is_set_aside(limb):
    """An image that spans a small part of the window is shown without it; a step says so."""
    pixels = (limb // 16).astype(np.uint8)
    found = read(dicom(pixels, WindowCenter=2048, WindowWidth=4096))
    assert np.array_equal(found.pixels, pixels)
    assert found.steps == ("window 2048/4096 set aside: the image spans 3% of it",)


@pytest.mark.parametrize(("center", "side"), [(40, "white"), (9000, "black")])
def test_render_window_that_saturates_the_image_is_set_aside(limb, center, side):
    """Below or above all values, it would leave nothing to see."""
    found = read(dicom(limb, WindowCenter=center, WindowWidth=200))
    assert np.array_equal(found.pixels, read(dicom(limb)).pixels)
    assert found.steps[0] == f"window {center}/200 set aside: it would make 100% of the gray levels {side}"


@pytest.mark.parametrize("level", [0, 60, 4000, 4095])
def test_render_collimated_image_keeps_its_window(limb, level):
    """A black or white surround of four fifths of the pixels is no reason to set the window aside."""
    noise = np.random.default_rng(0).normal(0, 10, (450, 450))
    surround = (level + noise).clip(0, 4095).astype(np.uint16)
    surround[100:300, 100:300] = limb
    found = read(dicom(surround, WindowCenter=1200, WindowWidth=1800))
    assert found.steps == ("window 1200/1800",)


def test_render_window_in_words_is_set_aside():
    """The picture is shown without it."""
    assert read(windowed("wide", "open")).steps == ("window set aside: it is not a number",)


def test_render_32_bits_has_the_same_scale(limb):
    """Of values beyond 16 bits, every eighth pixel of large images sets the scale."""
    deep = limb.astype(np.uint32) * 100_000
    deep[5, 5] = 2**32 - 1
    assert difference(read(dicom(deep)).pixels[10:], read(dicom(limb)).pixels[10:]) <= 1
