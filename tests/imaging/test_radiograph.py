"""Images of every kind: radiograph, png_jpeg and dicom."""

import gzip
import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fracture.errors import ConfigError, RadiographError
from fracture.imaging.limits import MAX_PIXELS
from fracture.imaging.radiograph import (
    Radiograph,
    check_visible,
    count_frames,
    encode_thumbnail,
    fit,
    frame,
    header_size,
    load,
    read,
    unfit,
)
from tests.support.drawing import draw_limb

# pytest puts aside the filters that the modules set; test_import_is_cheap_and_reading_silent looks at them.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RAMP = np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8)


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def dicom(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return file.getvalue()


def test_read_gray_png_keeps_its_pixels():
    """An 8-bit grayscale PNG comes out pixel by pixel, with nothing done to it."""
    radiograph = read(encoded(RAMP))
    assert np.array_equal(radiograph.pixels, RAMP)
    assert (radiograph.format, radiograph.steps) == ("PNG", ())
    assert (radiograph.width, radiograph.height) == (8, 6)


@pytest.mark.parametrize("mode", ["RGB", "P", "LA", "RGBA"])
def test_read_opaque_modes_keep_gray(mode):
    """A gray image stored as color, palette or with opaque alpha gives the same grays."""
    assert np.array_equal(read(encoded(Image.fromarray(RAMP).convert(mode))).pixels, RAMP)


def test_read_one_bit_png_is_black_and_white():
    """A 1-bit PNG becomes 0 and 255."""
    assert read(encoded(Image.fromarray(RAMP > 100))).pixels.tolist() == np.where(RAMP > 100, 255, 0).tolist()


def test_read_color_becomes_luminosity():
    """Color is weighted by ITU-R 601, and the step is listed."""
    radiograph = read(encoded(Image.new("RGB", (2, 2), (0, 255, 0))))
    assert radiograph.pixels.tolist() == [[150, 150], [150, 150]]
    assert radiograph.steps == ("color to gray",)


def test_read_alpha_lies_over_black():
    """A half transparent pixel is half as bright."""
    radiograph = read(encoded(Image.merge("LA", [Image.new("L", (1, 1), 200), Image.new("L", (1, 1), 128)])))
    assert abs(int(radiograph.pixels[0, 0]) - 100) <= 1
    assert radiograph.steps == ("alpha over black",)


def test_read_transparent_palette_entry_is_black():
    """A palette's transparent entry counts as black, whatever its color."""
    image = Image.new("P", (1, 1), 0)
    image.putpalette([255, 255, 255])
    assert read(encoded(image, transparency=0)).pixels.tolist() == [[0]]


def test_read_16_bit_png_uses_its_own_range():
    """A 16-bit PNG goes linearly from its minimum (0) to its maximum (255), as 12-bit values lie in 16."""
    radiograph = read(encoded(np.array([[100, 1100, 2100]], np.uint16)))
    assert radiograph.pixels.tolist() == [[0, 128, 255]]
    assert radiograph.steps == ("16 bit to 8 bit",)


def test_read_uniform_16_bit_png_is_black():
    """A 16-bit image of one value has no range and becomes black rather than an error."""
    assert read(encoded(np.full((2, 2), 700, np.uint16))).pixels.max() == 0


def deep_png(samples: np.ndarray) -> bytes:
    """A 16-bit PNG of samples (H, W) in gray, or (H, W, 2 to 4): gray and alpha, RGB, RGBA. Pillow writes none."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    height, width = samples.shape[:2]
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[samples.size // (height * width)]
    rows = samples.astype(">u2").reshape(height, -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


DEEP = np.arange(48, dtype=np.uint16).reshape(6, 8) * 80 + 3
"""Values of 12 bits, which lie in 16."""

OPAQUE = np.full_like(DEEP, 65535)


@pytest.mark.parametrize(
    ("planes", "step"),
    [
        ([DEEP, OPAQUE], "alpha over black"),
        ([DEEP, DEEP, DEEP], "color to gray"),
        ([DEEP, DEEP, DEEP, OPAQUE], "color to gray"),
    ],
)
def test_read_16_bit_color_png_equals_gray(planes, step):
    """RGB and alpha keep all 16 bits: the gray levels are those of the same values in a gray file."""
    radiograph = read(deep_png(np.stack(planes, axis=-1)))
    assert np.array_equal(radiograph.pixels, read(deep_png(DEEP)).pixels)
    assert radiograph.steps[0] == "16 bit to 8 bit" and step in radiograph.steps


def test_read_16_bit_png_transparent_pixels_are_black_and_take_no_part():
    """What is transparent does not set the gray scale."""
    values, alpha = DEEP.copy(), OPAQUE.copy()
    values[0], alpha[0] = 60000, 0
    radiograph = read(deep_png(np.stack([values, alpha], axis=-1)))
    assert (radiograph.pixels[0] == 0).all()
    assert (radiograph.pixels[1, 0], radiograph.pixels[-1, -1]) == (0, 255)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_read_16_bit_png_marker_does_not_set_the_scale(channels):
    """A marker at 65535 in 12-bit content becomes white, and leaves the rest as it is without it; a step says so."""
    limb = draw_limb(np.random.default_rng(0), 200, positive=False).astype(np.uint16) * 12
    marked = limb.copy()
    marked[5:20, 5:20] = 65535
    planes = np.stack([marked] * (3 if channels >= 3 else 1), axis=-1)
    if channels in (2, 4):
        planes = np.concatenate([planes, np.full((200, 200, 1), 65535, np.uint16)], axis=-1)
    found = read(deep_png(planes))
    expected = read(deep_png(limb)).pixels.astype(int)
    assert (found.pixels[5:20, 5:20] == 255).all()
    assert np.abs(found.pixels[30:].astype(int) - expected[30:]).max() <= 1
    assert found.steps[1] == "gray scale set without outliers (0.56% of the pixels)"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_read_8_bit_files_keep_the_pixels_of_pillow(kind):
    """An 8-bit image keeps its gray scale, with a marker, a frame and all."""
    limb = draw_limb(np.random.default_rng(0), 200, positive=False) // 3
    limb[5:20, 5:20] = 255
    data = encoded(np.pad(limb, 9), kind)
    radiograph = read(data)
    assert np.array_equal(radiograph.pixels, np.asarray(Image.open(BytesIO(data))))
    assert radiograph.steps == ()


@pytest.mark.parametrize(("level", "word"), [(0, "black"), (255, "white"), (120, "of one gray level")])
def test_check_visible_of_nothing_to_see_is_refused(level, word):
    """A picture that is nearly black, white or flat is refused in a sentence that names it."""
    with pytest.raises(RadiographError, match=f"^view.png must show something. .* nearly all {word};"):
        check_visible(read(encoded(np.full((64, 64), level, np.uint8))), "view.png")


def test_check_visible_of_a_limb_passes():
    """A drawn limb shows something."""
    check_visible(Radiograph(draw_limb(np.random.default_rng(0), 100, positive=False), "PNG"), "view.png")


def test_read_cmyk_jpeg_is_gray():
    """A CMYK JPEG is converted by way of RGB: no ink is white."""
    assert read(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")).pixels.min() >= 253


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (0, -1)), (3, (-1, -1)), (4, (-1, 0)), (5, (0, 0)), (6, (0, -1)), (7, (-1, -1)), (8, (-1, 0))],
)
def test_read_applies_exif_orientation(tmp_path, kind, orientation, corner):
    """A bright corner goes where the EXIF data say, and the header's size agrees with the pixels."""
    pixels = np.zeros((32, 48), np.uint8)
    pixels[:16, :24] = 250  # top left as stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned"
    path.write_bytes(encoded(pixels, kind, exif=exif))
    radiograph = load(path)
    assert radiograph.pixels[corner] > 200
    assert (radiograph.pixels > 128).mean() == pytest.approx(0.25, abs=0.02)
    assert header_size(path) == (radiograph.width, radiograph.height)
    assert (radiograph.width, radiograph.height) == ((48, 32) if orientation < 5 else (32, 48))
    assert ("rotated as the EXIF says" in radiograph.steps) == (orientation != 1)


def test_read_ignores_damaged_exif():
    """Damaged EXIF data do not change the pixels."""
    assert read(encoded(RAMP, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")).width == 8


def test_read_monochrome1_is_inverted():
    """A MONOCHROME1 DICOM, whose 0 is white, comes out inverted."""
    first = read(dicom(RAMP, PhotometricInterpretation="MONOCHROME1"))
    second = read(dicom(RAMP, PhotometricInterpretation="MONOCHROME2"))
    assert np.array_equal(first.pixels, 255 - second.pixels)
    assert first.steps == ("inverted (MONOCHROME1)",)
    assert second.steps == ()


def test_read_window_maps_its_ends_to_black_and_white():
    """A window's ends become 0 and 255 and what lies outside is clipped, even if the image fills a part of it."""
    values = np.array([[0, 100, 149, 199, 500]], np.uint16)
    radiograph = read(dicom(values, WindowCenter=150, WindowWidth=100))
    assert radiograph.pixels.tolist() == [[0, 0, 126, 255, 255]]
    assert radiograph.steps == ("window 150/100",)
    assert read(dicom(values[:, 1:3], WindowCenter=150, WindowWidth=100)).pixels.max() == 126


def test_read_uses_the_first_of_several_windows():
    """A DICOM with several windows is shown by its first one."""
    values = np.array([[0, 1000]], np.uint16)
    assert read(dicom(values, WindowCenter=[500, 1], WindowWidth=[1000, 2])).steps == ("window 500/1000",)


def test_read_ignores_a_window_without_width():
    """A window of no width is no window: the values' own range is used."""
    assert read(dicom(np.array([[5, 9]], np.uint16), WindowCenter=7, WindowWidth=0)).pixels.tolist() == [[0, 255]]


def test_read_window_is_in_rescaled_values():
    """The window is applied to the values after slope and intercept."""
    values = np.array([[0, 50, 100]], np.uint16)
    radiograph = read(dicom(values, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=0.5, WindowWidth=201))
    assert radiograph.pixels.tolist() == [[0, 128, 255]]


def test_read_signed_dicom_without_window_uses_its_own_range():
    """Signed values without a window go from their minimum to their maximum."""
    radiograph = read(dicom(np.array([[-1000, 0, 1000]], np.int16)))
    assert radiograph.pixels.tolist() == [[0, 128, 255]]
    assert radiograph.steps == ("16 bit to 8 bit",)


def test_read_voi_table_maps_values_beyond_its_depth():
    """A table of 8-bit entries is looked up with all its entries, also beyond the 255th."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [1024, 0, 8])
    item.add_new("LUTData", "US", [index // 4 for index in range(1024)])
    radiograph = read(dicom(np.array([[0, 400, 1023, 4000]], np.uint16), VOILUTSequence=[item]))
    assert radiograph.pixels.tolist() == [[0, 100, 255, 255]]
    assert radiograph.steps == ("VOI table",)


def test_read_rgb_dicom_becomes_gray():
    """An 8-bit color DICOM becomes its luminosity."""
    pixels = np.repeat(RAMP[..., None], 3, axis=2)
    radiograph = read(dicom(pixels, PhotometricInterpretation="RGB", PlanarConfiguration=0))
    assert np.array_equal(radiograph.pixels, RAMP)


def test_read_dicom_without_preamble_is_read():
    """A DICOM file that begins at once with its elements is recognized."""
    assert np.array_equal(read(dicom(RAMP)[128 + 4 :]).pixels, RAMP)


def test_read_jpeg2000_equals_uncompressed():
    """A real lower leg gives the same pixels from lossless JPEG 2000 as uncompressed."""
    plain, packed = (load(Path(get_testdata_file(f"RG3_{kind}.dcm", download=False))) for kind in ("UNCR", "J2KR"))
    assert np.array_equal(plain.pixels, packed.pixels)
    assert plain.steps == ("window 550/1024", "inverted (MONOCHROME1)")
    assert plain.pixels.shape == (1760, 1760)


@pytest.mark.parametrize("name", ["RG1_UNCR", "RG1_UNCI", "RG1_J2KR", "RG1_J2KI"])
def test_read_real_chest_in_every_encoding(name):
    """A real chest radiograph is read from every encoding, with its size known from its header."""
    path = Path(get_testdata_file(f"{name}.dcm", download=False))
    radiograph = load(path)
    assert header_size(path) == (radiograph.width, radiograph.height) == (1841, 1955)
    assert radiograph.pixels.std() > 20


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, no image", "must be in PNG, JPEG, TIFF, .* or DICOM; its content is none of these"),
        (b"%PDF-1.7 ...", "is a PDF document, which is not read; export the X-ray in it"),
        (encoded(RAMP)[:50], "damaged or cut short"),
        (dicom(RAMP)[:-20], "damaged or cut short"),
        (dicom(RAMP, NumberOfFrames=2), "damaged or cut short"),  # there are the pixels of one
        (dicom(RAMP, PixelData=None), "without an image"),
        (dicom(RAMP, Rows=0), "without an image"),
        (dicom(RAMP, PhotometricInterpretation="PALETTE COLOR"), "must have the palette of its colors"),
        (dicom(RAMP, Rows=9000, Columns=9000), "at most 50 million pixels"),
    ],
)
def test_read_other_files_are_refused_by_name(data, words):
    """Whatever cannot be read is refused in one sentence that names the file."""
    with pytest.raises(RadiographError, match=words) as error:
        read(data, "scan.png")
    assert str(error.value).startswith("scan.png ")
    assert "\n" not in str(error.value)


def test_read_undecodable_compression_is_named():
    """A DICOM whose compression cannot be decoded here says which one that is."""
    data = dicom(RAMP, MPEG4HP41, PixelData=encapsulate([bytes(64)]))
    with pytest.raises(RadiographError, match="compressed as MPEG-4"):
        read(data)


COMPRESSIONS = {
    "JPEG Lossless": (JPEGLosslessSV1, imagecodecs.ljpeg_encode),
    "JPEG Lossless of any predictor": (JPEGLossless, lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True)),
    "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG-LS near-lossless": (JPEGLSNearLossless, lambda pixels: imagecodecs.jpegls_encode(pixels, level=1)),
    "JPEG 2000": (JPEG2000Lossless, lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", level=0)),
    "JPEG 2000 in JP2": (JPEG2000, lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", level=0)),
    "HTJ2K": (HTJ2KLossless, imagecodecs.htj2k_encode),
}


@pytest.mark.parametrize("kind", COMPRESSIONS)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_read_compressed_dicom_equals_uncompressed(kind, bits):
    """Each compression that PACS use gives the same picture as no compression, in 8, 12 and 16 bits."""
    syntax, encode = COMPRESSIONS[kind]
    ramp = np.add.outer(np.arange(96) * 40, np.arange(64) * 4)
    pixels = (ramp * (2**bits - 1) // ramp.max()).astype(np.uint8 if bits == 8 else np.uint16)
    elements = {"BitsStored": bits, "HighBit": bits - 1}
    plain = read(dicom(pixels, **elements))
    packed = read(dicom(pixels, syntax, PixelData=encapsulate([encode(pixels)]), **elements))
    assert np.abs(plain.pixels.astype(int) - packed.pixels).max() <= 1
    assert plain.steps == packed.steps


def test_read_signed_jpeg_ls_equals_uncompressed():
    """Negative values of 12 bits come out of a codestream that knows no sign."""
    pixels = np.arange(-2048, 2048, dtype=np.int16).reshape(64, 64)
    elements = {"BitsStored": 12, "HighBit": 11}
    frame = imagecodecs.jpegls_encode(pixels.view(np.uint16) & 4095)
    packed = read(dicom(pixels, JPEGLSLossless, PixelData=encapsulate([frame]), **elements))
    assert np.array_equal(packed.pixels, read(dicom(pixels, **elements)).pixels)


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm", "image_dfl.dcm"])
def test_read_real_file_of_other_compressions(tmp_path, name):
    """12-bit JPEG, JPEG Lossless in color and a deflated file are read, with their size known beforehand."""
    path = Path(get_testdata_file(name, download=False))
    radiograph = load(path)
    assert header_size(path) == (radiograph.width, radiograph.height)
    assert radiograph.pixels.std() > 10


def test_read_lossless_color_keeps_its_colors():
    """JPEG Lossless in RGB is not taken for luma and chroma: the picture is that of the uncompressed file."""
    plain, packed = (get_testdata_file(f"SC_rgb{kind}.dcm", download=False) for kind in ("", "_jpeg_gdcm"))
    assert np.array_equal(load(Path(plain)).pixels, load(Path(packed)).pixels)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLSLossless, RLELossless, JPEGBaseline8Bit])
def test_read_frame_chooses_one_of_several(syntax):
    """Of a DICOM file with three frames any one is read, and the steps say which; the first one without a choice."""
    frames = [np.full((8, 8), gray, np.uint8) for gray in (10, 100, 200)]
    packers = {
        JPEGLSLossless: imagecodecs.jpegls_encode,
        # One segment, behind a header of 64 bytes: a run of 64 pixels (PS3.5 G.3.1).
        RLELossless: lambda frame: struct.pack("<16I", 1, 64, *[0] * 14) + bytes([257 - 64, frame[0, 0]]),
        JPEGBaseline8Bit: lambda frame: encoded(frame, "JPEG"),
    }
    if syntax in packers:
        content = encapsulate([packers[syntax](frame) for frame in frames])
    else:
        content = b"".join(frame.tobytes() for frame in frames)
    data = dicom(frames[0], syntax, PixelData=content, NumberOfFrames=3)
    assert abs(int(read(data, frame=2).pixels[0, 0]) - 100) <= 1
    assert read(data, frame=3).steps == ("frame 3 of 3",)
    assert np.array_equal(read(data).pixels, read(data, frame=1).pixels)
    with pytest.raises(RadiographError, match=r"must be 1 to 3\. Received: 4"):
        read(data, frame=4)


def test_count_frames_is_that_of_the_header():
    """One for all other files, damaged ones as well."""
    assert count_frames(dicom(RAMP, NumberOfFrames=7)) == 7
    for data in (dicom(RAMP), dicom(RAMP, NumberOfFrames=None), encoded(RAMP), b"", b"words", dicom(RAMP)[:140]):
        assert count_frames(data) == 1


def test_read_frame_of_a_single_image_is_the_first():
    """A file of one picture has no second one."""
    for data in (encoded(RAMP), encoded(RAMP, "BMP"), dicom(RAMP)):
        assert read(data, frame=1).steps == ()
        with pytest.raises(RadiographError, match=r"must be 1.*Received: 2"):
            read(data, frame=2)


def test_read_dicom_in_gzip(tmp_path):
    """A DICOM file that gzip has packed is the same picture."""
    path = tmp_path / "scan.dcm.gz"
    path.write_bytes(gzip.compress(dicom(RAMP)))
    assert np.array_equal(load(path).pixels, RAMP)
    assert header_size(path) == (8, 6)


def test_read_large_png_is_refused_before_decoding(recwarn):
    """A PNG whose header claims 400 megapixels is refused at once and without Pillow's own warning."""
    data = bytearray(encoded(RAMP))
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(RadiographError, match=r"at most 50 million pixels\. Received: 20000 x 20000"):
        read(bytes(data))
    assert not recwarn.list


def test_read_largest_allowed_png_does_not_warn(recwarn):
    """The largest image that is allowed is read without a warning."""
    side = int(MAX_PIXELS**0.5)
    assert read(encoded(Image.new("1", (side, side)))).width == side
    assert not recwarn.list


def test_read_large_jpeg2000_in_a_small_dicom_is_refused():
    """A compressed image that is larger than its DICOM header says is refused before it is decoded."""
    stream = bytearray(encoded(RAMP, "JPEG2000", no_jp2=True))
    stream[8:16] = (20_000).to_bytes(4, "big") * 2
    data = dicom(RAMP, JPEG2000Lossless, PixelData=encapsulate([bytes(stream)]))
    with pytest.raises(RadiographError, match="Received: 20000 x 20000"):
        read(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_read_single_pixel_is_an_image(kind):
    """An image of one pixel is an image."""
    assert read(encoded(np.full((1, 1), 7, np.uint8), kind)).pixels.shape == (1, 1)


def test_load_missing_file_or_folder_is_refused(tmp_path):
    """A file that is not there, and a folder, are refused like any other thing that is no radiograph."""
    for path in (tmp_path / "gone.png", tmp_path):
        with pytest.raises(RadiographError, match="cannot be opened"):
            load(path)
        with pytest.raises(RadiographError, match="cannot be opened"):
            header_size(path)


def test_header_size_of_no_image_is_refused(tmp_path):
    """A size that cannot be told is an error that names the file."""
    path = tmp_path / "notes.png"
    path.write_text("no image")
    with pytest.raises(RadiographError, match=r"notes\.png"):
        header_size(path)


def test_import_is_cheap_and_reading_silent():
    """The import of pydicom waits for a DICOM, and none of its warnings reaches standard error."""
    path = get_testdata_file("badVR.dcm", download=False)
    code = f"""
import sys
from pathlib import Path
from fracture.imaging import radiograph
from fracture.logs import configure_logs
configure_logs()
assert "pydicom" not in sys.modules and "pandas" not in sys.modules
try: radiograph.load(Path({path!r}))
except radiograph.RadiographError: pass
assert "pydicom" in sys.modules
"""
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


SAMPLES = {
    "PNG": encoded(RAMP),
    "PNG with EXIF": encoded(RAMP, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    "PNG with text": encoded(RAMP, pnginfo=(info := PngImagePlugin.PngInfo(), info.add_text("a", "b", zip=True))[0]),
    "JPEG": encoded(RAMP, "JPEG"),
    "progressive JPEG": encoded(RAMP, "JPEG", progressive=True),
    "DICOM": dicom(RAMP, WindowCenter=100, WindowWidth=50),
}


def assert_radiograph_or_error(data: bytes) -> None:
    try:
        radiograph = read(data)
    except RadiographError:
        return
    assert radiograph.pixels.dtype == np.uint8
    assert radiograph.pixels.ndim == 2


@given(sample=st.sampled_from(sorted(SAMPLES)), cut=st.floats(0, 1))
@settings(deadline=None)
def test_read_truncated_file_is_read_or_refused(sample, cut):
    """A valid file cut at any byte is either a radiograph or a RadiographError."""
    data = SAMPLES[sample]
    assert_radiograph_or_error(data[: int(len(data) * cut)])


@pytest.mark.slow
@given(sample=st.sampled_from(sorted(SAMPLES)), place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=8))
@settings(deadline=None, max_examples=300)
def test_read_damaged_file_is_read_or_refused(sample, place, junk):
    """A valid file with bytes overwritten anywhere is either a radiograph or a RadiographError."""
    data = SAMPLES[sample]
    at = int(len(data) * place)
    assert_radiograph_or_error(data[:at] + junk + data[at + len(junk) :])


@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x08\x00", b"\0" * 128 + b"DICM"]),
    junk=st.binary(max_size=200),
)
@settings(deadline=None)
def test_read_random_bytes_are_read_or_refused(start, junk):
    """Random bytes, also behind a right beginning, are either a radiograph or a RadiographError."""
    assert_radiograph_or_error(start + junk)


def test_fit_stretch_fills_the_square():
    """Stretching fills the whole square, whatever the aspect."""
    assert fit(np.full((30, 90), 200, np.uint8), 24, "stretch").tolist() == [[200] * 24] * 24


def test_fit_letterbox_centers_between_black_bars():
    """A letterbox keeps the aspect: a 3:1 image fills the middle third of the square."""
    square = fit(np.full((30, 90), 200, np.uint8), 24, "letterbox")
    assert (square[8:16] == 200).all()
    assert not square[:8].any()
    assert not square[16:].any()


def test_fit_is_antialiased():
    """A fine checkerboard becomes an even gray, not a pattern."""
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    inner = fit(board, 32, "stretch")[2:-2, 2:-2].astype(int)
    assert abs(inner - 127).max() <= 2


@pytest.mark.parametrize("call", [lambda: fit(RAMP, 8, "crop"), lambda: frame(2, 2, 8, "crop")])
def test_fit_unknown_is_refused(call):
    """Only the two ways to fit are known."""
    with pytest.raises(ConfigError, match=r"stretch or letterbox\. Received: 'crop'"):
        call()


@given(width=st.integers(20, 200), height=st.integers(20, 200), how=st.sampled_from(["stretch", "letterbox"]))
@settings(deadline=None)
def test_unfit_inverts_fit(width, height, how):
    """A gradient that is fitted to a square and laid back is the gradient again."""
    across = np.linspace(40, 240, width)
    pixels = np.tile(across, (height, 1)).astype(np.uint8)
    back = unfit(fit(pixels, 128, how).astype(np.float32), frame(width, height, 128, how), width, height)
    assert back.shape == (height, width)
    inner = (slice(height // 4, -(height // 4)), slice(width // 4, -(width // 4)))
    step = 200 / min(width, 128) * 2 + 3
    assert np.abs(back[inner] - pixels[inner]).max() <= step


def test_unfit_cuts_bars_off_between_cells():
    """A coarse map over a letterbox loses its bars, although they end within a cell."""
    cells = np.zeros((5, 5), np.float32)
    cells[2] = 1  # the middle row alone lies in a 5:1 image
    letterbox, stretch = (frame(500, 100, 300, how) for how in ("letterbox", "stretch"))
    assert unfit(cells, letterbox, 500, 100).mean() == pytest.approx(0.75, abs=0.02)  # with the bars: 0.2
    assert unfit(cells, stretch, 500, 100).mean() == pytest.approx(0.2, abs=0.02)


@given(width=st.integers(1, 5000), height=st.integers(1, 60), side=st.integers(1, 12))
@settings(deadline=None)
def test_fit_and_unfit_take_any_aspect(width, height, side):
    """Even the thinnest image has a square and a way back."""
    assert fit(np.zeros((height, width), np.uint8), side, "letterbox").shape == (side, side)
    framed = frame(width, height, side, "letterbox")
    assert unfit(np.ones((side, side), np.float32), framed, width, height) == pytest.approx(1.0, abs=1e-5)


SIDES = st.integers(8, 900)
FITS = st.sampled_from(["stretch", "letterbox"])


@given(width=SIDES, height=SIDES, how=FITS, across=st.floats(0, 1), down=st.floats(0, 1), size=st.integers(75, 450))
@settings(deadline=None)
def test_fit_and_unfit_keep_the_place_of_a_dot(width, height, how, across, down, size):
    """A bright dot keeps its place on the way to the square and back, within a pixel of the coarser of the two."""
    framed = frame(width, height, size, how)
    pixel = max(1.0, width / framed.width), max(1.0, height / framed.height)  # the coarser one, in px of the image
    left, top = int(across * (width - pixel[0])), int(down * (height - pixel[1]))
    dot = slice(top, top + ceil(pixel[1])), slice(left, left + ceil(pixel[0]))
    pixels = np.zeros((height, width), np.uint8)
    pixels[dot] = 255

    back = unfit(fit(pixels, size, how).astype(np.float64), framed, width, height)
    rows, columns = (places + 0.5 for places in np.indices(back.shape))
    middle = [(places[dot].mean(), (places * back).sum() / back.sum()) for places in (columns, rows)]
    for (put, found), allowed in zip(middle, pixel, strict=True):
        assert found == pytest.approx(put, abs=allowed)


def test_thumbnail_keeps_the_aspect_and_enlarges_nothing():
    """A thumbnail is a JPEG with its longer side at most the size asked for."""
    pixels = np.zeros((100, 400), np.uint8)
    small = Image.open(BytesIO(encode_thumbnail(Radiograph(pixels, "PNG"), 80)))
    assert (small.format, small.mode, small.size) == ("JPEG", "L", (80, 20))
    assert Image.open(BytesIO(encode_thumbnail(pixels, 1000))).size == (400, 100)


def test_header_size_of_real_radiographs_is_that_of_the_pixels(fracatlas):
    """Real JPEGs, also those that their EXIF data turn, are read with the size that their header gave."""
    turned = ["IMG0000428.jpg", "IMG0000439.jpg", "IMG0002628.jpg"]
    for name in ["IMG0000000.jpg", *turned]:
        path = fracatlas / "images" / name
        radiograph = load(path)
        assert header_size(path) == (radiograph.width, radiograph.height)
        assert ("rotated as the EXIF says" in radiograph.steps) == (name in turned)


def described(text: bytes, kind: bytes = b"tEXt", behind: bool = False) -> bytes:
    """A PNG file with one chunk of text, before or behind its pixels."""
    data = encoded(RAMP)
    chunk = struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text))
    place = data.index(b"IEND" if behind else b"IDAT") - 4
    return data[:place] + chunk + data[place:]


@pytest.mark.parametrize(
    ("data", "synthetic"),
    [
        (encoded(RAMP), False),
        (described(b"Description\0Synthetic radiograph of a humerus"), True),
        (described(b"Description\0Synthetic radiograph of a humerus", behind=True), True),
        (described(b"Description\0\0" + zlib.compress(b"Synthetic radiograph"), b"zTXt"), True),
        (described(b"Description\0A radiograph, and nothing synthetic"), False),
        (described(b"Comment\0Synthetic radiograph"), False),
        (described(b"Description\0\0no zlib stream", b"zTXt"), False),
        (described(b"Description"), False),
    ],
)
def test_read_synthetic_png_says_so(data, synthetic):
    """The description in the text of a PNG counts, wherever it stands; damaged text does no harm."""
    image = read(data)
    assert image.synthetic == synthetic
    assert (image.pixels == RAMP).all()


def test_read_png_with_a_text_bomb_is_refused():
    """Reading the text opens no door to a decompression bomb."""
    bomb = b"Description\0\0" + zlib.compress(b"Synthetic radiograph" + bytes(2**24), 9)
    for behind in (False, True):
        with pytest.raises(RadiographError, match="damaged or cut short"):
            read(described(bomb, b"zTXt", behind))


def test_load_pipe_is_refused_at_once(tmp_path):
    """Nobody may ever write into it."""
    os.mkfifo(tmp_path / "pipe.png")
    for look in (load, header_size):
        with pytest.raises(RadiographError, match=r"pipe.png cannot be opened: It is a pipe or device"):
            look(tmp_path / "pipe.png")
