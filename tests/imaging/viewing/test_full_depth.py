"""The full stored depth of images, and that with the model's own window it gives what the model sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from fracture.errors import RadiographError
from fracture.imaging.radiograph import read
from fracture.imaging.viewing.full_depth import FullDepth, Spacing, load_full_depth, of_gray, read_full_depth
from tests.imaging.test_radiograph import deep_png, dicom, encoded

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RAMP = (np.arange(48 * 64, dtype=np.uint16) % 4096).reshape(48, 64)
"""Values of 12 bits in every step."""


def values_of(full: FullDepth) -> np.ndarray:
    return full.pixels * full.slope + full.intercept


def assert_shows_what_the_model_sees(data: bytes, **options) -> FullDepth:
    full = read_full_depth(data, **options)
    seen = read(data, **options)
    assert np.abs(full.gray().astype(int) - seen.pixels).max() == 0
    assert (full.width, full.height) == (seen.width, seen.height)
    return full


def test_read_full_depth_of_8_bit_png_keeps_its_pixels():
    """A PNG of 8 bits is its own full depth."""
    gray = (RAMP % 256).astype(np.uint8)
    full = assert_shows_what_the_model_sees(encoded(gray))
    assert (full.pixels == gray).all()
    assert full.bits == 8
    assert full.window == (128, 256)


def test_read_full_depth_of_16_bit_png_keeps_every_value():
    """Where the model gets 256 gray levels, the viewer gets all 3,072."""
    full = assert_shows_what_the_model_sees(encoded(RAMP))
    assert (values_of(full) == RAMP).all()
    assert full.bits == 12


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_read_full_depth_of_16_bit_png_in_color_or_with_alpha(channels):
    """Color becomes gray in 16 bits; what is transparent is black for the model, and for the viewer."""
    alpha = np.full_like(RAMP, 65535)
    alpha[:6] = 30_000
    planes = {2: [RAMP, alpha], 3: [RAMP] * 3, 4: [RAMP] * 3 + [alpha]}[channels]
    data = deep_png(np.stack(planes, axis=-1))
    full = read_full_depth(data)
    # A half-transparent value is rounded to a level of 16 bits, before and not after it is scaled to 8.
    assert np.abs(full.gray().astype(int) - read(data).pixels).max() <= 1
    assert (values_of(full)[6:] == RAMP[6:]).all()


def test_read_full_depth_of_tiff_comes_from_the_worker():
    """A 16-bit TIFF is decoded by a worker process, in full depth."""
    full = assert_shows_what_the_model_sees(encoded(RAMP, "TIFF"))
    assert (values_of(full) == RAMP).all()


def test_read_full_depth_of_8_bit_bmp_is_as_it_is():
    """Of a picture of 8 bits there is no more."""
    full = assert_shows_what_the_model_sees(encoded(RAMP.astype(np.uint8), "BMP"))
    assert (full.low, full.high, full.bits) == (0, 255, 8)


def test_read_full_depth_of_12_bit_dicom_with_window_names_it():
    """The values reach beyond the window, whose ends are what the model sees as black and white."""
    full = assert_shows_what_the_model_sees(dicom(RAMP, BitsStored=12, HighBit=11, WindowCenter=1500, WindowWidth=2000))
    assert (full.low, full.high) == (500, 2499)  # C.11.2.1.2.1
    assert full.window == (1500, 2000)
    assert (values_of(full) == RAMP).all()
    assert not full.inverted


def test_read_full_depth_of_monochrome1_is_inverted():
    """The lowest value is white, and the values stay as they are."""
    full = assert_shows_what_the_model_sees(dicom(RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert full.inverted
    assert (values_of(full) == RAMP).all()


@pytest.mark.parametrize(("slope", "intercept"), [(2.5, -1000), (-1, 4095), (0.001, 0)])
def test_read_full_depth_speaks_of_rescaled_values(slope, intercept):
    """A window is in the units of rescaled values, of any slope, and none of their steps is lost."""
    full = assert_shows_what_the_model_sees(dicom(RAMP, RescaleSlope=slope, RescaleIntercept=intercept))
    assert np.allclose(values_of(full), RAMP * float(slope) + intercept)


def test_read_full_depth_of_signed_values_keeps_their_sign():
    """Negative values are values, too."""
    signed = RAMP.astype(np.int16) - 2000
    full = assert_shows_what_the_model_sees(dicom(signed))
    assert (values_of(full) == signed).all()


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_read_full_depth_leaves_padding_out_of_the_range(kind):
    """Padding is black, and takes no part of the 16 bits."""
    padded = RAMP.copy()
    padded[0] = 65535
    elements = {
        "PixelPaddingValue": 65535,
        "PhotometricInterpretation": kind,
        "WindowCenter": 2000,
        "WindowWidth": 5000,
    }
    full = assert_shows_what_the_model_sees(dicom(padded, **elements))
    assert values_of(full).max() <= 4500
    assert (full.gray()[0] == 0).all()


def test_read_full_depth_chooses_a_frame():
    """Of several frames the chosen one is shown, as the model would see it."""
    frames = np.stack([RAMP, RAMP[::-1], RAMP // 2])
    data = dicom(frames[0], PixelData=frames.tobytes(), NumberOfFrames=3)
    full = assert_shows_what_the_model_sees(data, frame=2)
    assert (values_of(full) == RAMP[::-1]).all()
    with pytest.raises(RadiographError, match=r"must be 1 to 3\. Received: 4"):
        read_full_depth(data, frame=4)


@pytest.mark.parametrize("name", ["RG1_UNCR", "RG1_J2KR", "RG3_UNCR", "RG3_J2KR", "MR_small", "CT_small"])
def test_load_full_depth_of_real_files_shows_what_the_model_sees(name):
    """Real files, compressed or not: with the model's window, the gray levels are those of the model."""
    path = Path(get_testdata_file(f"{name}.dcm", download=False))
    full = load_full_depth(path)
    assert np.abs(full.gray().astype(int) - read(path.read_bytes()).pixels).max() <= 1
    assert full.bits > 8


