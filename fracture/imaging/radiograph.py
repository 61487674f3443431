"""Bytes -> one checked grayscale image; the only preprocessing for training, serving and thumbnails.

::

    file or upload ── read ──> Radiograph (H, W) uint8 ── fit ──> (size, size) uint8 ──> network
                                                                       heat map ── unfit ──> (H, W) float32

What is done on the way is listed in :attr:`Radiograph.steps`. The size is checked before any pixel is decoded.
:mod:`fracture.imaging.png_jpeg` and :mod:`fracture.imaging.dicom` decode the files, with the worker processes of
:mod:`fracture.imaging.codecs.pool` for what C libraries may crash on; the range of the gray scale is set in
:mod:`fracture.imaging.gray_scale`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fracture.errors import ConfigError, RadiographError
from fracture.files import open_file
from fracture.imaging.codecs.formats import HEAD_BYTES, PICTURES, recognize, unpack_gzip
from fracture.imaging.gray_scale import is_blank
from fracture.imaging.png_jpeg import png_jpeg_size, read_png_jpeg, to_gray
from fracture.paths import sanitize_name

FITS = ("stretch", "letterbox")
"""How an image becomes a square: regardless of its aspect, or whole and between black bars."""

PREPROCESSING_VERSION = 2
"""To be raised whenever :func:`read` or :func:`fit` gives other pixels: features cached before are then not used.

2: the gray scale of 16-bit files, and of DICOM files without a window or with one that does not fit, is robust; the
window of a frame is read from its functional groups.
"""

_DEPTH = re.compile(r"(\d+) bit to 8 bit")
_WINDOW = re.compile(r"window \S+$|VOI table$")
"""Steps by which a file says how its pixels are stored."""

_BLACK_BELOW = 32
_WHITE_ABOVE = 223
"""Mean gray levels, by which a sentence calls an image black or white."""


@dataclass(frozen=True)
class Radiograph:
    """A grayscale image, and how it was decoded.

    ``pixels``: (H, W) uint8. ``format``: PNG, JPEG, DICOM, or one of
    :data:`fracture.imaging.codecs.formats.PICTURES`.
    ``steps``: in words and in order, what was done to get from the file to the pixels.
    ``synthetic``: the file says that it is no X-ray of a person, see :data:`fracture.imaging.png_jpeg.SYNTHETIC`.
    ``color``: share of its middle that is neither gray nor of the picture's tint, 0 to 1, see
    :func:`fracture.imaging.codecs.color.measure_color`; 0 for DICOM, of which the colors are not measured.
    """

    pixels: NDArray[np.uint8]
    format: str
    steps: tuple[str, ...] = ()
    synthetic: bool = False
    color: float = 0.0

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def storage(self) -> str:
        """How the file stores the pixels, as far as :attr:`steps` tell: *8-bit gray*, *12-bit gray, inverted* ..."""
        depths = [found.group(1) for step in self.steps if (found := _DEPTH.match(step))]
        windowed = any(_WINDOW.match(step) for step in self.steps)
        depth = "windowed" if windowed else f"{depths[0] if depths else 8}-bit"
        color = "color" if "color to gray" in self.steps else "gray"
        inverted = any(step.startswith("inverted") for step in self.steps)
        transparent = "alpha over black" in self.steps
        return f"{depth} {color}" + ", with alpha" * transparent + ", inverted" * inverted


class Frame(NamedTuple):
    """Where an image lies on the square that :func:`fit` makes of it, all in px of the square.

    Pixels, boxes and heat maps all use it to go from places in an image to places on its square, and back.
    """

    left: int
    top: int
    width: int
    height: int
    size: int
    """Of the square's sides."""


def load(path: Path, frame: int = 1) -> Radiograph:
    """Read one file, as :func:`read` does. Raises RadiographError where it is missing or is no radiograph."""
    try:
        with open_file(path) as file:
            data = file.read()
    except OSError as error:
        raise cannot_open(path, error) from error
    return read(data, path.name, frame)


def read(data: bytes, name: str = "the file", frame: int = 1) -> Radiograph:
    """Decode the bytes of a file in one of :data:`fracture.imaging.codecs.formats.READ`.

    ``frame``: which one of a DICOM file with several, from 1. Its size must be within :mod:`fracture.imaging.limits`.
    Raises RadiographError, with ``name`` in its words, for anything else.
    """
    name = sanitize_name(name)
    kind = recognize(data[:HEAD_BYTES], name)
    with decoding(name, kind):
        if kind == "gzip":
            return _read_dicom(unpack_gzip(data, name), name, frame)
        if kind == "DICOM":
            return _read_dicom(data, name, frame)
        if frame != 1:
            raise RadiographError(f"The frame of {name} must be 1, as in all files but DICOM. Received: {frame}.")
        if kind in PICTURES:
            return _read_picture(data, kind, name)
        return _read_png_jpeg(data, kind, name)


def count_frames(data: bytes) -> int:
    """The frames of a DICOM file, as its header says; 1 for all other files, and for those that :func:`read` refuses.

    In a gzip file they are not counted: it would be unpacked for that alone.
    """
    try:
        if recognize(data[:HEAD_BYTES], "the file") != "DICOM":
            return 1
        from fracture.imaging import dicom

        with decoding("the file", "DICOM"):
            return dicom.count_frames(dicom.parse(BytesIO(data), "the file", pixels=False))
    except RadiographError:
        return 1


