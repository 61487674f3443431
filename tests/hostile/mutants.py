"""Real files, damaged at random: the same for the same number."""

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from fracture.phantoms.samples import generate_sample
from tests.conftest import SHARED
from tests.hostile import dicoms, pictures

SMALL = 300_000
"""Bytes of a file to be damaged: many of them in a short time."""

PHONE = SHARED / "cases" / "images" / "phone.heic"
"""A picture in HEIC, where it is there: no encoder for it is under a free license."""

Mutate = Callable[[random.Random, bytes], bytes]


@cache
def originals(real: Path | None = None) -> dict[str, bytes]:
    """Pydicom's DICOM files, a drawn radiograph in several forms, and the JPEGs in a folder where there is one."""
    places = (files("pydicom").joinpath("data/test_files"), files("data_store").joinpath("data"))
    real_dicoms = [file for place in places for file in sorted(Path(str(place)).glob("*.dcm"))]
    found = {file.name: file.read_bytes() for file in real_dicoms if file.stat().st_size < SMALL}
    drawn = generate_sample(123456, views=1)[0].pixels[::2, ::2]
    for kind, options in (("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True})):
        found[f"drawn {kind} {options}"] = pictures.encoded(drawn, kind, **options)
    found["drawn DICOM"] = dicoms.dicom(drawn)
    found |= other_formats(drawn)
    for file in sorted(real.glob("*.jpg"))[:40] if real else ():
        if file.stat().st_size < SMALL:
            found[file.name] = file.read_bytes()
    return found


def other_formats(drawn: np.ndarray) -> dict[str, bytes]:
    """A picture in the formats and compressions that a worker process decodes, in 8 and 16 bits."""
    deep = drawn.astype(np.uint16) * 16
    found = {f"drawn {kind}": pictures.encoded(drawn, kind) for kind in ("WEBP", "BMP", "GIF", "AVIF")}
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        found[f"drawn TIFF of {compression}"] = pictures.encoded(drawn, "TIFF", compression=compression)
    found["drawn TIFF of 16 bits"] = pictures.encoded(deep, "TIFF", compression="tiff_lzw")
    found["drawn TIFF in color"] = pictures.encoded(Image.fromarray(drawn).convert("RGB"), "TIFF")
    found["drawn JP2"] = imagecodecs.jpeg2k_encode(drawn, codecformat="jp2")
    packed = {
        JPEGLosslessSV1: imagecodecs.ljpeg_encode(deep),
        JPEGLSLossless: imagecodecs.jpegls_encode(deep),
        JPEG2000Lossless: imagecodecs.jpeg2k_encode(deep, codecformat="j2k"),
        HTJ2KLossless: imagecodecs.htj2k_encode(deep),
    }
    for syntax, frame in packed.items():
        found[f"drawn DICOM of {syntax.name}"] = dicoms.dicom(deep, syntax, PixelData=encapsulate([frame]))
    plain = dicoms.dicom(drawn)
    found["drawn DICOM in gzip"] = gzip.compress(plain)
    found["drawn DICOM, deflated"] = dicoms.dicom(drawn, DeflatedExplicitVRLittleEndian)
    if PHONE.is_file():
        found["HEIC"] = PHONE.read_bytes()
    return found


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(chance: random.Random, data: bytes) -> bytes:
    """Bits in the first 2,000 bytes or anywhere: headers are where it matters."""
    changed = bytearray(data)
    reach = chance.choice([200, 2000, len(data)])
    for _ in range(chance.choice([1, 3, 30])):
        changed[chance.randrange(min(reach, len(data)))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwrite(chance: random.Random, data: bytes) -> bytes:
    """A number that matters to whoever counts."""
    odd = chance.choice([b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xfe\xff", b"\0\x01", b"\xff"])
    at = chance.randrange(min(len(data), chance.choice([400, len(data)])))
    return data[:at] + odd + data[at + len(odd) :]


def _remove(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data)), chance.randrange(1, 60)
    return data[:at] + data[at + length :]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data)), chance.randrange(1, 400)
    return data[: at + length] + data[at : at + length] * chance.randrange(1, 40) + data[at + length :]


def _zero(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data)), chance.randrange(1, 400)
    return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]


def _disguise(chance: random.Random, data: bytes) -> bytes:
    """The beginning of another kind of file."""
    begins = chance.choice([pictures.SIGNATURE, b"\xff\xd8\xff\xe0", bytes(128) + b"DICM", b"\x08\x00"])
    return begins + data[len(begins) :]


def _retag(chance: random.Random, data: bytes) -> bytes:
    """In a DICOM file one of the elements about pixels says anything; other files are flipped."""
    tag = struct.pack("<HH", 0x28, chance.choice([2, 4, 6, 8, 0x10, 0x11, 0x100, 0x101, 0x103, 0x1050, 0x1053, 0x3010]))
    at = data.find(tag)
    if at < 0:
        return _flip(chance, data)
    value = chance.randbytes(chance.choice([2, 4, 8]))
    return data[: at + 8] + value + data[at + 8 + len(value) :]


def _mend(chance: random.Random, data: bytes) -> bytes:
    """Flipped, and in a PNG with check sums that are right all the same, so that it is read further."""
    if not data.startswith(pictures.SIGNATURE):
        return _flip(chance, data)
    return pictures.SIGNATURE + b"".join(
        pictures.chunk(name, _flip(chance, body) if body and chance.random() < 0.5 else body)
        for name, body in _chunks(data)
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(pictures.SIGNATURE)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


MUTATIONS: dict[str, Mutate] = {
    "cut": _cut,
    "flipped": _flip,
    "overwritten": _overwrite,
    "with a part removed": _remove,
    "with a part repeated": _repeat,
    "with zeros": _zero,
    "disguised": _disguise,
    "retold": _retag,
    "flipped and mended": _mend,
}


def mutant(number: int, real: Path | None = None) -> tuple[str, bytes]:
    """(what was done to it, the file), the same for the same number; every eighth was damaged twice."""
    chance = random.Random(zlib.crc32(b"mutant %d" % number))
    known = originals(real)
    data = known[chance.choice(sorted(known))]
    kind = chance.choice(sorted(MUTATIONS))
    changed = MUTATIONS[kind](chance, data)
    if number % 8 == 0 and changed:
        changed = MUTATIONS[chance.choice(sorted(MUTATIONS))](chance, changed)
    return kind, changed