def test_read_full_depth_of_color_dicom_is_gray():
    """Color has 8 bits a channel, and the viewer shows its gray."""
    path = Path(get_testdata_file("SC_rgb.dcm", download=False))
    assert (load_full_depth(path).pixels == read(path.read_bytes()).pixels).all()


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({}, None),
        ({"PixelSpacing": [0.2, 0.1]}, Spacing(0.1, 0.2, False)),
        ({"ImagerPixelSpacing": [0.15, 0.15]}, Spacing(0.15, 0.15, True)),
        ({"ImagerPixelSpacing": [0.15, 0.15], "PixelSpacing": [0.1, 0.1]}, Spacing(0.1, 0.1, False)),
        ({"PixelSpacing": [0, 0.1]}, None),
        ({"PixelSpacing": [200, 200]}, None),
        ({"PixelSpacing": [0.1, 0.1, 0.1]}, None),
    ],
)
def test_read_full_depth_spacing_is_that_of_the_file(elements, spacing):
    """The spacing at the body is preferred to that on the detector; what can't be one is none."""
    assert read_full_depth(dicom(RAMP, **elements)).spacing == spacing


def test_read_full_depth_of_no_radiograph_is_refused():
    """What the reader for the model refuses is refused with the same words."""
    with pytest.raises(RadiographError, match="PDF document"):
        read_full_depth(b"%PDF-1.7 ...", "x.pdf")
    with pytest.raises(RadiographError, match="damaged or cut short"):
        read_full_depth(encoded(RAMP)[:60])


def test_load_full_depth_of_a_missing_file_is_refused(tmp_path):
    """A missing file is a sentence."""
    with pytest.raises(RadiographError, match=r"x\.png cannot be opened"):
        load_full_depth(tmp_path / "x.png")


def test_read_full_depth_applies_exif_orientation():
    """A picture that must be turned is turned, as for the model."""
    exif = Image.Exif()
    exif[0x0112] = 6
    full = assert_shows_what_the_model_sees(encoded(RAMP, exif=exif))
    assert full.pixels.shape == (64, 48)


def test_shrunk_keeps_the_size_of_the_image_and_the_depth():
    """A smaller copy keeps the values, and says how large the image is."""
    smooth = np.linspace(0, 4000, 80 * 100).reshape(80, 100).astype(np.uint16)
    small = read_full_depth(encoded(smooth)).shrunk(50)
    assert small.pixels.shape == (40, 50)
    assert (small.width, small.height) == (100, 80)
    assert len(np.unique(small.pixels)) > 256
    assert small.shrunk(50) is small


def test_read_full_depth_of_compressed_dicom_equals_uncompressed():
    """JPEG 2000 keeps all 16 bits."""
    packed = encoded(RAMP, "JPEG2000", irreversible=False)
    codestream = packed[packed.index(b"\xff\x4f\xff\x51") :]
    full = read_full_depth(dicom(RAMP, JPEG2000Lossless, PixelData=encapsulate([codestream])))
    assert (values_of(full) == RAMP).all()


def test_of_gray_takes_pixels_as_they_are():
    """An image that was never a file can be viewed, too."""
    gray = (RAMP % 256).astype(np.uint8)
    assert (of_gray(gray).gray() == gray).all()
