"""What a DICOM file says about its one image, by way of pydicom.

Only the elements that say something of pixels are read: names and whatever else stands in the header never get beyond
the file. Imported by :mod:`fracture.imaging.radiograph` only when a DICOM file comes: pydicom takes 0.2 s to import.
Section numbers are those of the DICOM standard, PS3.3 2024.
"""

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
from fracture.imaging.dicom_pixels import check_frame, unpack_rle
from fracture.imaging.limits import STRIP, Bounded, in_strips, to_8_bit

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
OTHER_KINDS = ("PALETTE COLOR", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "HSV", "ARGB", "CMYK", "XYB")

TABLES = ("ModalityLUTSequence", "VOILUTSequence")
NEEDED = [
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "PixelData"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction", *TABLES),
]
"""The elements that are read."""

MOST_BYTES = 2**20
"""Of any element but the pixels; a table has 130 kB."""

MAX_READS = 20_000
"""From a file, of which pydicom makes objects: a tenth of a millisecond each."""

LARGEST = 1e30
"""A gray value."""


class Scale(NamedTuple):
    """How stored values become gray: through ``table`` from its first value on, then from ``low`` to ``high``."""

    low: float
    high: float
    steps: tuple[str, ...]
    table: NDArray[Any] | None = None
    first: int = 0


def parse(file: BinaryIO, name: str, pixels: bool = True) -> pydicom.Dataset:
    """The :data:`NEEDED` elements of a DICOM file, with or without those of the pixels, which stay undecoded.

    Raises RadiographError for a deflated file: how large it grows shows only when it is too late.
    """
    bounded = cast(BinaryIO, Bounded(file, MAX_READS))
    if _transfer_syntax(bounded) == DeflatedExplicitVRLittleEndian:
        raise RadiographError(f"{name} is a deflated DICOM file, which is not read; save it uncompressed.")
    bounded.seek(0)
    dataset = pydicom.dcmread(bounded, force=True, stop_before_pixels=not pixels, specific_tags=NEEDED)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    for keyword in NEEDED:
        if keyword != "PixelData" and keyword in dataset:
            _bound(dataset, keyword)
    return dataset


def size(dataset: pydicom.Dataset, name: str) -> tuple[int, int]:
    """(width, height) in px, as the header says. Raises RadiographError where there is no image at all."""
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    return int(dataset.Columns), int(dataset.Rows)


