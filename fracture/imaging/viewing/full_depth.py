"""An image in its full stored depth, for a person's eyes: 8 bits are enough for the model, and not for a window.

::

    file ──> pixels (H, W) uint8 or uint16 ── value = slope x pixel + intercept ── low (black) to high (white) ──> gray

``low`` and ``high`` are where :func:`fracture.imaging.radiograph.read` sets black and white: with them, the gray is
what the model sees. Files are decoded as that does it, within the same limits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fracture.files import open_file
from fracture.imaging.codecs.formats import HEAD_BYTES, PICTURES, recognize, unpack_gzip
from fracture.imaging.gray_scale import count_values, gray_range, map_strips, split_strips, to_8_bit
from fracture.imaging.png_jpeg import (
    DeepImage,
    check_memory,
    decode_deep,
    is_deep,
    open_png_jpeg,
    read_orientation,
    undo_orientation,
)
from fracture.imaging.radiograph import cannot_open, decoding, read
from fracture.paths import sanitize_name

if TYPE_CHECKING:  # pydicom takes 0.2 s to import
    import pydicom

    from fracture.imaging.dicom.monochrome import GrayRendering

MAX_LEVEL = 2**16 - 1

MAX_SPACING_MM = 10.0
"""Of a pixel; detectors have about 0.1 mm. What is larger is no spacing of a radiograph."""


class Spacing(NamedTuple):
    """The distance between neighboring pixels in mm."""

    across: float
    down: float
    at_detector: bool
    """As measured on the detector, where the body looks larger than it is; else corrected for that."""


@dataclass(frozen=True)
class FullDepth:
    """An image in its full depth.

    ``pixels``: (H, W) uint8 or uint16, whose values are ``slope * pixel + intercept``. ``low`` and ``high``: the values
    that are black and white for the model; ``inverted``: white and black. ``width`` and ``height``: of the image in px,
    of which ``pixels`` may be a smaller copy.
    """

    pixels: NDArray[Any]
    low: float
    high: float
    width: int
    height: int
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    spacing: Spacing | None = None

    @property
    def bits(self) -> int:
        """How many bits the pixels need, 1 to 16."""
        return max(1, int(self.pixels.max(initial=0)).bit_length())

    @property
    def window(self) -> tuple[float, float]:
        """Center and width of the model's window, as DICOM counts them (PS3.3 C.11.2.1.2.1): 128 and 256 for 8 bits."""
        return (self.low + self.high + self.slope) / 2, self.high - self.low + self.slope

    def gray(self) -> NDArray[np.uint8]:
        """(H, W), as the model sees it."""
        shown = map_strips(lambda strip: to_8_bit(self._values(strip), self.low, self.high), self.pixels)
        return 255 - shown if self.inverted else shown

    def _values(self, strip: NDArray[Any]) -> NDArray[Any]:
        if (self.slope, self.intercept) == (1, 0):
            return strip
        return strip * self.slope + self.intercept

    def shrunk(self, size: int) -> "FullDepth":
        """The same image with the longer side of ``pixels`` at most ``size`` px; nothing is enlarged."""
        height, width = self.pixels.shape
        share = size / max(height, width)
        if share >= 1:
            return self
        across = max(1, round(width * share))
        down = max(1, round(height * share))
        small = Image.fromarray(self.pixels).resize((across, down), Image.Resampling.BILINEAR)
        return replace(self, pixels=np.asarray(small))


def load_full_depth(path: Path, frame: int = 1) -> FullDepth:
    """Read one file, as :func:`read_full_depth` does. Raises RadiographError where it is missing or no radiograph."""
    try:
        with open_file(path) as file:
            data = file.read()
    except OSError as error:
        raise cannot_open(path, error) from error
    return read_full_depth(data, path.name, frame)


def read_full_depth(data: bytes, name: str = "the file", frame: int = 1) -> FullDepth:
    """Decode the bytes of a file. Raises RadiographError as :func:`fracture.imaging.radiograph.read` does."""
    name = sanitize_name(name)
    kind = recognize(data[:HEAD_BYTES], name)
    deep: FullDepth | None = None
    with decoding(name, kind):
        if kind in ("DICOM", "gzip"):
            deep = _read_dicom(unpack_gzip(data, name) if kind == "gzip" else data, name, frame)
        elif kind in PICTURES:
            deep = _read_picture(data, kind, name)
        else:
            deep = _read_png(data, kind, name)
    # The others have 8 bits, or are in color: what the model sees is all that there is.
    return deep or of_gray(read(data, name, frame).pixels)


def of_gray(pixels: NDArray[np.uint8]) -> FullDepth:
    """The image (H, W) of 8 bits, as it is."""
    height, width = pixels.shape
    return FullDepth(pixels, 0, 255, width, height)


def _of_levels(pixels: NDArray[np.uint16], low: float, high: float) -> FullDepth:
    height, width = pixels.shape
    return FullDepth(np.ascontiguousarray(pixels), low, high, width, height)


# PNG, TIFF and other pictures


