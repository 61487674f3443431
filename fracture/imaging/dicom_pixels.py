"""The encoded pixels of a DICOM file: whether they can be decoded, how much memory that takes, and RLE.

What a compressed frame says of its own size is checked before a decoder sees it, and must agree with the DICOM header:

::

    JPEG        the frame header, by Pillow
    JPEG 2000   the main header of the codestream, by :func:`read_codestream`
    RLE         decoded here, by :func:`decode_rle`: pydicom's own loop takes seconds where runs are short
"""

import struct
from io import BytesIO
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import ExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from fracture.errors import RadiographError
from fracture.imaging.limits import Bounded, check_size
from fracture.imaging.png_jpeg import check_memory, jpeg_header

MAX_JPEG2000_BYTES = 20_000_000
"""Of a JPEG 2000 frame: about 6 million are decoded in a second."""

MAX_TILES = 4096
"""Of a JPEG 2000 frame; each takes 6 kB before it is decoded."""

MAX_COMPONENTS = 4
"""Of a JPEG 2000 frame: red, green, blue, alpha."""

BYTES_PER_CODE_BLOCK = 300
"""That OpenJPEG 2.5 allocates for each code block (measured): with blocks of 4 x 4 px, about 20 bytes a pixel."""

MAX_SEGMENT_READS = 200_000
"""How often a codestream may be read from: more than its most tiles need, and a fraction of a second."""

_JPEG_START = b"\xff\xd8\xff"

# ITU-T T.800 (ISO/IEC 15444-1), table A.2: the second byte of each marker; the first is always 0xFF.
_SIZ = 0x51  # image and tile size
_COD = 0x52  # coding style of all components
_COC = 0x53  # coding style of one component
_SOT = 0x90  # start of a tile-part
_SOD = 0x93  # start of its data

_CODESTREAM_START = b"\xff\x4f\xff\x51"  # SOC, and the SIZ that must follow it (T.800 A.4.1)
_JP2_START = b"\x00\x00\x00\x0cjP"  # the signature box of a JP2 file (T.800 I.5.1)
_JPEG2000_STARTS = (_CODESTREAM_START, _JP2_START)


class Codestream(NamedTuple):
    """What the main header of a JPEG 2000 codestream says: size in px, memory for each of them, number of tiles."""

    width: int
    height: int
    bytes_per_pixel: int
    tiles: int


