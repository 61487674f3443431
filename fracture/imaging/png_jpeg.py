"""What a PNG or JPEG file shows, in gray, by way of Pillow."""

from io import BytesIO
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, PngImagePlugin

from fracture.errors import RadiographError
from fracture.imaging.limits import STRIP, Bounded, check_size, to_8_bit

MAX_SCANS = 30
"""Times that a JPEG goes over its pixels; encoders make ten or so, and each takes as long as the first."""

SYNTHETIC = "Synthetic radiograph"
"""How the ``Description`` in the text of a PNG file begins if no person was X-rayed for it."""

_START_OF_SCAN = b"\xff\xda"
_ORIENTATION = 0x0112


class Picture(NamedTuple):
    """Gray pixels (H, W), what was done to get them, and whether the file says of itself that it was drawn."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]
    synthetic: bool


def read_picture(data: bytes, kind: str, name: str) -> Picture:
    """Decode a PNG or JPEG file. Raises RadiographError where it is too large, and whatever Pillow raises."""
    image = _open(BytesIO(data), kind)
    check_picture(image, data, name)
    orientation = _orientation(image)
    image.load()
    pixels, steps = _gray(image)
    if orientation > 1:
        pixels, steps = _turned(pixels, orientation), [*steps, "rotated as the EXIF says"]
    said = str(image.info.get("Description", "")) if kind == "PNG" else ""
    return Picture(pixels, tuple(steps), said.startswith(SYNTHETIC))


def picture_size(file: BinaryIO, kind: str) -> tuple[int, int]:
    """(width, height) in px as :func:`read_picture` gives them, without decoding any pixel."""
    image = _open(file, kind)
    width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


def check_picture(image: ImageFile.ImageFile, data: bytes, name: str, copies: int = 0) -> None:
    """Raises RadiographError where decoding takes too much memory or time.

    ``copies``: how often the decoded pixels are copied before they are gray.
    """
    bands = len(image.getbands())
    held = 2 if image.mode.startswith("I") else 1 if image.mode in ("1", "L", "P") else 4  # as Pillow holds them
    scans = 1
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        scans += data.count(_START_OF_SCAN, image.fp.tell() if image.fp else 0)
    if scans > MAX_SCANS:
        raise RadiographError(
            f"{name} must be a JPEG of at most {MAX_SCANS} scans. Received: {scans:,}; save it anew, not progressive."
        )
    coefficients = 2 * bands if scans > 1 else 0  # of all pixels at once, where a scan adds to another
    check_size(*image.size, name, held + copies * bands + coefficients + 1)


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


def _orientation(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        # The base class's own: a PNG's would decode the pixels to look for EXIF data behind them.
        said = int(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data raise anything, and say nothing against the pixels
        return 1
    return said if said in range(1, 9) else 1


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What undoes an EXIF orientation (Exif 2.32, tag 0x0112); from 5 on, width and height change places."""
    turned = {
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].T,
        8: np.rot90(pixels),
    }[orientation]
    return np.ascontiguousarray(turned)


def _gray(image: Image.Image) -> tuple[NDArray[np.uint8], list[str]]:
    """Any mode that a PNG or JPEG can have -> (H, W) uint8 and what was done.

    16-bit images go linearly from their own minimum to their own maximum: radiographs of 10 to 12 bits
    are commonly stored in 16, and would be all but black on the full scale.
    """
    deep, layered = image.mode.startswith("I"), image.has_transparency_data
    low, high = image.getextrema() if deep else (0, 255)
    pixels = np.empty((image.height, image.width), np.uint8)
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = (
            to_8_bit(np.asarray(strip), float(low), float(high)) if deep else np.asarray(_flat(strip, layered))  # type: ignore[arg-type]
        )
    if deep:
        return pixels, ["16 bit to 8 bit"]
    coloured = [] if image.mode in ("1", "L", "LA") else ["colour to gray"]
    return pixels, [*coloured, *(["alpha over black"] if layered else [])]


def _flat(strip: Image.Image, layered: bool) -> Image.Image:
    """8-bit gray of any other mode; what is transparent lies over black."""
    if not layered:
        # CMYK has no way to gray but by RGB.
        return (strip.convert("RGB") if strip.mode == "CMYK" else strip).convert("L")
    over = strip.convert("RGBA")
    return ImageChops.multiply(over.convert("L"), over.getchannel("A"))