def _read_png(data: bytes, kind: str, name: str) -> FullDepth | None:
    """A PNG of 16 bits; None for one of 8 bits, and for a JPEG."""
    image = open_png_jpeg(BytesIO(data), kind)
    check_memory(image, data, name)
    orientation = read_orientation(image)
    if is_deep(image):
        pixels, low, high = _over_black(decode_deep(data))
    elif image.mode.startswith("I"):
        image.load()
        pixels = np.asarray(image).astype(np.uint16)
        low, high = gray_range(count_values(split_strips(pixels)))
    else:
        return None
    upright = undo_orientation(pixels, orientation) if orientation > 1 else pixels
    return _of_levels(upright, low, high)


def _over_black(deep: DeepImage) -> tuple[NDArray[np.uint16], float, float]:
    """Gray values (H, W) and their range; where they are transparent, they are nearer to the lowest of the range."""
    low, high = gray_range(count_values(deep.seen_rows()))
    if deep.alpha is None:
        return deep.gray, low, high
    pixels = np.empty_like(deep.gray)
    for target, row, opacity in zip(pixels, deep.gray, deep.alpha, strict=True):
        above = (row - np.float32(low)) * (opacity / np.float32(MAX_LEVEL))
        target[:] = np.rint(low + above).clip(0, MAX_LEVEL)
    return pixels, low, high


def _read_picture(data: bytes, kind: str, name: str) -> FullDepth | None:
    """A TIFF, JPEG 2000 or other picture of 16 bits, decoded by a worker process; of 8 bits as it is."""
    from fracture.imaging.codecs import pool

    pixels = pool.decode_picture(data, kind, name).pixels
    if pixels.dtype == np.uint8:
        return of_gray(pixels)
    low, high = gray_range(count_values(split_strips(pixels)))
    return _of_levels(pixels, low, high)


# DICOM


def _read_dicom(data: bytes, name: str, frame: int) -> FullDepth | None:
    """The values of a DICOM file; None in color."""
    from fracture.imaging import dicom
    from fracture.imaging.dicom.monochrome import prepare

    dataset = dicom.parse(BytesIO(data), name)
    decoded = dicom.decode(dataset, name, frame)
    if not decoded.is_gray:
        return None
    full = _of_stored(prepare(dataset, decoded.stored, name))
    return replace(full, spacing=_spacing(dataset))


def _of_stored(rendering: "GrayRendering") -> FullDepth:
    """The values of the stored pixels, which a window speaks of, in levels of at most 16 bits."""
    stored = rendering.stored
    low, high = rendering.scale.low, rendering.scale.high
    lowest, highest = _value_range(rendering)
    if stored.padding > 0:  # it is black in the model's window, whichever end of it that is
        lowest = min(lowest, low)
        highest = max(highest, high)
    # Values of more than 16 bits are rounded to 65,536 levels between the lowest and the highest.
    slope = max(_value_step(rendering), (highest - lowest) / MAX_LEVEL) or 1.0
    black = MAX_LEVEL if rendering.inverted else 0

    def to_level(strip: NDArray[Any]) -> NDArray[Any]:
        levels = np.rint((rendering.values(strip) - np.float64(lowest)) / slope)
        padded = np.where(stored.is_padding(strip), black, levels) if stored.padding > 0 else levels
        return padded.clip(0, np.floor((highest - lowest) / slope + 0.5)).astype(np.uint16)

    pixels = _map_levels(to_level, stored.pixels)
    height, width = pixels.shape
    return FullDepth(pixels, low, high, width, height, slope, lowest, rendering.inverted)


def _map_levels(to_level: Callable[[NDArray[Any]], NDArray[Any]], values: NDArray[Any]) -> NDArray[np.uint16]:
    """``to_level`` of each pixel, a strip at a time: (H, W) -> (H, W)."""
    levels = np.empty(values.size, np.uint16)
    begin = 0
    for strip in split_strips(values):
        levels[begin : begin + len(strip)] = to_level(strip)
        begin += len(strip)
    return levels.reshape(values.shape)


def _value_range(rendering: "GrayRendering") -> tuple[float, float]:
    """The lowest and the highest value of the image without padding."""
    lowest: list[float] = []
    highest: list[float] = []
    for strip in split_strips(rendering.stored.pixels):
        seen = strip[~rendering.stored.is_padding(strip)]
        if seen.size:
            values = rendering.values(seen)
            lowest.append(float(values.min()))
            highest.append(float(values.max()))
    return min(lowest), max(highest)


def _value_step(rendering: "GrayRendering") -> float:
    """The difference between neighboring values: that of a rescale slope, else 1."""
    stored = rendering.stored.pixels
    zero, one = rendering.rescale(np.array([0, 1], stored.dtype))
    is_whole = rendering.scale.table is not None or np.asarray(one).dtype.kind in "ui"
    return 1.0 if is_whole else abs(float(one) - float(zero))


def _spacing(dataset: "pydicom.Dataset") -> Spacing | None:
    """Pixel Spacing, which is at the body where it was calibrated (DICOM PS3.3 10.7.1.3), else that of the detector."""
    for keyword, at_detector in (("PixelSpacing", False), ("ImagerPixelSpacing", True)):
        try:
            down, across = (float(each) for each in dataset.get(keyword) or ())
        except (TypeError, ValueError):  # missing, or no two numbers
            continue
        if all(isfinite(each) and 0 < each <= MAX_SPACING_MM for each in (across, down)):
            return Spacing(across, down, at_detector)
    return None
