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


def test_render_slope_in_words_is_refused():
    """In a sentence that is true, and does not repeat the words."""
    with pytest.raises(RadiographError, match="scan must have a rescale slope and intercept that are numbers;"):
        read(rescaled("steep", "high"), "scan")
