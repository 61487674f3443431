"""What a DICOM file says about its one image, by way of pydicom.

Imported by :mod:`fracture.data.radiograph` only when a DICOM file comes: pydicom takes 0.2 s to import.
Section numbers are those of the DICOM standard, PS3.3 2024.
"""

import warnings
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
)

from fracture.errors import RadiographError

# What pydicom warns of (odd tags, bytes too many) concerns no reader of a page. Said once, at import,
# because warnings.catch_warnings() is not safe between threads.
warnings.filterwarnings("ignore", module="pydicom")

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


class Values(NamedTuple):
    """Gray values that are not yet 8 bit: ``low`` is black and ``high`` white, or the reverse where ``inverted``."""

    values: NDArray[Any]
    low: float
    high: float
    inverted: bool
    steps: tuple[str, ...]


def parse(file: BinaryIO, name: str, pixels: bool = True) -> pydicom.Dataset:
    """The elements of a DICOM file, with or without those of the pixels, which stay undecoded.

    Raises RadiographError for a deflated file: how large it grows shows only when it is too late.
    """
    if _transfer_syntax(file) == DeflatedExplicitVRLittleEndian:
        raise RadiographError(f"{name} is a deflated DICOM file, which is not read; save it uncompressed.")
    file.seek(0)
    dataset = pydicom.dcmread(file, force=True, stop_before_pixels=not pixels)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


def sizes(dataset: pydicom.Dataset, name: str) -> list[tuple[int, int]]:
    """Every (width, height) that the file claims: its own, and that of a compressed image inside it.

    Raises RadiographError where there is no image at all, or one that is compressed in a way that is not read.
    """
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    claimed = [(int(dataset.Columns), int(dataset.Rows))]
    if dataset.get("PixelData") and dataset.file_meta.TransferSyntaxUID.is_compressed:
        _check_codec(dataset, name)
        claimed += _codestream_size(get_frame(dataset.PixelData, 0, number_of_frames=1))
    return claimed


def gray_values(dataset: pydicom.Dataset, name: str) -> Values:
    """Decode the image: one frame, MONOCHROME1, MONOCHROME2 or 8-bit colour.

    Rescaled (C.11.1) and with the black and white of its first VOI table or window (C.11.2); 8-bit values
    with neither stay as they are, others go from their minimum to their maximum.
    Raises RadiographError for what cannot be read.
    """
    kind = _checked_kind(dataset, name)
    stored = pixel_array(dataset)  # (H, W) or (H, W, 3)
    if kind in COLOUR:
        gray = np.asarray(Image.fromarray(stored).convert("L"))
        return Values(gray, 0, 255, False, ("colour to gray",))
    values, low, high, steps = _grayscale(dataset, apply_modality_lut(stored, dataset))
    inverted = kind == "MONOCHROME1"
    return Values(values, low, high, inverted, (*steps, *(["inverted (MONOCHROME1)"] if inverted else [])))


def _checked_kind(dataset: pydicom.Dataset, name: str) -> str:
    """The photometric interpretation (C.7.6.3.1.2) of the one image that must be there."""
    if not dataset.get("PixelData"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    if (frames := int(dataset.get("NumberOfFrames") or 1)) > 1:
        raise RadiographError(f"{name} must hold one image. Received: {frames} frames; export the one that matters.")
    kind = str(dataset.PhotometricInterpretation)
    if kind not in MONOCHROME and not (kind in COLOUR and dataset.BitsAllocated == 8):
        raise RadiographError(
            f"{name} must be MONOCHROME1, MONOCHROME2 or 8-bit colour. "
            f"Received: {kind} with {dataset.BitsAllocated} bits; export it in grayscale."
        )
    return kind


def _grayscale(dataset: pydicom.Dataset, values: NDArray[Any]) -> tuple[NDArray[Any], float, float, tuple[str, ...]]:
    """Values with their black and white points, by VOI table, window, or what is there."""
    if tables := dataset.get("VOILUTSequence"):
        table, first = _voi_table(tables[0], little_endian=dataset.original_encoding[1] is not False)
        index = np.clip(values - np.int64(first), 0, len(table) - 1).astype(np.intp)
        return table[index], float(table.min()), float(table.max()), ("VOI table",)
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is not None and width is not None and width > 1:
        # LINEAR counts pixel centres (C.11.2.1.2); SIGMOID is taken by its tangent, which is LINEAR_EXACT.
        linear = dataset.get("VOILUTFunction", "LINEAR") == "LINEAR"
        low, high = (centre - width / 2, centre + width / 2 - 1) if linear else (centre - width / 2, centre + width / 2)
        return values, low, high, (f"window {centre:g}/{width:g}",)
    if values.dtype == np.uint8 and dataset.BitsStored == 8:
        return values, 0, 255, ()
    return values, float(values.min()), float(values.max()), (f"{dataset.BitsStored} bit to 8 bit",)


def _voi_table(item: pydicom.Dataset, little_endian: bool) -> tuple[NDArray[Any], int]:
    """(its entries, the value that its first entry stands for), C.11.2.1.1.

    Not pydicom's apply_voi: that counts entries of an 8-bit-deep table in 8 bits, and so wraps after 255.
    """
    data = item.LUTData
    table = np.frombuffer(data, "<u2" if little_endian else ">u2") if isinstance(data, bytes) else np.asarray(data)
    return table, int(item.LUTDescriptor[1])


def _first(value: Any) -> float | None:
    """The first of one or several numbers (the views that a window can have); None where there is none."""
    several = isinstance(value, pydicom.multival.MultiValue)
    number = (value[0] if value else None) if several else value
    return None if number in (None, "") else float(number)


def _transfer_syntax(file: BinaryIO) -> str:
    """The transfer syntax in the file's meta information (PS3.10 7.1); "" where there is none."""
    file.seek(128)
    file.seek(132 if file.read(4) == b"DICM" else 0)
    meta = read_dataset(
        file, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _n: tag.group != 2
    )
    return str(meta.get("TransferSyntaxUID", ""))


def _check_codec(dataset: pydicom.Dataset, name: str) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:  # what pydicom raises for a syntax that it has never heard of
        known = False
    if not known or (syntax == JPEGExtended12Bit and dataset.BitsAllocated > 8):  # Pillow reads its 8-bit form only
        raise RadiographError(f"{name} is compressed as {syntax.name}, which is not read here; save it uncompressed.")


def _codestream_size(frame: bytes) -> list[tuple[int, int]]:
    """[(width, height)] by a JPEG's or JPEG 2000's own header; [] for other codecs, which cannot exceed their frame."""
    if frame.startswith(b"\xff\xd8\xff"):
        return [JpegImagePlugin.JpegImageFile(BytesIO(frame)).size]
    if frame.startswith((b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")):
        return [Jpeg2KImagePlugin.Jpeg2KImageFile(BytesIO(frame)).size]
    return []
