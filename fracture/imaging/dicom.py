"""The one image of a DICOM file in gray, decoded by pydicom.

Only the elements that describe pixels are read: names and whatever else stands in the header never get beyond the file.
Imported by :mod:`fracture.imaging.radiograph` only when a DICOM file comes: pydicom takes 0.2 s to import.
Section numbers are those of the DICOM standard, PS3.3 2024.
"""

import zlib
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset, read_sequence_item
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut, convert_color_space
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import inflate
from fracture.imaging.dicom_pixels import check_frame, unpack_frame
from fracture.imaging.gray_scale import gray_range, map_strips, split_strips, to_8_bit
from fracture.imaging.limits import Bounded

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
NOT_READ = ("PALETTE COLOR", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "HSV", "ARGB", "CMYK", "XYB")
"""Photometric interpretations (C.7.6.3.1.2) that a message may name."""

TABLES = ("ModalityLUTSequence", "VOILUTSequence")
ELEMENTS = [
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "PixelData"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction", *TABLES),
]
"""The elements that are read."""

MAX_ELEMENT_BYTES = 2**20
"""Of any element but the pixels; a table has 130 kB."""

MAX_HEADER_READS = 20_000
"""From a file: pydicom makes objects of what it reads, a tenth of a millisecond each."""

MAX_GRAY_VALUE = 1e30
"""Nothing is near it: a rescaled value, or a border of the window. Infinity and NaN are not below it."""


class GrayScale(NamedTuple):
    """How stored values become gray.

    Through ``table``, whose first entry stands for the value ``first``; then linearly from ``low`` to ``high``.
    """

    low: float
    high: float
    steps: tuple[str, ...]
    table: NDArray[Any] | None = None
    first: int = 0


def parse(file: BinaryIO, name: str, pixels: bool = True) -> pydicom.Dataset:
    """The :data:`ELEMENTS` of a DICOM file, with or without the pixels, which stay encoded.

    Raises RadiographError for a deflated file that becomes too large.
    """
    bounded = cast(BinaryIO, Bounded(file, MAX_HEADER_READS))
    syntax = _transfer_syntax(bounded)
    if syntax == DeflatedExplicitVRLittleEndian:
        bounded = cast(BinaryIO, Bounded(_inflate(bounded, name), MAX_HEADER_READS))
    bounded.seek(0)
    # Forced: old files begin without the preamble.
    dataset = pydicom.dcmread(bounded, force=True, stop_before_pixels=not pixels, specific_tags=ELEMENTS)
    # These name no transfer syntax; pydicom has found out how their elements are encoded.
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    for keyword in ELEMENTS:
        if keyword != "PixelData" and keyword in dataset:
            _check_element(dataset, keyword)
    return dataset


def size(dataset: pydicom.Dataset, name: str) -> tuple[int, int]:
    """(width, height) in px, as the header says. Raises RadiographError where there is no image at all."""
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    return int(dataset.Columns), int(dataset.Rows)


def count_frames(dataset: pydicom.Dataset) -> int:
    """The frames, as the header says; 1 where it says nothing (C.7.6.6). Raises ValueError for a number below."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames < 1:
        raise ValueError("a negative number of frames")
    return frames


def gray(dataset: pydicom.Dataset, name: str, frame: int = 1) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode a frame of MONOCHROME1, MONOCHROME2 or 8-bit color, counted from 1: (H, W), and what was done.

    Rescaled (C.11.1) and with the black and white of its first VOI table or window (C.11.2); 8-bit values
    with neither stay as they are, others go from their minimum to their maximum.
    Raises RadiographError for what cannot be read.
    """
    width, height = size(dataset, name)
    kind = _check_kind(dataset, name)
    frames = _check_frames(dataset, name, frame)
    of_several = (f"frame {frame} of {frames}",) if frames > 1 else ()
    check_frame(dataset, width, height, name, frame - 1)
    stored, meta = _decode(dataset, name, frame - 1)
    is_color = kind in COLOR
    dimensions = 3 if is_color and stored.ndim == 3 else 2
    if stored.shape[:2] != (height, width) or stored.ndim != dimensions:
        raise ValueError("the pixels are not those of one image of this size")
    if is_color:
        color_space = str(meta["photometric_interpretation"])
        return map_strips(lambda strip: _luminosity(strip, color_space), stored), (*of_several, "color to gray")
    scale = _gray_scale(dataset, stored, name)
    inverted = kind == "MONOCHROME1"  # the lowest value is white (C.7.6.3.1.2)

    def to_gray(strip: NDArray[Any]) -> NDArray[np.uint8]:
        # In this order (PS3.4 N.2): VOI table and window are in the units of the rescaled values.
        rescaled = apply_modality_lut(strip, dataset)
        gray = to_8_bit(_apply_table(rescaled, scale), scale.low, scale.high)
        return 255 - gray if inverted else gray

    steps = (*scale.steps, "inverted (MONOCHROME1)") if inverted else scale.steps
    return map_strips(to_gray, stored), (*of_several, *steps)