def header_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as :func:`load` would give them, from the header.

    Raises RadiographError where the file does not say.
    """
    name = sanitize_name(path.name)
    try:
        with open_file(path) as file:
            kind = recognize(file.read(HEAD_BYTES), name)
            file.seek(0)
            with decoding(name, kind):
                return _header_size(file, kind, name)
    except OSError as error:
        raise cannot_open(path, error) from error


def check_visible(image: Radiograph, name: str) -> None:
    """Raises RadiographError for an image with nothing to see, see :func:`fracture.imaging.gray_scale.is_blank`.

    A model would answer with full confidence. :func:`read` gives such images all the same: data sets have them, and
    must be able to show them.
    """
    if not is_blank(image.pixels):
        return
    mean = image.pixels.mean()
    kind = "black" if mean < _BLACK_BELOW else "white" if mean > _WHITE_ABOVE else "of one gray level"
    raise RadiographError(
        f"{name} must show something. Received: an image that is nearly all {kind}; export it again with other gray "
        "levels, or choose another one."
    )


def fit(pixels: NDArray[np.uint8], size: int, how: str) -> NDArray[np.uint8]:
    """(H, W) -> (size, size), bilinear with antialiasing.

    ``how`` is ``stretch`` (regardless of the aspect) or ``letterbox`` (the longer side becomes ``size``, centered,
    black bars). Raises ConfigError for another ``how``.
    """
    height, width = pixels.shape
    framed = frame(width, height, size, how)
    small = Image.fromarray(pixels).resize((framed.width, framed.height), Image.Resampling.BILINEAR)
    square = Image.new("L", (size, size))
    square.paste(small, (framed.left, framed.top))
    return np.asarray(square)


def frame(width: int, height: int, size: int, how: str) -> Frame:
    """Where an image of this size lies on the square that :func:`fit` makes of it. Raises ConfigError as that does."""
    if how not in FITS:
        raise ConfigError(f"fit must be {' or '.join(FITS)}. Received: {how!r}")
    if how == "stretch":
        return Frame(0, 0, size, size, size)
    # At least 1 px: the shorter side of a very long image would be rounded to none.
    longer = max(width, height)
    across = max(1, round(size * (width / longer)))
    down = max(1, round(size * (height / longer)))
    return Frame((size - across) // 2, (size - down) // 2, across, down, size)


def unfit(square: NDArray[np.float32], framed: Frame, width: int, height: int) -> NDArray[np.float32]:
    """Lay a map over a fitted square back onto the image: (S, S) -> (height, width), bilinear.

    ``framed``: where the image lies on its square. S need not be the square's size: an 8 x 8 activation map covers the
    same square as its 299 px input. The bars of a letterbox are cut off, to fractions of a cell. Width and height are
    those at which the image is shown.
    """
    cells = square.shape[0] / framed.size
    right = framed.left + framed.width
    bottom = framed.top + framed.height
    box = (framed.left * cells, framed.top * cells, right * cells, bottom * cells)
    image = Image.fromarray(np.ascontiguousarray(square, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))


def shrink(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(H, W) with its longer side at most ``size`` pixels; the aspect is kept and nothing is enlarged."""
    small = Image.fromarray(pixels)
    small.thumbnail((size, size), Image.Resampling.BILINEAR)
    return np.asarray(small)


def encode_thumbnail(image: Radiograph | NDArray[np.uint8], size: int) -> bytes:
    """A JPEG file of :func:`shrink`."""
    file = BytesIO()
    pixels = image.pixels if isinstance(image, Radiograph) else image
    Image.fromarray(shrink(pixels, size)).save(file, "JPEG", quality=85)
    return file.getvalue()


@contextmanager
def decoding(name: str, kind: str) -> Iterator[None]:
    """The border to the decoders: whatever they raise becomes one sentence."""
    try:
        yield
    except (RadiographError, ImportError):  # a decoder that is not installed says nothing against the file
        raise
    except Exception as error:
        raise RadiographError(f"{name} cannot be read: this {kind} file is damaged or cut short.") from error


def cannot_open(path: Path, error: OSError) -> RadiographError:
    """The sentence for a file that the operating system does not open."""
    return RadiographError(f"{sanitize_name(path.name)} cannot be opened: {error.strerror or error}.")


def _header_size(file: BinaryIO, kind: str, name: str) -> tuple[int, int]:
    if kind in ("PNG", "JPEG"):
        return png_jpeg_size(file, kind)
    if kind in PICTURES:
        from fracture.imaging.codecs import pool

        return pool.picture_size(file.read(), kind, name)
    from fracture.imaging import dicom

    elements = BytesIO(unpack_gzip(file.read(), name)) if kind == "gzip" else file
    return dicom.size(dicom.parse(elements, name, pixels=False), name)


def _read_png_jpeg(data: bytes, kind: str, name: str) -> Radiograph:
    decoded = read_png_jpeg(data, kind, name)
    return Radiograph(decoded.pixels, kind, decoded.steps, decoded.synthetic, decoded.color)


def _read_picture(data: bytes, kind: str, name: str) -> Radiograph:
    from fracture.imaging.codecs import pool

    decoded = pool.decode_picture(data, kind, name)
    # As a PNG of as many bits.
    gray, more = to_gray(Image.fromarray(decoded.pixels))
    return Radiograph(gray, kind, (*decoded.steps, *more), color=decoded.color)


def _read_dicom(data: bytes, name: str, frame: int) -> Radiograph:
    from fracture.imaging import dicom

    pixels, steps = dicom.gray(dicom.parse(BytesIO(data), name), name, frame)
    return Radiograph(pixels, "DICOM", steps)
