"""The palette of a PALETTE COLOR image as a table of gray levels (DICOM PS3.3 2024, C.7.6.3.1.5 and C.7.9).

Not by pydicom, which reads tables of big-endian files with swapped bytes, and expands segments without a limit.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement

from fracture.imaging.dicom.color import luma
from fracture.imaging.dicom.elements import COLORS
from fracture.imaging.gray_scale import to_8_bit

MAX_ENTRIES = 2**16
"""Of a palette; the descriptor writes them as 0."""

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2  # C.7.9.2: the kinds of segments


class Palette(NamedTuple):
    """The gray level of each entry, (N,) uint8; the first one stands for the stored value ``first``."""

    gray: NDArray[np.uint8]
    first: int

    def apply(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Stored values to gray; those beyond the palette get its first or last entry."""
        index = np.clip(values.astype(np.int64) - self.first, 0, len(self.gray) - 1)
        return self.gray[index]


def read_palette(dataset: pydicom.Dataset) -> Palette | None:
    """The palette of an image; None where it has none. Raises ValueError for a damaged one."""
    descriptor = _words(dataset, "RedPaletteColorLookupTableDescriptor")
    if descriptor is None or len(descriptor) < 3:
        return None
    entries = int(descriptor[0]) or MAX_ENTRIES
    is_signed = bool(dataset.PixelRepresentation)
    first = int(descriptor[1].astype(np.int16) if is_signed else descriptor[1])
    found = [_table(dataset, color, entries, int(descriptor[2])) for color in COLORS]
    tables = [table for table in found if table is not None]
    if len(tables) < len(COLORS):
        return None
    colors = np.stack(tables, axis=-1)  # (N, 3)
    # Some files say 16 bits, and store 8.
    highest = 255 if colors.max() < 256 else 65535
    return Palette(to_8_bit(luma(colors), 0, highest), first)


def _table(dataset: pydicom.Dataset, color: str, entries: int, bits: int) -> NDArray[Any] | None:
    """The entries of one color; None where it has no table."""
    plain = dataset.get_item(f"{color}PaletteColorLookupTableData")
    if isinstance(plain, RawDataElement) and plain.value:
        return _plain_table(plain, entries)
    segmented = dataset.get_item(f"Segmented{color}PaletteColorLookupTableData")
    if not isinstance(segmented, RawDataElement) or not segmented.value:
        return None
    return expand_segments(_numbers(segmented, 1 if bits == 8 else 2), entries)


def _plain_table(element: RawDataElement, entries: int) -> NDArray[Any]:
    """Entries of 16 bits, or where there is no room for them, of 8."""
    length = len(element.value or b"")
    if length < entries:
        raise ValueError("a palette has fewer entries than said")
    return _numbers(element, 2 if length >= 2 * entries else 1)[:entries]


def _words(dataset: pydicom.Dataset, keyword: str) -> NDArray[np.uint16] | None:
    element = dataset.get_item(keyword)
    return _numbers(element, 2) if isinstance(element, RawDataElement) and element.value else None


def _numbers(element: RawDataElement, size: int) -> NDArray[Any]:
    """The value as unsigned numbers of ``size`` bytes, in the byte order of this machine."""
    data = element.value or b""
    order = "<" if element.is_little_endian else ">"
    words = np.frombuffer(data, f"{order}u2", len(data) // 2).astype(np.uint16)
    if size == 2:
        return words
    # Of two entries in a word the lower byte comes first (C.7.6.3.1.6).
    return words.astype("<u2").view(np.uint8) if element.VR == "OW" else np.frombuffer(data, np.uint8)


def expand_segments(data: NDArray[Any], entries: int) -> NDArray[np.uint16]:
    """The entries of a segmented table (C.7.9.2), of which no more than ``entries`` are made.

    Raises ValueError where there are fewer, and IndexError where a segment goes beyond the data.
    """
    table = np.empty(entries, np.uint16)
    filled = 0
    for at in _segments(data):
        last = int(table[filled - 1]) if filled else 0
        part = _expand_segment(data, at, last)[: entries - filled]
        table[filled : filled + len(part)] = part
        filled += len(part)
        if filled == entries:
            return table
    raise ValueError("a segmented palette has fewer entries than said")


def _segments(data: NDArray[Any]) -> Iterator[int]:
    """Where each segment begins that has values, in order; those that an indirect one names are repeated."""
    at = 0
    while at + 2 < len(data):
        if data[at] != _INDIRECT:
            yield at
            at = _end(data, at)
            continue
        # C.7.9.2.3: the number of segments, and the offset in bytes of the first, the lower part before the higher.
        offset = int.from_bytes(data[at + 2 : at + 2 + 4 // data.itemsize].tobytes(), "little")
        repeated = offset // data.itemsize
        for _ in range(int(data[at + 1])):
            yield repeated
            repeated = _end(data, repeated)
        at += 2 + 4 // data.itemsize


def _end(data: NDArray[Any], at: int) -> int:
    """Where the segment ends that begins at ``at``."""
    return at + 2 + (int(data[at + 1]) if data[at] == _DISCRETE else 1)


def _expand_segment(data: NDArray[Any], at: int, last: int) -> NDArray[Any]:
    kind = int(data[at])
    count = int(data[at + 1])
    if kind not in (_DISCRETE, _LINEAR) or count == 0:
        raise ValueError("a segment of no kind that there is, or without values")
    if kind == _DISCRETE:
        return data[at + 2 : at + 2 + count]
    # C.7.9.2.2: from the entry before, in equal steps.
    return np.rint(np.linspace(last, int(data[at + 2]), count + 1)[1:])
