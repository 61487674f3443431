"""Pictures through the worker: TIFF, WebP, BMP, GIF, JPEG 2000, HEIC and AVIF."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from fracture.errors import RadiographError
from fracture.imaging.codecs.decoders import decode_frame, jpeg2000_size
from fracture.imaging.radiograph import header_size, load, read
from tests.conftest import SHARED
from tests.hostile.pictures import encoded

GRAY = np.add.outer(np.arange(48) * 2, np.arange(64)).astype(np.uint8)
DEEP = GRAY.astype(np.uint16) * 23  # 12 bits


def tiff(pixels: np.ndarray, **options) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


OPTIONS = {
    "plain": {},
    "tiled": {"tile": (16, 16)},
    "LZW": {"compression": "lzw", "predictor": True},
    "deflate": {"compression": "deflate"},
    "PackBits": {"compression": "packbits"},
    "Zstandard, tiled": {"compression": "zstd", "tile": (32, 32)},
    "big endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
}


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("pixels", [GRAY, DEEP], ids=["8 bit", "16 bit"])
def test_read_tiff_equals_png(kind, pixels):
    """Each way of storing a TIFF gives the picture of a PNG with the same pixels, with the same steps."""
    radiograph = read(tiff(pixels, **OPTIONS[kind]))
    as_png = read(encoded(pixels))
    assert np.array_equal(radiograph.pixels, as_png.pixels)
    assert (radiograph.format, radiograph.steps) == ("TIFF", as_png.steps)


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "1"])
def test_read_tiff_turns_a_picture_once(mode, orientation, tmp_path):
    """Whichever library decodes it; the header's size is that of the picture."""
    path = tmp_path / "turned.tif"
    Image.fromarray(GRAY).convert(mode).save(path, tiffinfo={274: orientation})
    upright = np.asarray(Image.fromarray(GRAY).convert(mode).convert("L"))
    turned = np.rot90(upright, {3: 2, 6: -1}[orientation])
    radiograph = load(path)
    assert np.abs(radiograph.pixels.astype(int) - turned).max() <= 2
    assert radiograph.steps[-1] == "rotated as the EXIF says"
    assert header_size(path) == (radiograph.width, radiograph.height)


def test_read_avif_is_turned_as_its_exif_says():
    """A picture from a telephone stands upright."""
    exif = Image.Exif()
    exif[274] = 6
    file = BytesIO()
    Image.fromarray(GRAY).save(file, "AVIF", exif=exif, quality=95)
    radiograph = read(file.getvalue())
    assert radiograph.pixels.shape == GRAY.T.shape and radiograph.steps[-1] == "rotated as the EXIF says"


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_read_tiff_in_16_bit_color_keeps_its_depth(planar):
    """Color of 16 bits becomes gray of 16 bits, and is then scaled like that."""
    color = np.repeat(DEEP[..., None], 3, axis=2)
    stored = color if planar == "contig" else np.moveaxis(color, -1, 0)
    radiograph = read(tiff(stored, photometric="rgb", planarconfig=planar))
    assert np.abs(radiograph.pixels.astype(int) - read(encoded(DEEP)).pixels).max() <= 1
    assert radiograph.steps[0] == "color to gray"


def test_read_tiff_with_white_as_zero_is_inverted():
    """As MONOCHROME1 of a DICOM file is, and the steps say so."""
    radiograph = read(tiff(GRAY, photometric="miniswhite"))
    assert np.array_equal(radiograph.pixels, 255 - GRAY)
    assert radiograph.steps == ("inverted (white is zero)",)


