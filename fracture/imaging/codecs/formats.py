"""What a file is, by its first bytes; names and endings are not trusted.

::

    PNG, JPEG, DICOM                             decoded in this process (fracture.imaging.png_jpeg, .dicom)
    TIFF, WebP, BMP, GIF, JPEG 2000, HEIC, AVIF  decoded by a worker process (fracture.imaging.codecs.worker)
    gzip                                         unpacked, if a DICOM file is in it
    PDF, zip, NIfTI, HTML, video, ...            named in a sentence that says what to do
"""

import zlib
from io import BytesIO

from fracture.errors import RadiographError
from fracture.imaging.limits import MAX_DECODING_BYTES

HEAD_BYTES = 352
"""Of a file, by which its format is recognized: NIfTI has its mark behind 344 bytes."""

READ = "PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, HEIC, AVIF or DICOM"
"""The formats that are read, in words."""

PICTURES = ("TIFF", "WebP", "BMP", "GIF", "JPEG 2000", "HEIC", "AVIF")
"""The formats that the worker process decodes."""

MAX_INFLATED_BYTES = MAX_DECODING_BYTES // 2
"""That a gzip file or a deflated DICOM file unpacks to: 37 million pixels of 16 bits. They are held twice."""

_PIECE_BYTES = 2**18
"""That are inflated at a time, and to which."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF, with offsets of 64 bits
    b"MM\0+": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\xff\x4f\xff\x51": "JPEG 2000",  # a codestream alone (T.800 A.4.1)
    b"\0\0\0\x0cjP  ": "JPEG 2000",  # a JP2 file (T.800 I.5.1)
    b"\x1f\x8b": "gzip",
}

_BRANDS = {
    **dict.fromkeys([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"], "HEIC"),
    **dict.fromkeys([b"avif", b"avis"], "AVIF"),
}
"""The major brands of ISO base media files (ISO/IEC 14496-12, 4.3) that are still images; the others are video."""

_TO_IMAGE = "export the X-ray as DICOM or PNG"
_TO_UNPACK = "unpack it and choose the X-rays in it"
_TO_STILL = "save one picture of it as PNG"
_TO_SAVE = "save the picture itself as PNG or JPEG"

_NAMED = {
    b"%PDF-": ("a PDF document", "export the X-ray in it as PNG or JPEG"),
    b"PK\x03\x04": ("a zip file", "unpack it and choose the X-rays in it, or import it as a data set"),
    b"PK\x05\x06": ("an empty zip file", "choose an X-ray"),
    b"Rar!\x1a\x07": ("a RAR archive", _TO_UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _TO_UNPACK),
    b"BZh": ("a file compressed by bzip2", _TO_UNPACK),
    b"\xfd7zXZ\0": ("a file compressed by xz", _TO_UNPACK),
    b"\x1a\x45\xdf\xa3": ("a Matroska or WebM video", _TO_STILL),
    b"NRRD": ("a NRRD volume", _TO_IMAGE),
    b"\x93NUMPY": ("a NumPy array", "save it as a PNG of 8 or 16 bits"),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", _TO_IMAGE),
    b"8BPS": ("a Photoshop document", "save it as PNG or TIFF"),
    b"\xff\x0a": ("a JPEG XL image", "save it as PNG"),
    b"\0\0\0\x0cJXL ": ("a JPEG XL image", "save it as PNG"),
    b"%!PS": ("a PostScript document", _TO_IMAGE),
}
"""By first bytes: what a file is that is not read, and what to do."""


def recognize(head: bytes, name: str) -> str:
    """``PNG``, ``JPEG``, ``DICOM``, ``gzip`` or one of :data:`PICTURES`, by the first :data:`HEAD_BYTES` of a file.

    Raises RadiographError for anything else; the sentence names common formats that are not read.
    """
    if not head:
        raise RadiographError(f"{name} is empty; choose a file in {READ}.")
    # Before all others: the 128 bytes before the mark may hold the beginning of a TIFF (PS3.10 7.1).
    if is_dicom(head):
        return "DICOM"
    found = _known(head)
    if found:
        return found
    named = _name(head)
    if named:
        what, advice = named
        raise RadiographError(f"{name} is {what}, which is not read; {advice}.")
    raise RadiographError(f"{name} must be in {READ}; its content is none of these.")


def is_dicom(head: bytes) -> bool:
    """Whether these first 132 bytes or more begin a DICOM file with its preamble (PS3.10 7.1)."""
    return head[128:132] == b"DICM"


def unpack_gzip(data: bytes, name: str) -> bytes:
    """The DICOM file in a gzip file. Raises RadiographError where it holds anything else, or too much."""
    # NIfTI volumes and tar archives are the usual content; only the beginning is unpacked to tell.
    head = _inflate(data, HEAD_BYTES, zlib.MAX_WBITS | 16)
    if not is_dicom(head):
        named = _name(head) or ("a gzip file without a DICOM file in it", _TO_UNPACK)
        packed = "" if "gzip" in named[0] else " compressed by gzip"
        raise RadiographError(f"{name} is {named[0]}{packed}, which is not read; {named[1]}.")
    return inflate(data, name, zlib.MAX_WBITS | 16)


def inflate(data: bytes, name: str, window_bits: int) -> bytes:
    """What was deflated, at most :data:`MAX_INFLATED_BYTES`.

    ``window_bits``: as zlib counts them; negative for data without a header, plus 16 for gzip.
    Raises RadiographError for more, and zlib.error for damaged data.
    """
    inflated = _inflate(data, MAX_INFLATED_BYTES + 1, window_bits)
    if len(inflated) > MAX_INFLATED_BYTES:
        raise RadiographError(
            f"{name} may unpack to {MAX_INFLATED_BYTES // 10**6} MB. Received: more; save it uncompressed."
        )
    return inflated


def _inflate(data: bytes, most: int, window_bits: int) -> bytes:
    # Piece by piece, into a buffer that grows: at once, zlib would hold all of it twice.
    inflater = zlib.decompressobj(window_bits)
    inflated = BytesIO()
    for begin in range(0, len(data), _PIECE_BYTES):
        pending = data[begin : begin + _PIECE_BYTES]
        # What follows the end, such as a byte of padding, stays pending for ever.
        while pending and not inflater.eof and inflated.tell() < most:
            piece = inflater.decompress(pending, min(_PIECE_BYTES, most - inflated.tell()))
            inflated.write(piece)
            pending = inflater.unconsumed_tail
        if inflater.eof or inflated.tell() >= most:
            break
    return inflated.getvalue()


def _known(head: bytes) -> str | None:
    """The format that is read, other than a DICOM file with a preamble; None for others."""
    for start, kind in _MAGIC.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    # Two letters say little: the four reserved bytes of a bitmap are 0 as well.
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "BMP"
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return _BRANDS[head[8:12]]
    # Old DICOM files begin without preamble, at the first element of group 2 or 8.
    if head.startswith((b"\x02\x00", b"\x08\x00")):
        return "DICOM"
    return None


def _name(head: bytes) -> tuple[str, str] | None:
    """What a file is that is not read, and what to do; None where that is not known."""
    for start, named in _NAMED.items():
        if head.startswith(start):
            return named
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    marks = [
        (head[4:8] == b"ftyp", "a video (MP4 or MOV)", _TO_STILL),
        (head[:4] == b"RIFF" and head[8:12] == b"AVI ", "a video (AVI)", _TO_STILL),
        # NIfTI-1 has its mark at its end; NIfTI-2 behind its length of 540 bytes, in either byte order.
        (head[344:348] in (b"n+1\0", b"ni1\0"), "a NIfTI volume", _TO_IMAGE),
        (head[:7] in (b"\x1c\2\0\0n+2", b"\0\0\2\x1cn+2"), "a NIfTI volume", _TO_IMAGE),
        (head[257:262] == b"ustar", "a tar archive", _TO_UNPACK),
        (text.startswith((b"<!doctype html", b"<html")), "a web page (HTML)", _TO_SAVE),
        (text.startswith((b"<?xml", b"<svg")), "an XML document", _TO_SAVE),
    ]
    return next(((what, advice) for fits, what, advice in marks if fits), None)
