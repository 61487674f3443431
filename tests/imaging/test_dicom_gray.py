"""The gray scale of DICOM files: what they say of it, leave out, or get wrong."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from fracture.errors import RadiographError
from fracture.imaging.radiograph import read
from tests.hostile.dicoms import dicom, modality_table, rescaled, table, windowed
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


@pytest.mark.parametrize(
    ("kind", "shape", "step"),
    [
        ("MONOCHROME2", "INVERSE", "inverted (Presentation LUT Shape)"),
        ("MONOCHROME1", "INVERSE", "inverted (MONOCHROME1)"),
        ("MONOCHROME2", "IDENTITY", None),
    ],
)
def test_render_presentation_lut_shape_inverse_inverts_once(limb, kind, shape, step):
    """INVERSE inverts; with MONOCHROME1, which demands it, not a second time."""
    plain = read(dicom(limb)).pixels
    found = read(dicom(limb, PhotometricInterpretation=kind, PresentationLUTShape=shape))
    assert np.array_equal(found.pixels, 255 - plain if step else plain)
    assert (step in found.steps) == (step is not None)


EMPTY_ITEM = Dataset()
EMPTY_ITEM.add_new("LUTDescriptor", "US", None)
EMPTY_ITEM.add_new("LUTData", "US", None)


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": "", "WindowWidth": "", "RescaleSlope": "", "RescaleIntercept": "", "VOILUTFunction": ""},
        {"VOILUTSequence": [EMPTY_ITEM]},
        {"VOILUTSequence": [Dataset()], "ModalityLUTSequence": [Dataset()]},
        {"VOILUTSequence": [], "PixelPaddingValue": None, "PresentationLUTShape": ""},
        {"RescaleSlope": "", "RescaleIntercept": "0"},
    ],
)
def test_render_empty_elements_are_read_as_if_absent(limb, elements):
    """Elements and items of tables that are there, but have nothing in them."""
    sent = {name: value for name, value in elements.items() if value is not None}
    found = read(dicom(limb, **sent))
    assert np.array_equal(found.pixels, read(dicom(limb)).pixels)
    assert found.steps == ("16 bit to 8 bit",)


def test_render_tables_without_entries_are_read_as_if_absent():
    """A descriptor of no entries describes none."""
    for data in (table([0, 0, 16], []), modality_table([0, 0, 16], [])):
        assert read(data).steps == ("16 bit to 8 bit",)


def test_render_decimal_comma_is_a_point():
    """As some programs write numbers where people do; the same picture as with a point."""
    for comma, point in (
        (windowed("100,5", "150,0"), windowed("100.5", "150.0")),
        (rescaled("2,0", "-7,5"), rescaled("2.0", "-7.5")),
    ):
        assert np.array_equal(read(comma).pixels, read(point).pixels)
        assert read(comma).steps == read(point).steps


def test_render_rescale_slope_0_is_set_aside(limb):
    """It would leave one value of the image; a step says so."""
    found = read(dicom(limb, RescaleSlope=0, RescaleIntercept=5))
    assert np.array_equal(found.pixels, read(dicom(limb)).pixels)
    assert found.steps[0] == "rescale slope 0 set aside"


def test_render_negative_slope_inverts(limb):
    """The highest stored value is then the lowest, as the standard means."""
    found = read(dicom(limb, RescaleSlope=-1, RescaleIntercept=4095))
    assert difference(found.pixels, 255 - read(dicom(limb)).pixels) <= 1


def test_render_window_in_words_is_set_aside():
    """The picture is shown without it."""
    assert read(windowed("wide", "open")).steps == ("window set aside: it is not a number",)


def test_render_slope_in_words_is_refused():
    """In a sentence that is true, and does not repeat the words."""
    with pytest.raises(RadiographError, match="scan must have a rescale slope and intercept that are numbers;"):
        read(rescaled("steep", "high"), "scan")


def test_render_32_bits_has_the_same_scale(limb):
    """Of values beyond 16 bits, every eighth pixel of large images sets the scale."""
    deep = limb.astype(np.uint32) * 100_000
    deep[5, 5] = 2**32 - 1
    assert difference(read(dicom(deep)).pixels[10:], read(dicom(limb)).pixels[10:]) <= 1