def test_read_signed_tiff_keeps_the_order_of_its_values():
    """The darkest negative value is black."""
    pixels = DEEP.astype(np.int16) - 1000
    assert np.array_equal(read(tiff(pixels)).pixels, read(encoded(DEEP)).pixels)


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "CMYK", "LA"])
def test_read_tiff_of_other_modes(mode):
    """Palettes, alpha, ink and single bits become the gray that Pillow makes of them."""
    image = (
        Image.fromarray(GRAY).convert("RGB").convert(mode) if mode == "CMYK" else Image.fromarray(GRAY).convert(mode)
    )
    expected = np.asarray(image.convert("RGB").convert("L") if mode == "CMYK" else image.convert("L"))
    assert np.abs(read(encoded(image, "TIFF")).pixels.astype(int) - expected).max() <= 1


def test_read_float_tiff_is_refused_in_words():
    """Which values are black and white in numbers with fractions nobody has said."""
    with pytest.raises(RadiographError, match=r"whole numbers of at most 16 bits in a TIFF\. Received: others"):
        read(tiff(GRAY.astype(np.float32)))


def test_read_tiff_of_several_pages_gives_the_first():
    """The page with a radiograph is commonly the first."""
    assert np.array_equal(read(tiff(np.stack([GRAY, 255 - GRAY]), photometric="minisblack")).pixels, GRAY)


def test_read_tiff_is_turned_upright(tmp_path):
    """By its orientation, as a PNG with EXIF data; the size is known beforehand."""
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff(GRAY, extratags=[(274, "H", 1, 6, True)]))
    assert np.array_equal(load(path).pixels, np.rot90(GRAY, -1))
    assert header_size(path) == (48, 64)


LOSSLESS = {
    "WebP": lambda pixels: encoded(pixels, "WEBP", lossless=True),
    "BMP": lambda pixels: encoded(pixels, "BMP"),
    "GIF": lambda pixels: encoded(pixels, "GIF"),
    "JPEG 2000": lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="jp2"),
    "JPEG 2000 codestream": lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_read_lossless_picture_keeps_its_pixels(tmp_path, kind):
    """A gray picture comes out as it went in, and its size is known beforehand."""
    path = tmp_path / "scan"
    path.write_bytes(LOSSLESS[kind](GRAY))
    assert np.array_equal(load(path).pixels, GRAY)
    assert header_size(path) == (64, 48)


def test_read_16_bit_jpeg_2000_equals_png():
    """It goes through the gray scale of a 16-bit PNG."""
    radiograph = read(LOSSLESS["JPEG 2000"](DEEP))
    assert np.array_equal(radiograph.pixels, read(encoded(DEEP)).pixels)


def test_read_avif_is_near_its_pixels():
    """AVIF is lossy here."""
    pixels = read(imagecodecs.avif_encode(np.repeat(GRAY[..., None], 3, axis=2), level=95)).pixels
    assert np.abs(pixels.astype(int) - GRAY).mean() < 3


PHONE = SHARED / "cases" / "images" / "phone.heic"


@pytest.mark.skipif(not PHONE.is_file(), reason="no encoder of HEIC is under a free license, so that one is needed")
def test_read_heic_from_a_telephone():
    """A picture in HEIC is nearly that of which it was made, and its size is known beforehand."""
    radiograph = load(PHONE)
    base = load(PHONE.with_name("base.png"))
    assert radiograph.format == "HEIC"
    assert header_size(PHONE) == (radiograph.width, radiograph.height)
    assert np.abs(radiograph.pixels.astype(int) - base.pixels).mean() < 5


def test_jpeg2000_size_of_no_image_is_refused():
    """Sizes that overflow are damage, not a large image."""
    stream = bytearray(imagecodecs.jpeg2k_encode(GRAY, codecformat="j2k"))
    assert jpeg2000_size(bytes(stream)) == (64, 48)
    stream[8:12] = b"\xfe\xff\xdd\xe0"
    with pytest.raises(ValueError, match="sizes that no image has"):
        jpeg2000_size(bytes(stream))


def test_decode_frame_without_header_is_refused():
    """A JPEG whose frame header never comes is damaged."""
    with pytest.raises(ValueError, match="without a frame header"):
        decode_frame(b"\xff\xd8\xff\xe0\0\x04ab" + bytes(50), "")
