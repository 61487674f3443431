"""PNG and JPEG files in gray, decoded by Pillow."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, PngImagePlugin

from fracture.errors import RadiographError
from fracture.imaging.codecs.color import measure_color
from fracture.imaging.gray_scale import (
    STRIP_PIXELS,
    count_values,
    gray_range,
    map_strips,
    range_steps,
    to_8_bit,
)
from fracture.imaging.limits import Bounded, check_size

_log = logging.getLogger(__name__)

MAX_SCANS = 30
"""Of a progressive JPEG; encoders make ten or so, and each takes as long to decode as the first."""

SYNTHETIC = "Synthetic radiograph"
"""How the ``Description`` in the text of a PNG file begins if no person was X-rayed for it."""

_START_OF_SCAN = b"\xff\xda"  # ITU-T T.81, table B.1
_ORIENTATION = 0x0112  # Exif 2.32, table 4


class DecodedImage(NamedTuple):
    """Gray pixels (H, W), what was done to get them, and what is known of the file besides."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]
    synthetic: bool
    """The file says so."""
    color: float
    """See :func:`fracture.imaging.codecs.color.measure_color`."""


def read_png_jpeg(data: bytes, kind: str, name: str) -> DecodedImage:
    """Decode a PNG or JPEG file. Raises RadiographError where it is too large, and whatever Pillow raises."""
    image = open_png_jpeg(BytesIO(data), kind)
    check_memory(image, data, name)
    orientation = read_orientation(image)
    deep = is_deep(image)
    if deep:
        pixels, steps, color = _deep_gray(data)
    else:
        image.load()
        color = measure_color(image)
        pixels, steps = to_gray(image)
    if orientation > 1:
        pixels = undo_orientation(pixels, orientation)
        steps.append("rotated as the EXIF says")
    description = str(image.info.get("Description", "")) if kind == "PNG" else ""
    return DecodedImage(pixels, tuple(steps), description.startswith(SYNTHETIC), color)


def png_jpeg_size(file: BinaryIO, kind: str) -> tuple[int, int]:
    """(width, height) in px as :func:`read_png_jpeg` gives them, without decoding any pixel."""
    image = open_png_jpeg(file, kind)
    width, height = image.size
    return (height, width) if read_orientation(image) >= 5 else (width, height)


def check_memory(image: ImageFile.ImageFile, data: bytes, name: str, copies: int = 0) -> None:
    """Raises RadiographError where decoding takes too much memory or time.

    ``copies``: how often the decoded pixels are copied before they are gray.
    """
    bands = len(image.getbands())
    scans = _count_scans(image, data)
    if scans > MAX_SCANS:
        raise RadiographError(
            f"{name} must be a JPEG of at most {MAX_SCANS} scans. Received: {scans:,}; save it again, not progressive."
        )
    # Several scans refine each other: the decoder holds the coefficients of all pixels, in 16 bits, until the last one.
    coefficients = 2 * bands if scans > 1 else 0
    decoded = _bytes_in_pillow(image.mode)
    if is_deep(image):
        decoded += 6  # gray in 32 bits, and alpha in 16
    check_size(*image.size, name, decoded + copies * bands + coefficients + 1)


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether it is a PNG of 16 bits in color or with alpha, whose header is read; Pillow opens it in 8 bits."""
    return _raw_mode(image) in ("RGB;16B", "RGBA;16B", "LA;16B")


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How Pillow would unpack the samples of an image whose header is read."""
    return str(image.tile[0].args) if image.tile else ""


def _count_scans(image: ImageFile.ImageFile, data: bytes) -> int:
    """The scans of a JPEG, the one at which its header ends and those behind it; 1 for a PNG."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return 1
    # Compressed data hold no marker by chance: each 0xFF in them is followed by 0x00 (T.81 F.1.2.3).
    header_end = image.fp.tell() if image.fp else 0
    return 1 + data.count(_START_OF_SCAN, header_end)


def _bytes_in_pillow(mode: str) -> int:
    """Bytes a pixel in which Pillow holds an image of a mode."""
    if mode.startswith("I"):
        return 2
    return 1 if mode in ("1", "L", "P") else 4


def jpeg_header(data: bytes) -> ImageFile.ImageFile:
    """A JPEG whose header is read and whose pixels are not."""
    return open_png_jpeg(BytesIO(data), "JPEG")


def open_png_jpeg(file: BinaryIO, kind: str) -> ImageFile.ImageFile:
    """An image whose header is read and whose pixels are not.

    The classes themselves, because Image.open() warns of large images before their size can be asked for,
    and takes a JPEG from a telephone for a format of its own (MPO).
    """
    bounded = cast(BinaryIO, Bounded(file))
    return PngImagePlugin.PngImageFile(bounded) if kind == "PNG" else JpegImagePlugin.JpegImageFile(bounded)


def read_orientation(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        # The base class's own: a PNG's would decode the pixels to look for EXIF data behind them.
        orientation = int(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception as error:  # noqa: BLE001 - damaged EXIF data raise anything, and say nothing against the pixels
        _log.debug("EXIF data are damaged (%s): no orientation", type(error).__name__)  # and not what stands in them
        return 1
    return orientation if orientation in range(1, 9) else 1


def undo_orientation(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The pixels upright (Exif 2.32, tag 0x0112); from orientation 5 on, width and height change places."""
    upright = {
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].T,
        8: np.rot90(pixels),
    }[orientation]
    return np.ascontiguousarray(upright)