def gray(dataset: pydicom.Dataset, name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode the image, one frame of MONOCHROME1, MONOCHROME2 or 8-bit colour: (H, W), and what was done.

    Rescaled (C.11.1) and with the black and white of its first VOI table or window (C.11.2); 8-bit values
    with neither stay as they are, others go from their minimum to their maximum.
    Raises RadiographError for what cannot be read.
    """
    width, height = size(dataset, name)
    kind = _checked_kind(dataset, name)
    check_frame(dataset, width, height, name)
    stored, meta = _decoded(dataset)
    if stored.shape[:2] != (height, width) or stored.ndim != (3 if kind in COLOUR and stored.ndim == 3 else 2):
        raise ValueError("the pixels are not those of one image of this size")
    if kind in COLOUR:
        space = str(meta["photometric_interpretation"])
        return in_strips(stored, lambda strip: _luminosity(strip, space)), ("colour to gray",)
    scale = _scale(dataset, stored, name)
    inverted = kind == "MONOCHROME1"

    def shade(strip: NDArray[Any]) -> NDArray[np.uint8]:
        shaded = to_8_bit(_scaled(apply_modality_lut(strip, dataset), scale), scale.low, scale.high)
        return 255 - shaded if inverted else shaded

    return in_strips(stored, shade), (*scale.steps, *(["inverted (MONOCHROME1)"] if inverted else []))


def _decoded(dataset: pydicom.Dataset) -> tuple[NDArray[Any], dict[str, Any]]:
    """The stored values, (H, W) or (H, W, 3), and what pydicom says of them."""
    unpack_rle(dataset)
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    options: Any = {"view_only": True}  # which pydicom's types know under another name
    stored, meta = decoder.as_array(dataset, index=0, raw=True, **options)
    return stored, dict(meta)


def _checked_kind(dataset: pydicom.Dataset, name: str) -> str:
    """The photometric interpretation (C.7.6.3.1.2) of the one image that must be there."""
    if not dataset.get("PixelData"):
        raise RadiographError(f"{name} is a DICOM file without an image; choose a file that holds a radiograph.")
    if (frames := int(dataset.get("NumberOfFrames") or 1)) > 1:
        number = str(frames) if frames < 10**6 else "a million or more"
        raise RadiographError(f"{name} must hold one image. Received: {number} frames; export the one that matters.")
    dataset.NumberOfFrames = 1 if frames == 0 else frames
    kind, bits = str(dataset.PhotometricInterpretation), int(dataset.BitsAllocated)
    if kind not in MONOCHROME and not (kind in COLOUR and bits == 8):
        shown = kind if kind in (*COLOUR, *OTHER_KINDS) else "something else"  # and not what a stranger wrote there
        raise RadiographError(
            f"{name} must be MONOCHROME1, MONOCHROME2 or 8-bit colour. "
            f"Received: {shown} with {bits} bits; export it in grayscale."
        )
    return kind


def _luminosity(strip: NDArray[np.uint8], space: str) -> NDArray[np.uint8]:
    """(N, 3) -> (N,); (N,) stays."""
    if strip.ndim == 1:
        return strip
    colours = strip[None] if space == "RGB" else convert_color_space(strip[None], space, "RGB")
    gray: NDArray[np.uint8] = np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))[0]
    return gray


def _scale(dataset: pydicom.Dataset, stored: NDArray[Any], name: str) -> Scale:
    """The black and white points, by VOI table, window, or what is there."""
    scale = _said_scale(dataset, stored)
    if not (abs(scale.low) < LARGEST and abs(scale.high) < LARGEST):  # nan is not less
        raise RadiographError(
            f"{name} must have gray values and a window that are numbers. Received: infinite ones; export it anew."
        )
    return scale


def _said_scale(dataset: pydicom.Dataset, stored: NDArray[Any]) -> Scale:
    for rescale in ("RescaleSlope", "RescaleIntercept"):
        if not abs(factor := _first(dataset.get(rescale)) or 0.0) < LARGEST:
            return Scale(factor, factor, ())
    if dataset.get("VOILUTSequence"):
        table, first = _voi_table(dataset)
        return Scale(float(table.min()), float(table.max()), ("VOI table",), table, first)
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is not None and width is not None and width > 1:
        # LINEAR counts pixel centres (C.11.2.1.2); SIGMOID is taken by its tangent, which is LINEAR_EXACT.
        linear = dataset.get("VOILUTFunction", "LINEAR") == "LINEAR"
        low, high = (centre - width / 2, centre + width / 2 - 1) if linear else (centre - width / 2, centre + width / 2)
        return Scale(low, high, (f"window {centre:g}/{width:g}",))
    bits, flat = int(dataset.BitsStored), stored.reshape(-1)
    if apply_modality_lut(flat[:1], dataset).dtype == np.uint8 and bits == 8:
        return Scale(0, 255, ())
    parts = (apply_modality_lut(flat[begin : begin + STRIP], dataset) for begin in range(0, flat.size, STRIP))
    ends = [(float(part.min()), float(part.max())) for part in parts]
    return Scale(min(low for low, _ in ends), max(high for _, high in ends), (f"{bits} bit to 8 bit",))


def _scaled(values: NDArray[Any], scale: Scale) -> NDArray[Any]:
    """The entries of the table for values, or the values where there is none."""
    if scale.table is None:
        return values
    index = np.clip(values - np.int64(scale.first), 0, len(scale.table) - 1).astype(np.intp)
    return scale.table[index]


def _voi_table(dataset: pydicom.Dataset) -> tuple[NDArray[Any], int]:
    """(its entries, the value that its first entry stands for), C.11.2.1.1.

    Not pydicom's apply_voi: that counts entries of an 8-bit-deep table in 8 bits, and so wraps after 255.
    """
    item, little_endian = dataset.VOILUTSequence[0], dataset.original_encoding[1] is not False
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


def _bound(dataset: pydicom.Dataset, keyword: str) -> None:
    """Raises ValueError for an element that is too large, or a table's sequence of more items than anybody reads.

    Of a sequence the first item alone stays: pydicom would go through all of them.
    """
    raw = dataset.get_item(keyword)
    if not isinstance(raw, RawDataElement) or not raw.value:
        return
    if len(raw.value) > MOST_BYTES:
        raise ValueError("an element that says something of pixels is too long")
    if keyword in TABLES:
        items = cast(BinaryIO, Bounded(BytesIO(raw.value), MAX_READS))
        first = read_sequence_item(items, raw.is_implicit_VR, raw.is_little_endian, "iso8859")
        dataset[keyword] = pydicom.DataElement(raw.tag, "SQ", [first] if first is not None else [])