def check_frame(dataset: pydicom.Dataset, width: int, height: int, name: str) -> None:
    """Raises RadiographError where the pixels have an encoding that is not read, or take too much to decode.

    The size in a compressed frame must be that of the DICOM header: ValueError where it is not.
    """
    samples = int(dataset.SamplesPerPixel)
    if samples not in (1, 3):
        raise ValueError("an image has one or three samples a pixel")
    bytes_per_pixel = samples * max(1, int(dataset.BitsAllocated) // 8)
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        raise RadiographError(f"{name} is stored in a transfer syntax that is not known here; save it uncompressed.")
    if not syntax.is_compressed:
        # Native pixels are viewed where they lie in the file; those with swapped bytes or in color are copied once.
        copies = 1 if samples == 1 else 2
        check_size(width, height, name, copies * bytes_per_pixel + 1)
        return
    _check_decoder(dataset, name)
    check_size(width, height, name, 2 * bytes_per_pixel + 2, 2 * len(dataset.PixelData))
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if frame.startswith(_JPEG_START):
        image = jpeg_header(frame)
        check_memory(image, frame, name, copies=3)
        found = image.size
    elif frame.startswith(_JPEG2000_STARTS):
        found = _check_jpeg2000(frame, name)
    elif syntax == RLELossless:
        return  # it says no size; decode_rle checks how many pixels it holds
    else:
        raise ValueError("the frame is not encoded as the header says")
    if found != (width, height):
        raise ValueError("the frame has another size than the header says")


def _check_decoder(dataset: pydicom.Dataset, name: str) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:  # what pydicom raises for a syntax that it has never heard of
        known = False
    # Pillow decodes the 8-bit form of JPEG Extended alone.
    if not known or (syntax == JPEGExtended12Bit and dataset.BitsAllocated > 8):
        raise RadiographError(f"{name} is compressed as {syntax.name}, which is not read here; save it uncompressed.")


def _check_jpeg2000(frame: bytes, name: str) -> tuple[int, int]:
    """(width, height) of a JPEG 2000 frame within the limits."""
    if len(frame) > MAX_JPEG2000_BYTES:
        raise RadiographError(
            f"{name} must have at most {MAX_JPEG2000_BYTES // 10**6} MB as JPEG 2000, which is slow to decode. "
            f"Received: {len(frame) / 1e6:,.0f} MB; save it uncompressed."
        )
    stream = read_codestream(frame)
    check_size(stream.width, stream.height, name, stream.bytes_per_pixel)
    if stream.tiles > MAX_TILES:
        raise ValueError("too many tiles")
    return stream.width, stream.height


def read_codestream(frame: bytes) -> Codestream:
    """The main header of a JPEG 2000 codestream, or of that in a JP2 file (ITU-T T.800, annexes A and I).

    It gives a limit on the memory: OpenJPEG allocates for all tiles and code blocks before it decodes any.

    Raises ValueError or struct.error where the header is damaged, or is one that no encoder writes.
    """
    file = cast(BinaryIO, Bounded(BytesIO(frame), MAX_SEGMENT_READS))
    file.seek(_codestream_start(frame) + 2)  # after SOC, a marker without a segment
    header = _main_header(file)
    if _COC in header:
        raise ValueError("components with a coding style of their own")
    if _SIZ not in header or _COD not in header:
        raise ValueError("a JPEG 2000 codestream without image size or coding style")
    _check_tile_parts(file)
    size = _read_size(header[_SIZ])
    # Each component is decoded to 32 bits, then kept in 16 by pydicom, twice.
    bytes_per_component = 10 + BYTES_PER_CODE_BLOCK // _code_block_pixels(header[_COD])
    return Codestream(size.width, size.height, size.components * bytes_per_component, size.tiles)


def _codestream_start(frame: bytes) -> int:
    """Where the codestream begins: at once, as DICOM wants it, or in the box ``jp2c`` of a JP2 file (T.800 I.5.4)."""
    at = 0
    while frame[at : at + 4] != _CODESTREAM_START:
        # T.800 I.4: each box has its length and its type, of four bytes each, before its content.
        length, kind = struct.unpack_from(">I4s", frame, at)
        if kind == b"jp2c":
            at += 8
        elif length >= 8:
            at += length
        else:
            raise ValueError("a damaged JP2 file")
    return at


def _main_header(file: BinaryIO) -> dict[int, bytes]:
    """The segments of the main header, by marker, up to the first tile-part (T.800 A.3).

    Of several with one marker the last counts. A damaged segment ends the header: the decoder will say what is wrong.
    """
    header: dict[int, bytes] = {}
    while (segment := _next_segment(file)) is not None:
        if segment.marker == _SOT:
            file.seek(segment.start)
            break
        header[segment.marker] = segment.content
    return header


def _check_tile_parts(file: BinaryIO) -> None:
    """Raises ValueError where a tile has a coding style of its own, which may take more memory (T.800 A.6.1)."""
    while (tile := _next_segment(file)) is not None and tile.marker == _SOT:
        # T.800 A.4.2: SOT holds Isot, the tile's number, and Psot, the bytes of the tile-part from SOT to its end.
        _, length = struct.unpack_from(">HI", tile.content)
        data_start = _skip_tile_header(file)
        if data_start is None or length == 0:  # damaged, or the last tile-part, which goes up to the end
            return
        if tile.start + length < data_start:
            raise ValueError("a tile-part that ends in its own header")
        file.seek(tile.start + length)


def _skip_tile_header(file: BinaryIO) -> int | None:
    """Read the segments of a tile-part up to SOD: where its data begin; None where a segment is damaged."""
    while (segment := _next_segment(file)) is not None:
        if segment.marker == _SOD:
            return segment.start + 2
        if segment.marker in (_COD, _COC):
            raise ValueError("tiles with a coding style of their own")
    return None


class _Segment(NamedTuple):
    """A marker segment (T.800 A.1.3): where it begins, its marker, and what it holds."""

    start: int
    marker: int
    content: bytes


def _next_segment(file: BinaryIO) -> _Segment | None:
    """The marker segment at which the file stands; None where there is none, or a damaged one. SOD holds nothing."""
    start = file.tell()
    head = file.read(4)
    if head[:2] == bytes([0xFF, _SOD]):
        return _Segment(start, _SOD, b"")
    if len(head) < 4:
        return None
    prefix, marker, length = struct.unpack(">BBH", head)
    if prefix != 0xFF or length < 2:  # the length counts its own two bytes
        return None
    return _Segment(start, marker, file.read(length - 2))


class _Size(NamedTuple):
    """What the segment SIZ says."""

    width: int
    height: int
    tiles: int
    components: int


def _read_size(content: bytes) -> _Size:
    """The segment SIZ (T.800 A.5.1): after Rsiz come Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz; Csiz is at byte 34."""
    right, bottom, left, top, tile_width, tile_height = struct.unpack_from(">6I", content, 2)
    (components,) = struct.unpack_from(">H", content, 34)
    width = right - left
    height = bottom - top
    if min(width, height, tile_width, tile_height) < 1 or not 1 <= components <= MAX_COMPONENTS:
        raise ValueError("sizes that no image has")
    columns = -(-right // tile_width)  # rounded up
    rows = -(-bottom // tile_height)
    return _Size(width, height, columns * rows, components)


def _code_block_pixels(content: bytes) -> int:
    """Pixels of the smallest code block, by the segment COD (T.800 A.6.1): a block is cut to its precinct (B.7).

    Scod is byte 0; the exponents of width and height, less 2, are bytes 6 and 7 (table A.18); the precincts, one byte
    for each resolution level with the exponents of width (low half) and height (high half), begin at byte 10.
    """
    width_exponent = content[6] + 2
    height_exponent = content[7] + 2
    has_precincts = content[0] & 1
    precincts = content[10:] if has_precincts else b""
    # B.7 takes 1 off at all levels but the lowest; taking it off everywhere errs towards more memory.
    for precinct in precincts:
        width_exponent = min(width_exponent, max(0, (precinct & 15) - 1))
        height_exponent = min(height_exponent, max(0, (precinct >> 4) - 1))
    return 1 << min(width_exponent + height_exponent, 12)  # no code block has more than 4,096 pixels


def unpack_rle(dataset: pydicom.Dataset) -> None:
    """Replace RLE by the native pixels, in place; other encodings stay as they are."""
    if dataset.file_meta.TransferSyntaxUID != RLELossless:
        return
    samples = int(dataset.SamplesPerPixel)
    bits = int(dataset.BitsAllocated)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    planes = decode_rle(frame, int(dataset.Columns), int(dataset.Rows), samples, bits)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = planes.tobytes()
    dataset.PlanarConfiguration = 1  # decode_rle gives color by plane, whatever the header says


def decode_rle(frame: bytes, width: int, height: int, samples: int, bits: int) -> NDArray[np.uint8]:
    """One RLE frame (DICOM PS3.5, annex G) in little endian: (samples, height, width, bits / 8), color by plane.

    Raises ValueError where the frame is damaged.
    """
    depth = bits // 8
    # G.5: the header is the number of segments, and where each of at most 15 begins.
    count, *starts = struct.unpack("<16I", frame[:64].ljust(64, b"\0"))
    if count != samples * depth or not 1 <= count <= 15:
        raise ValueError("the RLE frame has another number of segments than its image")
    ends = [*starts[1:count], len(frame)]
    planes = np.empty((samples, depth, height * width), np.uint8)
    for number, (start, end) in enumerate(zip(starts[:count], ends, strict=True)):
        # G.3.1 is the PackBits algorithm, which Pillow decodes in C.
        row = Image.frombytes("L", (height * width, 1), frame[start:end], "packbits", ("L",))
        sample, byte = divmod(number, depth)
        planes[sample, depth - 1 - byte] = np.asarray(row)[0]  # G.2: the most significant byte comes first
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(samples, height, width, depth)
