"""Bytes -> one checked grayscale image; the only preprocessing for training, serving and thumbnails.

::

    file or upload ── read ──> Radiograph (H, W) uint8 ── fit ──> (size, size) uint8 ──> network
                                                                       heat map ── unfit ──> (H, W) float32

What had to be done on the way is kept in words in :attr:`Radiograph.steps`. The size is looked at
before a single pixel is decoded. DICOM files are read by :mod:`fracture.data.dicom`.
"""

import errno
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, PngImagePlugin

from fracture.errors import ConfigError, RadiographError

# Damaged EXIF data are left aside; pages and terminals need no word of it. Once, at import: see dicom.py.
warnings.filterwarnings("ignore", "Corrupt EXIF data", module="PIL")

MAX_PIXELS = 50_000_000
"""The most pixels that an image may have; the largest flat-panel detectors have about 20 million."""

FITS = ("stretch", "letterbox")
"""How an image becomes a square: regardless of its aspect, or whole and between black bars."""

PREPROCESSING = 1
"""To be raised whenever :func:`read` or :func:`fit` gives other pixels: features computed before are then not used."""

SYNTHETIC = "Synthetic radiograph"
"""How the ``Description`` in the text of a PNG file begins if no person was X-rayed for it."""

_MAGIC_BYTES = 132  # a DICOM preamble and its magic word
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation (Exif 2.32, tag 0x0112); from 5 on, width and height change places."""


@dataclass(frozen=True)
class Radiograph:
    """A grayscale image, and how it came about.

    ``pixels``: (H, W) uint8. ``format``: PNG, JPEG or DICOM.
    ``steps``: in words and in order, what was done to get from the file to the pixels.
    ``synthetic``: the file says of itself that it was drawn, see :data:`SYNTHETIC`.
    """

    pixels: NDArray[np.uint8]
    format: str
    steps: tuple[str, ...] = ()
    synthetic: bool = False

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


def load(path: Path) -> Radiograph:
    """Read one file. Raises RadiographError where it is missing or is no radiograph."""
    try:
        with open_file(path) as file:
            data = file.read()
    except OSError as error:
        raise _unopened(path, error) from error
    return read(data, path.name)


def open_file(path: Path) -> BufferedReader:
    """A file to read its bytes from. Raises OSError, and that for a pipe too, which may keep its reader waiting."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # a folder has words of its own
        return path.open("rb")
    raise OSError(errno.EINVAL, "It is a pipe or device", str(path))


def read(data: bytes, name: str = "the file") -> Radiograph:
    """Decode the bytes of a PNG, JPEG or DICOM file of at most 50 megapixels.

    Raises RadiographError, with ``name`` in its words, for anything else.
    """
    kind = _format(data, name)
    with _decoding(name, kind):
        return _read_dicom(data, name) if kind == "DICOM" else _read_picture(data, kind, name)


def header_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as :func:`load` would give them, without decoding any pixel.

    Raises RadiographError where they cannot be told.
    """
    try:
        with open_file(path) as file:
            kind = _format(file.read(_MAGIC_BYTES), path.name)
            file.seek(0)
            with _decoding(path.name, kind):
                return _header_size(file, kind, path.name)
    except OSError as error:
        raise _unopened(path, error) from error


def fit(pixels: NDArray[np.uint8], size: int, how: str) -> NDArray[np.uint8]:
    """(H, W) -> (size, size), bilinear with antialiasing.

    ``how`` is ``stretch`` (regardless of the aspect) or ``letterbox`` (the longer side becomes ``size``, centred,
    black bars). Raises ConfigError for another ``how``.
    """
    height, width = pixels.shape
    left, top, across, down = frame(width, height, size, how)
    square = Image.new("L", (size, size))
    square.paste(Image.fromarray(pixels).resize((across, down), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(square)


def frame(width: int, height: int, size: int, how: str) -> tuple[int, int, int, int]:
    """Where an image of this size lies on the square that :func:`fit` makes of it: left, top, width, height in px."""
    across, down = (max(1, round(size * share)) for share in _covered(width, height, how))
    return (size - across) // 2, (size - down) // 2, across, down


def unfit(square: NDArray[np.float32], width: int, height: int, how: str) -> NDArray[np.float32]:
    """Lay a map over a fitted square back onto the image: (S, S) -> (height, width), bilinear.

    S need not be the size that was fitted to: an 8 x 8 activation map covers the same square as its 299 px input.
    The bars of a letterbox are cut off, to fractions of a cell. Raises ConfigError for another ``how``.
    """
    side = square.shape[0]
    left, top = (side * (1 - share) / 2 for share in _covered(width, height, how))
    image = Image.fromarray(np.ascontiguousarray(square, np.float32))
    box = (left, top, side - left, side - top)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))


def shrink(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(H, W) with its longer side at most ``size`` pixels; the aspect is kept and nothing is enlarged."""
    small = Image.fromarray(pixels)
    small.thumbnail((size, size), Image.Resampling.BILINEAR)
    return np.asarray(small)


