"""What a JPEG 2000 codestream (ISO 15444-1, annex A) says of itself, for a limit on what decoding it may take.

The decoder allocates for every tile and code block before it decodes any: four-pixel blocks take 20 bytes a pixel.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"\xff\x4f\xff\x51"

_SIZ, _COD, _COC, _SOT, _SOD = 0x51, 0x52, 0x53, 0x90, 0x93
_BYTES_A_BLOCK = 300  # measured, of OpenJPEG 2.5
_MOST_COMPONENTS = 4


class Codestream(NamedTuple):
    """Size in px, the bytes that decoding takes for each of them, and the number of tiles."""

    width: int
    height: int
    bytes_a_pixel: int
    tiles: int


def codestream(frame: bytes) -> Codestream:
    """What the header says. Raises ValueError or struct.error where it is damaged, or such as no encoder writes."""
    begin, size, per_pixel = _begin(frame) + 2, None, 0
    for marker, body in _header(frame, begin):
        if marker == _COC:
            raise ValueError("components that are coded differently")
        if marker == _SIZ:
            size = _Size(body)
        elif marker == _COD and size is not None:
            # Each component is decoded to 32 bits, then kept in 16 by pydicom, twice.
            per_pixel = size.components * (10 + _BYTES_A_BLOCK // _block(body))
    if size is None or not per_pixel:
        raise ValueError("a JPEG 2000 codestream without its first two parts")
    return Codestream(size.width, size.height, per_pixel, size.tiles)


def _begin(frame: bytes) -> int:
    """Where the codestream begins: at once, as DICOM wants it, or in the box ``jp2c`` of a JP2 file."""
    at = 0
    while frame[at : at + 4] != MAGIC:
        length, kind = struct.unpack_from(">I4s", frame, at)
        if kind != b"jp2c" and length < 8:
            raise ValueError("a damaged JP2 file")
        at += 8 if kind == b"jp2c" else length
    return at


def _header(frame: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The segments of the main header; those of the tiles must not say anew how blocks are coded."""
    in_tile = 0
    while at + 4 <= len(frame):
        mark, marker, length = struct.unpack_from(">BBH", frame, at)
        if mark != 0xFF or length < 2:
            return  # damaged, or at its end: the decoder will say
        body = frame[at + 4 : at + 2 + length]
        if marker == _SOT:
            in_tile, part = at, struct.unpack_from(">HI", body)[1]
        elif marker == _SOD:
            if part == 0:  # up to the end
                return
            at, in_tile = in_tile + part, 0
            continue
        elif in_tile and marker in (_COD, _COC):
            raise ValueError("tiles that are coded differently")
        elif not in_tile:
            yield marker, body
        at += 2 + length


class _Size:
    """What the segment SIZ says."""

    def __init__(self, body: bytes) -> None:
        right, bottom, left, top, tile_width, tile_height = struct.unpack_from(">6I", body, 2)
        self.components = struct.unpack_from(">H", body, 34)[0]
        self.width, self.height = right - left, bottom - top
        if min(self.width, self.height, tile_width, tile_height) < 1 or not 1 <= self.components <= _MOST_COMPONENTS:
            raise ValueError("sizes that no image has")
        self.tiles = -(-right // tile_width) * -(-bottom // tile_height)


def _block(body: bytes) -> int:
    """Pixels of the smallest code block: it is cut to the size of its precinct."""
    style, width, height = body[0], body[6] + 2, body[7] + 2
    for precinct in body[10:] if style & 1 else b"":
        width, height = min(width, max(0, (precinct & 15) - 1)), min(height, max(0, (precinct >> 4) - 1))
    return 1 << min(width + height, 12)
