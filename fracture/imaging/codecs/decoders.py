"""Bytes -> arrays, by imagecodecs, pi-heif and Pillow; run by :mod:`fracture.imaging.codecs.worker` alone.

Frames of DICOM files come out as they are stored, in color where they are. Pictures come out in gray: 8 bits finished,
16 bits as stored, for the gray scale of :mod:`fracture.imaging.png_jpeg`.
"""

import struct
from io import BytesIO
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, TiffImagePlugin

from fracture.imaging.codecs.color import measure_color
from fracture.imaging.limits import MAX_PIXELS, MAX_SIDE
from fracture.imaging.png_jpeg import read_orientation, to_gray, undo_orientation

Image.MAX_IMAGE_PIXELS = None  # Pillow's warning; check_pixels has its own limit

# Each thread takes memory of its own: with one, what a file needs is the same on every machine.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.options.DECODE_THREADS = 1

# ITU-T T.81, table B.1, and T.87: the second byte of the markers that begin a frame, and are followed by its size.
_FRAME_HEADERS = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)
_JPEG_LS = 0xF7
_LOSSLESS = 0xC3

_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))

# TIFF 6.0, the numbers of its tags
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES = 256, 257, 258, 262, 274, 277
_EXTRA_SAMPLES, _SAMPLE_FORMAT = 338, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2  # of PhotometricInterpretation
_UNSIGNED, _SIGNED = 1, 2  # of SampleFormat

_TURNED_STEP = "rotated as the EXIF says"

_COLOR_SIDE = 512
"""In px, about: as many places along the shorter side are enough to see the colors of a picture."""

_TURNED = 5
"""The first EXIF orientation at which width and height change places."""


class TooLargeError(Exception):
    """An image has more pixels than are decoded."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self.width = width
        self.height = height


class RefusedError(Exception):
    """An image of a kind that is not read; its words end a sentence that begins with the file's name."""


class Decoded(NamedTuple):
    """Pixels, (H, W) or (H, W, C) uint8, int16 or uint16, and what is known of them; none for a size alone."""

    pixels: NDArray[Any]
    steps: tuple[str, ...]
    """What was done."""
    shape: tuple[int, ...]
    color: float = 0.0
    """See :func:`fracture.imaging.codecs.color.measure_color`; of a picture."""


class _Picture(NamedTuple):
    """A decoded picture that is yet to be turned and made gray."""

    pixels: NDArray[Any]
    """(H, W), or (H, W, C) in color or with alpha."""
    steps: tuple[str, ...] = ()
    orientation: int = 1
    color: float = 0.0
    """Of a picture that was made gray already."""


def decode_frame(data: bytes, _: str) -> Decoded:
    """The stored values of a frame in JPEG, JPEG Lossless, JPEG-LS or JPEG 2000, by its own first bytes."""
    if data.startswith(b"\xff\xd8"):
        pixels = _decode_jpeg(data)
    else:
        check_pixels(*jpeg2000_size(data))
        pixels = imagecodecs.jpeg2k_decode(data)
    return Decoded(pixels, (), pixels.shape)


def decode_picture(data: bytes, kind: str) -> Decoded:
    """A picture of a ``kind`` of :data:`fracture.imaging.codecs.formats.PICTURES`, upright and in gray, (H, W)."""
    pixels, steps, orientation, color = _PICTURES[kind](data) if kind in _PICTURES else _decode_pillow(data)
    if pixels.ndim == 3:
        color = _color_of_samples(pixels)
        pixels, more = _gray_samples(pixels)
        steps += more
    if orientation > 1:
        pixels = undo_orientation(pixels, orientation)
        steps += (_TURNED_STEP,)
    return Decoded(pixels, steps, pixels.shape, color)


def size(data: bytes, kind: str) -> Decoded:
    """The size of a picture as :func:`decode_picture` gives it; no pixel is decoded where the header says it."""
    if kind == "JPEG 2000":
        width, height = jpeg2000_size(data)
        return Decoded(np.empty(0, np.uint8), (), (height, width))
    if kind == "TIFF":
        tags = _tiff_tags(data)
        width, height, orientation = tags[_WIDTH], tags[_HEIGHT], _tiff_orientation(tags)
    elif kind == "HEIC":
        (width, height), orientation = pi_heif.open_heif(data).size, 1
    else:
        width, height, orientation = _pillow_size(data, kind)
    shape = (width, height) if orientation >= _TURNED else (height, width)
    return Decoded(np.empty(0, np.uint8), (), shape)