def to_gray(image: Image.Image) -> tuple[NDArray[np.uint8], list[str]]:
    """Any mode that a PNG or JPEG can have, but for 16 bits in color -> (H, W) uint8 and what was done.

    16-bit images are scaled by :func:`gray_range`: radiographs of 10 to 12 bits are commonly stored in 16, and would be
    all but black on the full scale.
    """
    pixels = np.empty((image.height, image.width), np.uint8)
    if image.mode.startswith("I"):
        levels = count_values(np.asarray(strip).reshape(-1) for _, strip in _row_strips(image))
        low, high = gray_range(levels)
        for rows, strip in _row_strips(image):
            pixels[rows] = to_8_bit(np.asarray(strip), low, high)
        return pixels, ["16 bit to 8 bit", *range_steps(levels, low, high)]
    has_alpha = image.has_transparency_data
    for rows, strip in _row_strips(image):
        pixels[rows] = np.asarray(_gray_over_black(strip) if has_alpha else _gray_opaque(strip))
    steps = []
    if image.mode not in ("1", "L", "LA"):
        steps.append("color to gray")
    if has_alpha:
        steps.append("alpha over black")
    return pixels, steps


def _deep_gray(data: bytes) -> tuple[NDArray[np.uint8], list[str], float]:
    """A 16-bit PNG in color or with alpha -> (H, W) uint8, what was done, and its color; scaled as a gray one."""
    deep = decode_deep(data)
    levels = count_values(deep.seen_rows())
    low, high = gray_range(levels)
    pixels = map_strips(lambda strip: to_8_bit(strip, low, high), deep.gray)
    steps = ["16 bit to 8 bit", *range_steps(levels, low, high)]
    if deep.is_color:
        steps.append("color to gray")
    if deep.alpha is not None:
        for row, opacity in zip(pixels, deep.alpha, strict=True):
            row[:] = np.rint(row * (opacity / np.float32(65535)))
        steps.append("alpha over black")
    return pixels, steps, deep.color


class DeepImage(NamedTuple):
    """A decoded 16-bit PNG: gray (H, W) uint16, alpha (H, W) uint16 where it has one, and its color."""

    gray: NDArray[np.uint16]
    alpha: NDArray[np.uint16] | None
    color: float
    is_color: bool

    def seen_rows(self) -> Iterator[NDArray[np.uint16]]:
        """The pixels of each row that are not transparent; all rows where every pixel is."""
        if self.alpha is None or not self.alpha.any():
            yield from self.gray
            return
        for row, opacity in zip(self.gray, self.alpha, strict=True):
            yield row[opacity > 0]


def decode_deep(data: bytes) -> DeepImage:
    """Both bytes of the samples of a 16-bit PNG in color or with alpha, of which Pillow gives the upper ones."""
    raw_mode = _raw_mode(open_png_jpeg(BytesIO(data), "PNG"))
    if raw_mode == "LA;16B":
        # Nothing of Pillow's unpacks the lower bytes of these; as four samples of a byte each, all are there.
        image = _decode_as(data, "RGBA", "RGBA")
        gray = np.empty((image.height, image.width), np.uint16)
        alpha = np.empty_like(gray)
        for rows, strip in _row_strips(image):
            samples = np.asarray(strip).view(">u2")  # (h, W, 2)
            gray[rows] = samples[..., 0]
            alpha[rows] = samples[..., 1]
        return DeepImage(gray, alpha, color=0.0, is_color=False)
    return _decode_deep_color(data, raw_mode.removesuffix(";16B"))


def _decode_deep_color(data: bytes, mode: str) -> DeepImage:
    """The luminosity of RGB or RGBA, with the weights of ITU-R BT.601 in 1 / 65,536 that Pillow has for 8 bits."""
    weights = (19595, 38470, 7471)
    width, height = open_png_jpeg(BytesIO(data), "PNG").size
    luminosity = np.full((height, width), 2**15, np.uint32)  # to round
    alpha = np.zeros((height, width), np.uint16) if mode == "RGBA" else None
    color = 0.0
    # "16L" is for samples whose lower byte comes first: of a PNG's, it takes the lower byte for the upper one.
    for raw_mode, factor in ((f"{mode};16B", 256), (f"{mode};16L", 1)):
        image = _decode_as(data, mode, raw_mode)
        if factor == 256:
            color = measure_color(image)
        for rows, strip in _row_strips(image):
            samples = np.asarray(strip)
            for channel, weight in enumerate(weights):  # a matrix product of integers takes three times as long
                luminosity[rows] += samples[..., channel] * np.uint32(weight * factor)
            if alpha is not None:
                alpha[rows] += samples[..., 3] * np.uint16(factor)
        del image  # before the next one is decoded
    luminosity >>= 16
    return DeepImage(luminosity.astype(np.uint16), alpha, color, is_color=True)


def _decode_as(data: bytes, mode: str, raw_mode: str) -> Image.Image:
    """A PNG decoded to another mode, or from other bytes of its samples, than Pillow would."""
    image = open_png_jpeg(BytesIO(data), "PNG")
    image._mode = mode
    image.tile = [tile._replace(args=raw_mode) for tile in image.tile]
    image.load()
    return image


def _row_strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Some rows of an image at a time, and which ones."""
    count = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, count):
        bottom = min(top + count, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _gray_opaque(strip: Image.Image) -> Image.Image:
    # Pillow converts CMYK to gray by way of RGB alone.
    return (strip.convert("RGB") if strip.mode == "CMYK" else strip).convert("L")


def _gray_over_black(strip: Image.Image) -> Image.Image:
    colors = strip.convert("RGBA")
    return ImageChops.multiply(colors.convert("L"), colors.getchannel("A"))
