"""PNG and JPEG files, each with one thing wrong, or odd, about it."""

import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

Make = Callable[[], bytes]

RAMP = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
"""(48, 64): enough for a picture."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """The file of an image."""
    file = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """One part of a PNG file, with its check sum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *before: bytes, depth: int = 8, color: int = 0, rows: bytes | None = None) -> bytes:
    """A PNG file of black pixels, or of these packed ``rows``, with chunks ``before`` them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    body = _packed_zeros(height * (1 + (width * depth * samples + 7) // 8)) if rows is None else rows
    return b"".join([SIGNATURE, header, *before, chunk(b"IDAT", body), chunk(b"IEND")])


def _packed_zeros(length: int) -> bytes:
    packer, parts = zlib.compressobj(1), []
    for begin in range(0, length, 2**24):
        parts.append(packer.compress(bytes(min(2**24, length - begin))))
    return b"".join(parts) + packer.flush()


def animated() -> bytes:
    """An animated PNG of three frames."""
    frames = [Image.fromarray(np.roll(RAMP, shift)) for shift in (0, 9, 18)]
    return encoded(frames[0], save_all=True, append_images=frames[1:])


def described(size: int) -> bytes:
    """A PNG with so many bytes of packed text."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "a" * size, zip=True)
    return encoded(RAMP, pnginfo=info)


