"""Zips, each with one thing wrong, or odd, about it; and good ones damaged at random."""

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.hostile.pictures import RAMP, encoded

Make = Callable[[], bytes]
Entry = tuple[str, bytes]

PICTURE = encoded(RAMP)
GOOD: list[Entry] = [(f"bones/{('normal', 'abnormal')[number % 2]}/{number}.png", PICTURE) for number in range(8)]


def zipped(entries: list[Entry], way: int = zipfile.ZIP_DEFLATED, kind: int = stat.S_IFREG) -> bytes:
    """A zip of entries under whatever names; ``kind`` is that of the last one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", way) as archive:
        for place, (name, content) in enumerate(entries):
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, way
            info.external_attr = ((kind if place == len(entries) - 1 else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, content)
    return file.getvalue()


def named(name: str) -> Make:
    """A good zip with one more entry of this name."""
    return lambda: zipped([*GOOD, (name, PICTURE)])


def overlapping(entries: int) -> bytes:
    """Many entries in the table of contents that are all the same bytes."""
    data = bytearray(zipped([("a/normal/0.png", bytes(10**6)), ("a/abnormal/1.png", PICTURE)]))
    contents = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    first = bytes(data[contents : contents + 46 + len("a/normal/0.png")])
    more = b"".join(first[:46] + f"a/normal/{number:05d}.png".encode() for number in range(entries))
    name_length = struct.pack("<H", len("a/normal/00000.png"))
    more = more.replace(first[24:46], first[24:28] + name_length + first[30:46])
    size = struct.pack("<HHI", entries + 2, entries + 2, end - contents + len(more))
    return bytes(data[:end] + more + data[end : end + 8] + size + data[end + 16 :])


def _patched(mark: bytes, offset: int, value: bytes) -> bytes:
    """A good zip with some bytes of its first record of a kind changed."""
    data = bytearray(zipped(GOOD, zipfile.ZIP_STORED))
    at = data.index(mark) + offset
    data[at : at + len(value)] = value
    return bytes(data)


def small() -> dict[str, Make]:
    """Every kind that is made in a moment."""
    return {
        "good": lambda: zipped(GOOD),
        "empty": lambda: b"",
        "of nothing": lambda: zipped([]),
        "no zip": lambda: PICTURE,
        "cut short": lambda: zipped(GOOD)[:-40],
        "going up": named("../../up.png"),
        "going up within": named("bones/../../up.png"),
        "absolute": named("/tmp/up.png"),
        "on a drive": named("C:/up.png"),
        "with backslashes": named("..\\..\\up.png"),
        "with a newline": named("bones/normal/a\nb.png"),
        "written from the right": named("bones/normal/a\u202egnp.exe.png"),
        "with a long name": named(f"bones/normal/{'x' * 400}.png"),
        "very deep": named("a/" * 5000 + "normal/a.png"),
        "with a name of 60,000 letters": named(f"bones/normal/{'y' * 60_000}.png"),
        "with NUL": lambda: zipped([*GOOD, ("bones/normal/aXb.png", PICTURE)]).replace(b"aXb.png", b"a\0b.png"),
        "in another encoding": lambda: zipped([*GOOD, ("bones/normal/XXXX.png", PICTURE)]).replace(
            b"XXXX.png", b"\xe4\xf6\xff\x80.png"
        ),
        "with a link": lambda: zipped([*GOOD, ("bones/normal/l.png", b"/etc/passwd")], kind=stat.S_IFLNK),
        "with a device": lambda: zipped([*GOOD, ("bones/normal/d.png", b"")], kind=stat.S_IFCHR),
        "with a pipe": lambda: zipped([*GOOD, ("bones/normal/p.png", b"")], kind=stat.S_IFIFO),
        "with the same name twice": named(GOOD[0][0]),
        "with the same name in capitals": named("bones/normal/0.PNG"),
        "with a file for a folder": named("bones/normal"),
        "with a zip inside": lambda: zipped([*GOOD, ("bones/normal/z.zip", zipped(GOOD))]),
        "of zips alone": lambda: zipped([("a.zip", zipped(GOOD)), ("b.zip", zipped(GOOD))]),
        "with a bomb": lambda: zipped([*GOOD, ("bones/normal/b.png", bytes(30_000_000))]),
        "of many small bombs": lambda: zipped([(f"a/normal/{n}.png", bytes(999_999)) for n in range(110)]),
        "overlapping": lambda: overlapping(5000),
        "of 60,000 entries": lambda: overlapping(60_000),
        "of 300,000 entries": lambda: _many(300_000),
        "encrypted": lambda: _patched(b"PK\x01\x02", 8, b"\x01\x00"),
        "encrypted in one place": lambda: _patched(b"PK\x03\x04", 6, b"\x01\x00"),
        "with a size that lies": lambda: _patched(b"PK\x01\x02", 24, b"\x0a\0\0\0"),
        "with a size of 4 GB": lambda: _patched(b"PK\x01\x02", 20, b"\xfe\xff\xff\xff\xfe\xff\xff\xff"),
        "of zip64 without it": lambda: _patched(b"PK\x01\x02", 20, b"\xff" * 8),
        "with an odd way of packing": lambda: _patched(b"PK\x01\x02", 10, b"\x63\0"),
        "with another name inside": lambda: _patched(b"PK\x03\x04", 30, b"other"),
        "that begins elsewhere": lambda: _patched(b"PK\x05\x06", 16, b"\xff\xff\xff\x7f"),
        "with a large table of contents": lambda: _patched(b"PK\x05\x06", 12, b"\xff\xff\xff\x7f"),
        "by lzma": lambda: zipped(GOOD, zipfile.ZIP_LZMA),
        "by bzip2": lambda: zipped(GOOD, zipfile.ZIP_BZIP2),
        "without pictures": lambda: zipped([("a.txt", b"x"), ("b.py", b"print(1)")]),
        "with pictures that are none": lambda: zipped([(name, b"not a picture") for name, _ in GOOD]),
        "with a listing that goes up": lambda: zipped(
            [("dataset.csv", b"image_id,label\n../../etc/passwd,0\na.png,1\n"), ("images/a.png", PICTURE)]
        ),
        "with a listing of an absolute path": lambda: zipped(
            [("dataset.csv", b"image_id,label\n/etc/passwd,0\na.png,1\n"), ("images/a.png", PICTURE)]
        ),
        "with a listing that is none": lambda: zipped([("dataset.csv", bytes(5000)), ("images/a.png", PICTURE)]),
        "with a truth that goes up": lambda: zipped(
            [
                ("train/XR_HUMERUS/patient00001/study1_positive/image1.png", PICTURE),
                ("truth.csv", b"image,view,boxes,mask\n../../../etc/passwd,AP,,\n"),
            ]
        ),
        "with decisions that are none": lambda: zipped([*GOOD, ("bones/curation.csv", b"what,is,this\n1,2,3\n")]),
    }


def _many(entries: int) -> bytes:
    """Entries without any content, in a table of contents that is larger than all of it."""
    record = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    contents = b"".join(record + b"%08d" % number for number in range(entries))
    return contents + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(contents), 0, 0)


def mutant(number: int) -> bytes:
    """A good zip with a few bits changed, or cut; mostly where its tables are."""
    chance = random.Random(zlib.crc32(b"zip %d" % number))
    data = bytearray(zipped(GOOD, chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
    contents = data.index(b"PK\x01\x02")
    for _ in range(chance.choice([1, 2, 8])):
        at = chance.randrange(contents, len(data)) if chance.random() < 0.7 else chance.randrange(len(data))
        data[at] = chance.choice([0, 255, chance.randrange(256)])
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.1 else data)
