"""PNG and JPEG files in gray, decoded by Pillow."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, PngImagePlugin

from fracture.errors import RadiographError
from fracture.imaging.gray_scale import STRIP_PIXELS, gray_range_of_image, to_8_bit
from fracture.imaging.limits import Bounded, check_size

_log = logging.getLogger(__name__)

MAX_SCANS = 30
"""Of a progressive JPEG; encoders make ten or so, and each takes as long to decode as the first."""

SYNTHETIC = "Synthetic radiograph"
"""How the ``Description`` in the text of a PNG file begins if no person was X-rayed for it."""

_START_OF_SCAN = b"\xff\xda"  # ITU-T T.81, table B.1
_ORIENTATION = 0x0112  # Exif 2.32, table 4


class DecodedImage(NamedTuple):
    """Gray pixels (H, W), what was done to get them, and whether the file says that it is synthetic."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]
    synthetic: bool


def read_png_jpeg(data: bytes, kind: str, name: str) -> DecodedImage:
    """Decode a PNG or JPEG file. Raises RadiographError where it is too large, and whatever Pillow raises."""
    image = _open(BytesIO(data), kind)
    check_memory(image, data, name)
    orientation = read_orientation(image)
    image.load()
    pixels, steps = to_gray(image)
    if orientation > 1:
        pixels = undo_orientation(pixels, orientation)
        steps.append("rotated as the EXIF says")
    description = str(image.info.get("Description", "")) if kind == "PNG" else ""
    return DecodedImage(pixels, tuple(steps), description.startswith(SYNTHETIC))


def png_jpeg_size(file: BinaryIO, kind: str) -> tuple[int, int]:
    """(width, height) in px as :func:`read_png_jpeg` gives them, without decoding any pixel."""
    image = _open(file, kind)
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
    check_size(*image.size, name, _bytes_in_pillow(image.mode) + copies * bands + coefficients + 1)


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
    return _open(BytesIO(data), "JPEG")


def _open(file: BinaryIO, kind: str) -> ImageFile.ImageFile:
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


def undo_orientation(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
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
    """Any mode that a PNG or JPEG can have -> (H, W) uint8 and what was done.

    16-bit images are scaled by :func:`gray_range_of_image`: radiographs of 10 to 12 bits are commonly stored in 16, and
    would be all but black on the full scale.
    """
    pixels = np.empty((image.height, image.width), np.uint8)
    if image.mode.startswith("I"):
        low, high = gray_range_of_image(image)
        for rows, strip in _row_strips(image):
            pixels[rows] = to_8_bit(np.asarray(strip), low, high)
        return pixels, ["16 bit to 8 bit"]
    has_alpha = image.has_transparency_data
    for rows, strip in _row_strips(image):
        pixels[rows] = np.asarray(_gray_over_black(strip) if has_alpha else _gray_opaque(strip))
    steps = []
    if image.mode not in ("1", "L", "LA"):
        steps.append("color to gray")
    if has_alpha:
        steps.append("alpha over black")
    return pixels, steps


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