def turned(kind: str, orientation: int) -> bytes:
    """A picture that its EXIF data turn."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(RAMP, kind, exif=exif)


def many_scans(scans: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each takes as long as the first."""
    data = encoded(np.resize(RAMP, (side, side)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def small() -> dict[str, Make]:
    """Every kind that is made in a moment."""
    noise = random.Random(0).randbytes
    color = Image.fromarray(np.stack([RAMP, RAMP // 2, 255 - RAMP], axis=-1))
    bomb = chunk(b"zTXt", b"Description\0\0" + zlib.compress(bytes(2**24), 9))
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**24), 9))
    return {
        "nothing": lambda: b"",
        "one byte": lambda: b"\x89",
        "zeros": lambda: bytes(5000),
        "noise": lambda: noise(5000),
        "words": lambda: b"Not a picture at all.\n" * 20,
        "web page": lambda: b"<html><script>alert(1)</script></html>",
        "GIF": lambda: encoded(RAMP, "GIF"),
        "TIFF": lambda: encoded(RAMP, "TIFF"),
        "TIFF cut short": lambda: encoded(RAMP, "TIFF")[:100],
        "TIFF of a directory that lies": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
        "TIFF of 20,000x20,000": lambda: resized_tiff(20_000, 20_000),
        "HEIC cut short": lambda: b"\0\0\0\x18ftypheic" + bytes(40),
        "JPEG 2000": lambda: encoded(RAMP, "JPEG2000"),
        "WebP": lambda: encoded(RAMP, "WEBP"),
        "BMP": lambda: encoded(RAMP, "BMP"),
        "PNG signature alone": lambda: SIGNATURE,
        "PNG cut short": lambda: encoded(RAMP)[:-40],
        "PNG without pixels": lambda: SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0)),
        "PNG that holds a JPEG": lambda: SIGNATURE + encoded(RAMP, "JPEG"),
        "PNG of 1x1": lambda: encoded(np.full((1, 1), 7, np.uint8)),
        "PNG of 0x0": lambda: png(0, 0),
        "PNG of 30,000x30,000": lambda: png(30_000, 30_000, rows=zlib.compress(b"")),
        "PNG of 4 billion x 1": lambda: png(2**32 - 1, 1, rows=zlib.compress(b"")),
        "PNG with fewer pixels than said": lambda: png(500, 500, rows=zlib.compress(bytes(5000))),
        "PNG with more pixels than said": lambda: png(20, 20, rows=zlib.compress(bytes(2**22))),
        "PNG of 16 bit": lambda: encoded(RAMP.astype(np.uint16) * 200),
        "PNG of 1 bit": lambda: encoded(RAMP > 60),
        "PNG of a palette": lambda: encoded(Image.fromarray(RAMP).convert("P")),
        "PNG of a palette without one": lambda: png(20, 20, color=3),
        "PNG of 16-bit color": lambda: png(20, 20, depth=16, color=6),
        "PNG with alpha": lambda: encoded(Image.fromarray(RAMP).convert("LA")),
        "PNG in color": lambda: encoded(color),
        "PNG of 3 bit": lambda: png(20, 20, depth=3),
        "PNG animated": animated,
        "PNG with text": lambda: described(1000),
        "PNG with a text bomb": lambda: png(20, 20, bomb),
        "PNG with a profile bomb": lambda: png(20, 20, profile),
        "PNG with 200,000 chunks": lambda: png(20, 20, chunk(b"prVt", b"") * 200_000),
        "PNG with 200,000 texts": lambda: png(20, 20, chunk(b"tEXt", b"a\0b") * 200_000),
        "PNG turned": lambda: turned("PNG", 6),
        "PNG with odd EXIF": lambda: encoded(RAMP, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"),
        "JPEG signature alone": lambda: b"\xff\xd8\xff",
        "JPEG cut short": lambda: encoded(color, "JPEG")[:-200],
        "JPEG of 1x1": lambda: encoded(np.full((1, 1), 7, np.uint8), "JPEG"),
        "JPEG of CMYK": lambda: encoded(Image.new("CMYK", (16, 16), (9, 8, 7, 6)), "JPEG"),
        "JPEG in color": lambda: encoded(color, "JPEG"),
        "JPEG turned": lambda: turned("JPEG", 8),
        "JPEG turned by 99": lambda: turned("JPEG", 99),
        "JPEG progressive": lambda: encoded(color, "JPEG", progressive=True),
        "JPEG of 5,000 scans": lambda: many_scans(5000),
        "JPEG of 65,535x65,535": lambda: _resized_jpeg(65_535, 65_535),
        "JPEG of 6,000x6,000 without them": lambda: _resized_jpeg(6_000, 6_000),
        "JPEG of no height": lambda: _resized_jpeg(64, 0),
    }


def resized_tiff(width: int, height: int) -> bytes:
    """A small TIFF that claims another size."""
    data = bytearray(encoded(RAMP, "TIFF"))
    directory = int.from_bytes(data[4:8], "little")
    for at in range(directory + 2, directory + 2 + 12 * int.from_bytes(data[directory : directory + 2], "little"), 12):
        tag = int.from_bytes(data[at : at + 2], "little")
        if tag in (256, 257):
            kind, value = (4, width if tag == 256 else height)
            data[at + 2 : at + 12] = struct.pack("<HII", kind, 1, value)
    return bytes(data)


def _resized_jpeg(width: int, height: int) -> bytes:
    """A small JPEG whose header says another size."""
    data = bytearray(encoded(RAMP, "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def large(side: int = 7071) -> dict[str, Make]:
    """What takes the most memory and time of all that may come: ``side`` squared pixels."""
    gray = np.resize(np.random.default_rng(0).integers(0, 256, 2**16).astype(np.uint8), (side, side))

    def jpeg(mode: str, **options: Any) -> bytes:
        image = Image.fromarray(gray) if mode == "L" else Image.new(mode, (side, side), 77)
        return encoded(image, "JPEG", quality=50, **options)

    return {
        "large PNG": lambda: png(side, side),
        "large PNG of 1 bit": lambda: png(side, side, depth=1),
        "large PNG of 16 bit": lambda: png(side, side, depth=16),
        "large PNG in color": lambda: png(side, side, color=2),
        "large PNG in color with alpha": lambda: png(side, side, color=6),
        "large PNG in 16-bit color with alpha": lambda: png(side, side, depth=16, color=6),
        "large PNG with alpha": lambda: png(side, side, color=4),
        "large PNG of a palette": lambda: png(side, side, chunk(b"PLTE", bytes(768)), chunk(b"tRNS", b"\0"), color=3),
        "long PNG": lambda: png(side * side, 1, depth=16),
        "high PNG": lambda: png(1, side * side),
        "higher than wide PNG": lambda: png(side * side // 65_535, 65_535, depth=16),
        "turned large PNG": lambda: png(side, side, chunk(b"eXIf", _exif(6))),
        "large JPEG": lambda: jpeg("L"),
        "large JPEG in color": lambda: jpeg("RGB"),
        "large JPEG of CMYK": lambda: jpeg("CMYK"),
        "large progressive JPEG": lambda: jpeg("L", progressive=True),
        "large progressive JPEG in color": lambda: jpeg("RGB", progressive=True, subsampling=0),
        "large progressive JPEG of CMYK": lambda: jpeg("CMYK", progressive=True),
        "JPEG of 30 scans": lambda: many_scans(24, side),
        "PNG of 7 million chunks": lambda: png(20, 20, chunk(b"prVt", b"") * 7_000_000),
        "PNG of 100 MB behind its end": lambda: encoded(RAMP) + bytes(100_000_000),
    }


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")
