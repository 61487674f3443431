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
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import inflate
from fracture.imaging.dicom_gray import render
from fracture.imaging.dicom_pixels import check_frame, unpack_frame
from fracture.imaging.gray_scale import map_strips
from fracture.imaging.limits import Bounded

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
NOT_READ = ("PALETTE COLOR", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "HSV", "ARGB", "CMYK", "XYB")
"""Photometric interpretations (C.7.6.3.1.2) that a message may name."""

TABLES = ("ModalityLUTSequence", "VOILUTSequence")
ELEMENTS = [
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PresentationLUTShape"),
    *("PixelSpacing", "ImagerPixelSpacing"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction", *TABLES),
]
"""The elements that are read."""

MAX_ELEMENT_BYTES = 2**20
"""Of any element but the pixels; a table has 130 kB."""

MAX_HEADER_READS = 20_000
"""From a file: pydicom makes objects of what it reads, a tenth of a millisecond each."""


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
    """The frames, as the header says; 1 where it says nothing (C.7.6.6). Raises ValueError for what is no number."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if not 1 <= frames < 2**31:  # an IS has 32 bits (PS3.5 6.2)
        raise ValueError("a number of frames that no file has")
    return frames


class DecodedFrame(NamedTuple):
    """One frame as it is stored."""

    stored: NDArray[Any]
    """(H, W), or (H, W, 3) in color."""
    color_space: str
    """Empty for MONOCHROME1 and MONOCHROME2."""
    steps: tuple[str, ...]


def gray(dataset: pydicom.Dataset, name: str, frame: int = 1) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode a frame of MONOCHROME1, MONOCHROME2 or 8-bit color, counted from 1: (H, W), and what was done.

    :mod:`fracture.imaging.dicom_gray` sets the gray scale.
    Raises RadiographError for what cannot be read.
    """
    decoded = decode(dataset, name, frame)
    if decoded.color_space:
        pixels = map_strips(lambda strip: _luminosity(strip, decoded.color_space), decoded.stored)
        return pixels, (*decoded.steps, "color to gray")
    pixels, steps = render(dataset, decoded.stored, name)
    return pixels, (*decoded.steps, *steps)


def decode(dataset: pydicom.Dataset, name: str, frame: int = 1) -> DecodedFrame:
    """The stored values of a frame, counted from 1. Raises RadiographError for what cannot be read."""
    width, height = size(dataset, name)
    kind = _check_kind(dataset, name)
    frames = _check_frames(dataset, name, frame)
    steps = (f"frame {frame} of {frames}",) if frames > 1 else ()
    check_frame(dataset, width, height, name, frame - 1)
    stored, meta = _decode(dataset, name, frame - 1)
    is_color = kind in COLOR
    dimensions = 3 if is_color and stored.ndim == 3 else 2
    if stored.shape[:2] != (height, width) or stored.ndim != dimensions:
        raise ValueError("the pixels are not those of one image of this size")
    return DecodedFrame(stored, str(meta["photometric_interpretation"]) if is_color else "", steps)


def _decode(dataset: pydicom.Dataset, name: str, index: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """The stored values of a frame, counted from 0, (H, W) or (H, W, 3), and what pydicom says of them."""
    if unpack_frame(dataset, name, index):
        index = 0  # it is now the only one
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    # Bits that are no part of the values are cut off later, a strip at a time. (pydicom's types know other names.)
    options: Any = {"view_only": True, "correct_unused_bits": False}
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