def _decode(dataset: pydicom.Dataset, name: str, index: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """The stored values of a frame, counted from 0, (H, W) or (H, W, 3), and what pydicom says of them."""
    if unpack_frame(dataset, name, index):
        index = 0  # it is now the only one
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    options: Any = {"view_only": True}  # pydicom's types know it under another name
    stored, meta = decoder.as_array(dataset, index=index, raw=True, **options)
    return stored, dict(meta)


def _check_kind(dataset: pydicom.Dataset, name: str) -> str:
    """The photometric interpretation (C.7.6.3.1.2) of the one image that must be there."""
    if not dataset.get("PixelData"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    kind = str(dataset.PhotometricInterpretation)
    bits = int(dataset.BitsAllocated)
    if kind not in MONOCHROME and not (kind in COLOR and bits == 8):
        # Only a known word is repeated: anything may stand in the header of an upload.
        shown = kind if kind in (*COLOR, *NOT_READ) else "something else"
        raise RadiographError(
            f"{name} must be MONOCHROME1, MONOCHROME2 or 8-bit color. "
            f"Received: {shown} with {bits} bits; export it in grayscale."
        )
    return kind


def _check_frames(dataset: pydicom.Dataset, name: str, frame: int) -> int:
    """How many frames there are. Raises RadiographError where the wanted one, counted from 1, is not among them."""
    frames = count_frames(dataset)
    dataset.NumberOfFrames = frames
    if not 1 <= frame <= frames:
        raise RadiographError(f"The frame of {name} must be 1 to {frames}. Received: {frame}; choose another one.")
    return frames


def _luminosity(strip: NDArray[np.uint8], color_space: str) -> NDArray[np.uint8]:
    """(N, 3) -> (N,); (N,) stays."""
    if strip.ndim == 1:
        return strip
    row = strip[None]  # (1, N, 3)
    colors = row if color_space == "RGB" else convert_color_space(row, color_space, "RGB")
    gray: NDArray[np.uint8] = np.asarray(Image.fromarray(np.ascontiguousarray(colors)).convert("L"))[0]
    return gray


def _gray_scale(dataset: pydicom.Dataset, stored: NDArray[Any], name: str) -> GrayScale:
    """The black and white points: by the VOI table, else by the window (C.11.2), else by the values themselves.

    Raises RadiographError where one of them is not a finite number.
    """
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        _check_finite(_first_number(dataset.get(keyword)) or 0.0, name)
    # Where a file has both a table and a window, either may be applied; pydicom prefers the table as well.
    scale = _voi_table_scale(dataset) or _window_scale(dataset) or _value_scale(dataset, stored)
    _check_finite(scale.low, name)
    _check_finite(scale.high, name)
    return scale


def _check_finite(value: float, name: str) -> None:
    if not abs(value) < MAX_GRAY_VALUE:  # not >=, which NaN would pass
        raise RadiographError(
            f"{name} must have gray values and a window that are numbers. Received: infinite ones; export it again."
        )


def _voi_table_scale(dataset: pydicom.Dataset) -> GrayScale | None:
    """From the lowest to the highest entry of the first VOI table (C.11.2.1.1); None where there is none.

    Not pydicom's apply_voi: that counts entries of an 8-bit-deep table in 8 bits, and so wraps after 255.
    """
    if not dataset.get("VOILUTSequence"):
        return None
    item = dataset.VOILUTSequence[0]
    entries = item.LUTData
    if isinstance(entries, bytes):
        little_endian = dataset.original_encoding[1] is not False
        entries = np.frombuffer(entries, "<u2" if little_endian else ">u2")
    table = np.asarray(entries)
    # The descriptor: number of entries, value that the first one stands for, bits of each.
    return GrayScale(float(table.min()), float(table.max()), ("VOI table",), table, int(item.LUTDescriptor[1]))


def _window_scale(dataset: pydicom.Dataset) -> GrayScale | None:
    """The first window (C.11.2.1.2); None where there is none. SIGMOID is taken by its tangent: LINEAR_EXACT."""
    center = _first_number(dataset.get("WindowCenter"))
    width = _first_number(dataset.get("WindowWidth"))
    # A width of 1 is a step from black to white, and not a range; no comparison with NaN is true.
    if center is None or width is None or not width > 1:
        return None
    low = center - width / 2
    high = center + width / 2
    if dataset.get("VOILUTFunction", "LINEAR") == "LINEAR":
        # C.11.2.1.2.1: black at center - 0.5 - (width - 1) / 2, white at center - 0.5 + (width - 1) / 2.
        high -= 1
    return GrayScale(low, high, (f"window {center:g}/{width:g}",))


def _value_scale(dataset: pydicom.Dataset, stored: NDArray[Any]) -> GrayScale:
    """8 bits as they are; others by :func:`gray_range`."""
    bits = int(dataset.BitsStored)
    # One value is enough to see the type that rescaling gives.
    first_value = apply_modality_lut(stored.reshape(-1)[:1], dataset)
    if first_value.dtype == np.uint8 and bits == 8:
        return GrayScale(0, 255, ())
    low, high = gray_range(apply_modality_lut(strip, dataset) for strip in split_strips(stored))
    return GrayScale(low, high, (f"{bits} bit to 8 bit",))


def _apply_table(values: NDArray[Any], scale: GrayScale) -> NDArray[Any]:
    """The entries of the VOI table for values, or the values where there is none."""
    if scale.table is None:
        return values
    last = len(scale.table) - 1
    # In 64 bits, since differences in 16 bits wrap. Values beyond the table get its first or last entry (C.11.2.1.1).
    index = np.clip(values - np.int64(scale.first), 0, last).astype(np.intp)
    return scale.table[index]


def _first_number(value: Any) -> float | None:
    """The first of one or several numbers (a window can have several views); None where there is none."""
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def _inflate(file: BinaryIO, name: str) -> BytesIO:
    """The elements of a deflated file (PS3.5 A.5), of which the meta information has just been read.

    Not by pydicom, which inflates without a limit.
    """
    return BytesIO(inflate(file.read(), name, -zlib.MAX_WBITS))


def _transfer_syntax(file: BinaryIO) -> str:
    """The transfer syntax in the file's meta information (PS3.10 7.1); "" where there is none."""
    file.seek(128)  # after the preamble
    has_preamble = file.read(4) == b"DICM"
    file.seek(132 if has_preamble else 0)
    # The meta information is group 2, always in explicit little endian.
    meta = read_dataset(
        file, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _n: tag.group != 2
    )
    return str(meta.get("TransferSyntaxUID", ""))


def _check_element(dataset: pydicom.Dataset, keyword: str) -> None:
    """Raises ValueError for an element that is too large.

    Of the sequence of a table the first item alone stays: pydicom would go through all of them.
    """
    raw = dataset.get_item(keyword)
    if not isinstance(raw, RawDataElement) or not raw.value:
        return
    if len(raw.value) > MAX_ELEMENT_BYTES:
        raise ValueError("an element that says something of pixels is too long")
    if keyword in TABLES:
        items = cast(BinaryIO, Bounded(BytesIO(raw.value), MAX_HEADER_READS))
        first = read_sequence_item(items, raw.is_implicit_VR, raw.is_little_endian, "iso8859")
        dataset[keyword] = pydicom.DataElement(raw.tag, "SQ", [first] if first is not None else [])