def _pillow_size(data: bytes, kind: str) -> tuple[int, int, int]:
    """Width, height and orientation by the header."""
    with Image.open(BytesIO(data), formats=[kind]) as image:
        return image.width, image.height, read_orientation(image)


def check_pixels(width: int, height: int) -> None:
    """Raises TooLargeError for more pixels, or a longer side, than any image may have."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLargeError(width, height)


def _decode_jpeg(data: bytes) -> NDArray[Any]:
    marker, width, height, components = _jpeg_header(data)
    check_pixels(width, height)
    if marker == _JPEG_LS:
        return np.asarray(imagecodecs.jpegls_decode(data))
    # Lossless color is stored as it is: only the DCT processes commonly go by way of luma and chroma.
    color = "RGB" if marker == _LOSSLESS and components == 3 else None
    return np.asarray(imagecodecs.jpeg8_decode(data, colorspace=color, outcolorspace=color))


def _jpeg_header(data: bytes) -> tuple[int, int, int, int]:
    """(marker, width, height, components) of the frame header (T.81 B.2.2). Raises ValueError where there is none."""
    at = 2
    while at + 10 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker in _FRAME_HEADERS:
            height, width, components = struct.unpack_from(">HHB", data, at + 5)
            return marker, width, height, components
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("a JPEG without a frame header")


def jpeg2000_size(data: bytes) -> tuple[int, int]:
    """(width, height) by the segment SIZ of a codestream, or of that in a JP2 file (T.800 A.5.1).

    The first one that looks like it: the decoder's memory and time are limited in any case.
    """
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        raise ValueError("no JPEG 2000 codestream")
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    width = right - left
    height = bottom - top
    if min(width, height) < 1 or max(right, bottom) >= 2**31:
        raise ValueError("sizes that no image has")
    return width, height


def _decode_jpeg2000(data: bytes) -> _Picture:
    check_pixels(*jpeg2000_size(data))
    return _Picture(_to_unsigned(np.asarray(imagecodecs.jpeg2k_decode(data))))


def _decode_heic(data: bytes) -> _Picture:
    file = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    check_pixels(*file.size)
    # A copy: the library's own pixels go with the file. It has turned them as the file says.
    return _Picture(np.array(file))


def _decode_tiff(data: bytes) -> _Picture:
    """The first page, by libtiff; palettes, CMYK and JPEG in YCbCr by Pillow."""
    tags = _tiff_tags(data)
    check_pixels(tags[_WIDTH], tags[_HEIGHT])
    photometric = tags.get(_PHOTOMETRIC, _BLACK_IS_ZERO)
    bits = max(_numbers(tags.get(_BITS, 1)))
    number_format = _numbers(tags.get(_SAMPLE_FORMAT, _UNSIGNED))[0]
    if bits > 16 or number_format not in (_UNSIGNED, _SIGNED):
        raise RefusedError("must have whole numbers of at most 16 bits in a TIFF. Received: others; save it as a PNG.")
    orientation = _tiff_orientation(tags)
    # libtiff unpacks no fractions of bytes, and Pillow no 16-bit color.
    if bits not in (8, 16) or photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        picture = _decode_pillow(data)
        # Pillow has turned the picture of a TIFF by itself.
        steps = (*picture.steps, *(_TURNED_STEP,) * (orientation > 1))
        return picture._replace(steps=steps, orientation=1)
    pixels = _to_unsigned(_first_samples(np.asarray(imagecodecs.tiff_decode(data)), tags))
    if photometric == _WHITE_IS_ZERO:
        return _Picture(np.invert(pixels), ("inverted (white is zero)",), orientation)
    return _Picture(pixels, (), orientation)


def _first_samples(pixels: NDArray[Any], tags: dict[int, Any]) -> NDArray[Any]:
    """(H, W) or (H, W, C) without the samples that are neither gray, color nor alpha; planes become interleaved."""
    samples = int(tags.get(_SAMPLES, 1))
    if samples == 1 or pixels.ndim != 3:
        return pixels
    if pixels.shape != (tags[_HEIGHT], tags[_WIDTH], samples):
        pixels = np.moveaxis(pixels, 0, -1)  # stored plane by plane
    has_alpha = _numbers(tags.get(_EXTRA_SAMPLES, 0))[0] in (1, 2)
    colors = 3 if tags.get(_PHOTOMETRIC) == _RGB else 1
    kept = pixels[..., : colors + has_alpha]
    return kept[..., 0] if kept.shape[2] == 1 else kept


def _tiff_tags(data: bytes) -> dict[int, Any]:
    """The tags of the first page that concern pixels."""
    file = BytesIO(data)
    is_big = data[2:4] in (b"+\0", b"\0+")
    directory = TiffImagePlugin.ImageFileDirectory_v2(file.read(16 if is_big else 8))
    file.seek(directory.next)
    directory.load(file)
    wanted = (_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _EXTRA_SAMPLES, _SAMPLE_FORMAT)
    return {tag: directory[tag] for tag in wanted if tag in directory}


def _numbers(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (int(value),)


def _tiff_orientation(tags: dict[int, Any]) -> int:
    orientation = tags.get(_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def _to_unsigned(pixels: NDArray[Any]) -> NDArray[Any]:
    """Signed values moved up, so that the lowest one that fits is 0: the gray scale looks at differences alone."""
    if pixels.dtype.kind == "i":
        bits = pixels.dtype.itemsize * 8
        unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
        return np.asarray(unsigned ^ unsigned.dtype.type(1 << (bits - 1)))
    return pixels


def _decode_pillow(data: bytes) -> _Picture:
    """The first picture of a file that Pillow decodes: 16 bits as they are, all others in 8-bit gray."""
    with Image.open(BytesIO(data), formats=["WEBP", "BMP", "GIF", "TIFF", "AVIF"]) as image:
        check_pixels(*image.size)
        orientation = read_orientation(image)
        image.load()
        if image.mode.startswith("I;16"):
            return _Picture(np.asarray(image).astype(np.uint16), (), orientation)
        color = measure_color(image)
        pixels, steps = to_gray(image)
    return _Picture(pixels, tuple(steps), orientation, color)


def _color_of_samples(pixels: NDArray[Any]) -> float:
    """The color of (H, W, C) samples of 8 or 16 bits, by the upper 8 bits of every few; 0 for gray and alpha."""
    if pixels.shape[2] < 3:
        return 0.0
    height, width, samples = pixels.shape
    every = max(1, min(height, width) // _COLOR_SIDE)
    few = pixels[::every, ::every]
    bytes_of_few = (few >> 8 * (few.dtype.itemsize - 1)).astype(np.uint8)
    return measure_color(Image.fromarray(bytes_of_few, "RGB" if samples == 3 else "RGBA"))


def _gray_samples(pixels: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """(H, W, C) of gray and alpha, color, or color and alpha -> (H, W), in the same number of bits."""
    if pixels.dtype == np.uint8:
        mode = {2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
        finished, done = to_gray(Image.fromarray(np.ascontiguousarray(pixels), mode))
        return finished, tuple(done)
    samples = pixels.shape[2]
    is_color = samples >= 3
    has_alpha = samples in (2, 4)
    # ITU-R BT.601, as Pillow weights 8-bit color. float32 holds every 16-bit value exactly.
    weights = (0.299, 0.587, 0.114) if is_color else (1.0,)
    gray = np.zeros(pixels.shape[:2], np.float32)
    for channel, weight in enumerate(weights):
        gray += pixels[..., channel] * np.float32(weight)
    if has_alpha:
        gray *= pixels[..., -1] / np.float32(np.iinfo(pixels.dtype).max)
    steps = ("color to gray",) * is_color + ("alpha over black",) * has_alpha
    return np.rint(gray).astype(pixels.dtype), steps


_PICTURES = {"TIFF": _decode_tiff, "JPEG 2000": _decode_jpeg2000, "HEIC": _decode_heic}
"""The others are decoded by Pillow."""
