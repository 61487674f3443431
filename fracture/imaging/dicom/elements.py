"""The elements of a DICOM file that describe its pixels, and how they are read within bounds.

Section numbers are those of the DICOM standard, PS3.3 2024.
"""

import zlib
from io import BytesIO
from typing import Any, BinaryIO, cast

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset, read_sequence_item
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import inflate
from fracture.imaging.limits import Bounded

COLORS = ("Red", "Green", "Blue")
"""Of a palette (C.7.6.3)."""

TABLES = ("ModalityLUTSequence", "VOILUTSequence")
ELEMENTS = [
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PresentationLUTShape"),
    *("PixelSpacing", "ImagerPixelSpacing"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction", *TABLES),
    *(f"{color}PaletteColorLookupTableDescriptor" for color in COLORS),
    *(f"{color}PaletteColorLookupTableData" for color in COLORS),
    *(f"Segmented{color}PaletteColorLookupTableData" for color in COLORS),
]
"""The elements that are read."""

FUNCTIONAL_GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
"""Sequences (C.7.6.16) of which :mod:`fracture.imaging.dicom.groups` takes what concerns one frame."""

MAX_ELEMENT_BYTES = 2**20
"""Of any element but the pixels; a table has 130 kB."""

MAX_HEADER_READS = 20_000
"""From a file: pydicom makes objects of what it reads, a tenth of a millisecond each."""

_UNDEFINED_LENGTH = 0xFFFFFFFF


def parse(file: BinaryIO, name: str, pixels: bool = True) -> pydicom.Dataset:
    """The :data:`ELEMENTS` of a DICOM file, with or without the pixels, which stay encoded.

    Raises RadiographError for a deflated file that becomes too large.
    """
    wanted = [*ELEMENTS, *FUNCTIONAL_GROUPS] if pixels else ELEMENTS
    dataset = read_elements(file, name, wanted, pixels)
    for keyword in ELEMENTS:
        if keyword != "PixelData" and keyword in dataset:
            check_element(dataset, keyword)
    return dataset


def read_elements(file: BinaryIO, name: str, wanted: list[str], pixels: bool = False) -> pydicom.Dataset:
    """The wanted elements of a DICOM file, by their keywords, those behind the pixels only with ``pixels``.

    Raises RadiographError for a deflated file that becomes too large.
    """
    bounded = cast(BinaryIO, Bounded(file, MAX_HEADER_READS))
    syntax = _transfer_syntax(bounded)
    if syntax == DeflatedExplicitVRLittleEndian:
        bounded = cast(BinaryIO, Bounded(_inflate(bounded, name), MAX_HEADER_READS))
    bounded.seek(0)
    # Forced: old files begin without the preamble.
    tags: list[Any] = list(wanted)
    dataset = pydicom.dcmread(bounded, force=True, stop_before_pixels=not pixels, specific_tags=tags)
    # These name no transfer syntax; pydicom has found out how their elements are encoded.
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
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


def read_number(dataset: pydicom.Dataset, keyword: str) -> float | None:
    """The first number of an element; None where it is missing or empty. A decimal comma is read as a point.

    Raises ValueError where something else than numbers stands there.
    """
    if keyword not in dataset:
        return None
    element = dataset.get_item(keyword)
    # Not by pydicom, which knows no decimal comma.
    if isinstance(element, RawDataElement) and element.VR in (None, "DS", "IS", "LO", "SH", "UN"):
        text = (element.value or b"").decode("ascii", "replace").split("\\")[0]
        return first_number(text.strip(" \0").replace(",", "."))
    return first_number(dataset.get(keyword))


def first_number(value: Any) -> float | None:
    """The first of one or several numbers (a window can have several views); None where there is none."""
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def table_item(dataset: pydicom.Dataset, keyword: str) -> pydicom.Dataset | None:
    """The first item of a sequence of tables; None where it is missing or has nothing in it."""
    sequence = dataset.get(keyword)
    if not sequence:
        return None
    item: pydicom.Dataset = sequence[0]
    has_content = all(item.get(each) not in (None, "", b"", []) for each in ("LUTDescriptor", "LUTData"))
    return item if has_content else None


def read_item(raw: RawDataElement, index: int) -> pydicom.Dataset | None:
    """An item of a sequence, counted from 0; None where there are fewer.

    pydicom would make objects of all items; here those before the wanted one are skipped where they say their length.
    Raises ValueError for a sequence of too many parts.
    """
    file = cast(BinaryIO, Bounded(BytesIO(raw.value or b""), MAX_HEADER_READS))
    # A sequence of unknown type is implicit, whatever the file is (PS3.5 6.2.2).
    implicit = raw.is_implicit_VR or raw.VR == "UN"
    for _ in range(index):
        if not _skip_item(file, raw.is_little_endian):
            read_sequence_item(file, implicit, raw.is_little_endian, "iso8859")
    at_end = not file.read(1)
    if at_end:
        return None
    file.seek(-1, 1)
    return read_sequence_item(file, implicit, raw.is_little_endian, "iso8859")


def check_element(dataset: pydicom.Dataset, keyword: str) -> None:
    """Raises ValueError for an element that is too large.

    Of the sequence of a table the first item alone stays: pydicom would go through all of them.
    """
    raw = dataset.get_item(keyword)
    if not isinstance(raw, RawDataElement) or not raw.value:
        return
    if len(raw.value) > MAX_ELEMENT_BYTES:
        raise ValueError("an element that says something of pixels is too long")
    if keyword in TABLES:
        first = read_item(raw, 0)
        dataset[keyword] = pydicom.DataElement(raw.tag, "SQ", [first] if first is not None else [])


def _skip_item(file: BinaryIO, little_endian: bool) -> bool:
    """Move behind an item that says its length; for one that does not, the file stays where it is."""
    head = file.read(8)
    length = int.from_bytes(head[4:], "little" if little_endian else "big")
    is_known = length != _UNDEFINED_LENGTH
    file.seek(length if is_known else -len(head), 1)
    return is_known


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