def thumbnail(image: Radiograph | NDArray[np.uint8], size: int) -> bytes:
    """A JPEG file of :func:`shrink`."""
    file = BytesIO()
    pixels = image.pixels if isinstance(image, Radiograph) else image
    Image.fromarray(shrink(pixels, size)).save(file, "JPEG", quality=85)
    return file.getvalue()


def _format(head: bytes, name: str) -> str:
    """PNG, JPEG or DICOM, by the first bytes; names and endings are not trusted."""
    if not head:
        raise RadiographError(f"{name} is empty; choose a PNG, JPEG or DICOM file.")
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    # Old DICOM files begin without preamble, at the first element of group 2 or 8.
    if head[128:132] == b"DICM" or head.startswith((b"\x02\x00", b"\x08\x00")):
        return "DICOM"
    raise RadiographError(f"{name} must be a PNG, JPEG or DICOM file; its content is none of these.")


@contextmanager
def _decoding(name: str, kind: str) -> Iterator[None]:
    """The border to the decoders: whatever they raise becomes one sentence."""
    try:
        yield
    except (RadiographError, ImportError):
        raise
    except Exception as error:
        raise RadiographError(f"{name} cannot be read: this {kind} file is damaged or cut short.") from error


def _unopened(path: Path, error: OSError) -> RadiographError:
    return RadiographError(f"{path.name} cannot be opened: {error.strerror or error}.")


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise RadiographError(
            f"{name} must have at most {MAX_PIXELS // 10**6} million pixels. "
            f"Received: {width} x {height}; reduce it first."
        )


def _covered(width: int, height: int, how: str) -> tuple[float, float]:
    """The shares of the fitted square's width and height that the image covers."""
    if how not in FITS:
        raise ConfigError(f"fit must be {' or '.join(FITS)}. Received: {how!r}")
    longer = max(width, height)
    return (1.0, 1.0) if how == "stretch" else (width / longer, height / longer)


def _open(file: BinaryIO, kind: str) -> ImageFile.ImageFile:
    """An image whose header is read and whose pixels are not.

    The classes themselves, because Image.open() warns of large images before their size can be asked for,
    and takes a JPEG from a telephone for a format of its own (MPO).
    """
    return PngImagePlugin.PngImageFile(file) if kind == "PNG" else JpegImagePlugin.JpegImageFile(file)


def _header_size(file: BinaryIO, kind: str, name: str) -> tuple[int, int]:
    if kind == "DICOM":
        from fracture.data import dicom

        return dicom.sizes(dicom.parse(file, name, pixels=False), name)[0]
    image = _open(file, kind)
    width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


def _orientation(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        # The base class's own: a PNG's would decode the pixels to look for EXIF data behind them.
        return int(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data raise anything, and say nothing against the pixels
        return 1


def _read_picture(data: bytes, kind: str, name: str) -> Radiograph:
    image = _open(BytesIO(data), kind)
    _check_size(*image.size, name)
    turn = _TURNS.get(_orientation(image))
    image.load()
    pixels, steps = _gray(image)
    if turn is not None:
        pixels = np.asarray(Image.fromarray(pixels).transpose(turn))
        steps = [*steps, "rotated as the EXIF says"]
    said = str(image.info.get("Description", "")) if kind == "PNG" else ""
    return Radiograph(pixels, kind, tuple(steps), said.startswith(SYNTHETIC))


def _read_dicom(data: bytes, name: str) -> Radiograph:
    from fracture.data import dicom

    dataset = dicom.parse(BytesIO(data), name)
    for size in dicom.sizes(dataset, name):
        _check_size(*size, name)
    values, low, high, inverted, steps = dicom.gray_values(dataset, name)
    pixels = _to_8_bit(values, low, high)
    return Radiograph(255 - pixels if inverted else pixels, "DICOM", steps)


def _gray(image: Image.Image) -> tuple[NDArray[np.uint8], list[str]]:
    """Any mode that a PNG or JPEG can have -> (H, W) uint8 and what was done.

    16-bit images go linearly from their own minimum to their own maximum: radiographs of 10 to 12 bits
    are commonly stored in 16, and would be all but black on the full scale.
    """
    if image.mode.startswith("I"):
        values = np.asarray(image)
        return _to_8_bit(values, float(values.min()), float(values.max())), ["16 bit to 8 bit"]
    steps = [] if image.mode in ("1", "L", "LA") else ["colour to gray"]
    if not image.has_transparency_data:
        # CMYK has no way to gray but by RGB.
        direct = image.convert("RGB") if image.mode == "CMYK" else image
        return np.asarray(direct.convert("L")), steps
    layered = image.convert("RGBA")
    over_black = ImageChops.multiply(layered.convert("L"), layered.getchannel("A"))
    return np.asarray(over_black), [*steps, "alpha over black"]


def _to_8_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Linear from ``low`` (0) to ``high`` (255), clipped; all 0 where the two are equal."""
    if (low, high) == (0, 255) and values.dtype == np.uint8:
        return values
    scaled: NDArray[np.float32] = (values.astype(np.float32) - low) * (255 / ((high - low) or 1))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)
