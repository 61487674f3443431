"""DICOM files, each with one thing wrong, or odd, about it."""

import gzip
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    UID,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.hostile.pictures import RAMP, encoded, many_scans

Make = Callable[[], bytes]

UNDEFINED = b"\xff\xff\xff\xff"


def dicom(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    """A DICOM file of pixels (H, W) or (H, W, 3); ``elements`` replace or add to what it says, None takes out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    for name in [name for name, value in elements.items() if value is None]:
        delattr(dataset, name)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return file.getvalue()


def deflated(content: bytes) -> bytes:
    """A file in the deflated transfer syntax whose elements are these bytes."""
    syntax = _even_uid(DeflatedExplicitVRLittleEndian)
    element = raw((0x02, 0x10), b"UI", syntax)
    length = raw((0x02, 0x00), b"UL", struct.pack("<I", len(element)))
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return bytes(128) + b"DICM" + length + element + packer.compress(content) + packer.flush()


def raw(tag: tuple[int, int], vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element as its bytes, with whatever ``length`` it is to claim."""
    size = len(value) if length is None else length
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC")
    return struct.pack("<HH", *tag) + vr + (struct.pack("<HI", 0, size) if long else struct.pack("<H", size)) + value


def preceded(*elements: bytes) -> bytes:
    """A good file with raw elements before all that it says of its image."""
    data = dicom(RAMP)
    place = data.index(b"\x28\x00\x02\x00US")  # (0028,0002), the first that this file has
    return data[:place] + b"".join(elements) + data[place:]


def windowed(center: str, width: str) -> bytes:
    """A file whose window is written in these letters."""
    both = raw((0x28, 0x1050), b"DS", _even(center)) + raw((0x28, 0x1051), b"DS", _even(width))
    return _before_pixels(both)


def rescaled(slope: str, intercept: str) -> bytes:
    """A file whose rescale slope and intercept are written in these letters."""
    both = raw((0x28, 0x1052), b"DS", _even(intercept)) + raw((0x28, 0x1053), b"DS", _even(slope))
    return _before_pixels(both)


def said(tag: tuple[int, int], vr: bytes, value: bytes) -> bytes:
    """A good file in which one short element is written anew."""
    data = dicom(RAMP)
    at = data.index(struct.pack("<HH", *tag))
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[:at] + raw(tag, vr, value) + data[at + 8 + length :]


def nested(depth: int, undefined: bool = True) -> bytes:
    """Sequences within each other, so deep."""
    inner = b""
    for _ in range(depth):
        if undefined:
            item = b"\xfe\xff\x00\xe0" + UNDEFINED + inner + b"\xfe\xff\x0d\xe0" + bytes(4)
            inner = raw((0x18, 0x9346), b"SQ", item, 0xFFFFFFFF) + b"\xfe\xff\xdd\xe0" + bytes(4)
        else:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
            inner = raw((0x18, 0x9346), b"SQ", item)
    return preceded(inner)


def table(descriptor: list[int], entries: list[int]) -> bytes:
    """A file whose VOI table has this descriptor and these entries."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "US", entries)
    return dicom(RAMP.astype(np.uint16), VOILUTSequence=[item])


def modality_table(descriptor: list[int], entries: list[int]) -> bytes:
    """A file whose modality table has this descriptor and these entries."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "US", entries)
    return dicom(RAMP.astype(np.uint16), ModalityLUTSequence=[item])


def with_palette(
    pixels: np.ndarray,
    descriptor: list[int],
    entries: bytes,
    *,
    colors: tuple[str, ...] = ("Red", "Green", "Blue"),
    segmented: bool = False,
    **more: Any,
) -> bytes:
    """A file of a gray palette, with the same entries for each of the colors."""
    start = "Segmented" if segmented else ""
    tables = {f"{start}{color}PaletteColorLookupTableData": entries for color in colors}
    descriptors = {f"{color}PaletteColorLookupTableDescriptor": descriptor for color in colors}
    return dicom(pixels, PhotometricInterpretation="PALETTE COLOR", **descriptors, **tables, **more)


def rle(pixels: np.ndarray, segments: list[bytes] | None = None, count: int | None = None, **more: Any) -> bytes:
    """An RLE file whose one frame has these segments, and a header that counts them as it likes."""
    parts = [_runs(pixels.tobytes())] if segments is None else segments
    starts = [64 + sum(map(len, parts[:number])) for number in range(len(parts))]
    header = struct.pack("<16I", len(parts) if count is None else count, *starts, *[0] * (15 - len(parts)))
    return dicom(pixels, RLELossless, PixelData=encapsulate([header + b"".join(parts)]), **more)


def _runs(content: bytes) -> bytes:
    """Bytes as literal runs of at most 128."""
    parts = (content[at : at + 128] for at in range(0, len(content), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def jpeg2000(**options: Any) -> bytes:
    """A small JPEG 2000 codestream."""
    return encoded(Image.fromarray(RAMP), "JPEG2000", no_jp2=True, **options)


def resized_stream(width: int, height: int, tile: int | None = None) -> bytes:
    """A small JPEG 2000 codestream that says another size."""
    stream = bytearray(jpeg2000())
    stream[8:16] = struct.pack(">II", width, height)
    if tile is not None:
        stream[24:32] = struct.pack(">II", tile, tile)
    return bytes(stream)


def small() -> dict[str, Make]:
    """Every kind that is made in a moment."""
    deep, signed = RAMP.astype(np.uint16) * 100, RAMP.astype(np.int16) - 60
    color = np.repeat(RAMP[..., None], 3, axis=2)
    jpeg = encoded(RAMP, "JPEG")

    def packed(syntax: str, frame: bytes, **more: Any) -> Make:
        return lambda: dicom(RAMP, syntax, PixelData=encapsulate([frame]), **more)

    return {
        "DICOM": lambda: dicom(deep, WindowCenter=6000, WindowWidth=12000),
        "DICOM, signed": lambda: dicom(signed),
        "DICOM in color": lambda: dicom(color),
        "DICOM of YBR": lambda: dicom(color, PhotometricInterpretation="YBR_FULL"),
        "DICOM preamble alone": lambda: bytes(128) + b"DICM",
        "DICOM cut short": lambda: dicom(deep)[:-300],
        "DICOM cut in its header": lambda: dicom(deep)[:200],
        "DICOM without pixels": lambda: dicom(RAMP, PixelData=None),
        "DICOM with empty pixels": lambda: dicom(RAMP, PixelData=b""),
        "DICOM of two frames": lambda: dicom(RAMP, NumberOfFrames=2, PixelData=RAMP.tobytes() * 2),
        "DICOM of a billion frames": lambda: dicom(RAMP, NumberOfFrames=10**9),
        "DICOM of frames in words": lambda: _before_pixels(raw((0x28, 0x08), b"IS", b"many")),
        "DICOM of minus one frame": lambda: _before_pixels(raw((0x28, 0x08), b"IS", b"-1")),
        "DICOM of an unknown syntax": lambda: dicom(RAMP, "1.2.3.4.5"),
        "DICOM of a syntax in words": lambda: dicom(RAMP).replace(b"1.2.840.10008.1.2.1\0", b"<b>[x](y)</b> *z* _w"),
        "DICOM, deflated": lambda: dicom(RAMP, DeflatedExplicitVRLittleEndian),
        "DICOM, deflated without content": lambda: deflated(b""),
        "DICOM of a deflated bomb": lambda: deflated(bytes(200_000_000)),
        "DICOM in gzip": lambda: gzip.compress(dicom(RAMP)),
        "gzip of a bomb": lambda: gzip.compress(dicom(RAMP) + bytes(200_000_000), 1),
        "DICOM of JPEG lossless": packed(JPEGLosslessSV1, imagecodecs.ljpeg_encode(RAMP)),
        "DICOM of JPEG lossless without content": packed(JPEGLosslessSV1, b"\xff\xd8\xff\xc3"),
        "DICOM of JPEG-LS": packed(JPEGLSLossless, imagecodecs.jpegls_encode(RAMP)),
        "DICOM of JPEG-LS without content": packed(JPEGLSLossless, b"\xff\xd8\xff\xf7"),
        "DICOM of video": packed(MPEG4HP41, bytes(64)),
        "DICOM with text in private tags": lambda: preceded(
            raw((0x09, 0x10), b"LO", b"MAKER "), raw((0x09, 0x1001), b"UT", b"Jane Doe " * 2000)
        ),
        "DICOM without rows": lambda: said((0x28, 0x10), b"US", b""),
        "DICOM of 0 rows": lambda: dicom(RAMP, Rows=0),
        "DICOM of two numbers of rows": lambda: said((0x28, 0x10), b"US", b"\x30\0\x30\0"),
        "DICOM of 65,535x65,535": lambda: dicom(RAMP, Rows=65_535, Columns=65_535),
        "DICOM of 7,000x7,000 without them": lambda: dicom(RAMP, Rows=7_000, Columns=7_000),
        "DICOM of 3 samples in gray": lambda: dicom(RAMP, SamplesPerPixel=3),
        "DICOM of 99 samples": lambda: dicom(RAMP, SamplesPerPixel=99),
        "DICOM of RGB in one sample": lambda: dicom(RAMP, PhotometricInterpretation="RGB"),
        "DICOM of a palette": lambda: with_palette(RAMP, [256, 0, 8], bytes(range(256))),
        "DICOM of a palette without one": lambda: dicom(RAMP, PhotometricInterpretation="PALETTE COLOR"),
        "DICOM of half a palette": lambda: with_palette(RAMP, [256, 0, 8], bytes(256), colors=("Red",)),
        "DICOM of a palette of too few": lambda: with_palette(RAMP, [256, 0, 8], bytes(10)),
        # Each of 20,000 indirect segments names 65,535 others, and those make no entries.
        "DICOM of a palette that repeats 65,535 segments": lambda: with_palette(
            RAMP, [0, 0, 16], struct.pack("<4H", 2, 65535, 0, 0) * 20_000, segmented=True
        ),
        "DICOM of frames without end": lambda: preceded(raw((0x5200, 0x9230), b"SQ", _item(bytes(2_000_000)))),
        "DICOM in deep color": lambda: dicom(color.astype(np.uint16) * 100),
        "DICOM of colors in words": lambda: said((0x28, 0x04), b"CS", b"<img src=x>\n# **J**"),
        "DICOM without photometry": lambda: dicom(RAMP, PhotometricInterpretation=None),
        "DICOM of 0 bits": lambda: dicom(RAMP, BitsStored=0),
        "DICOM of 99 bits": lambda: dicom(RAMP, BitsStored=99),
        "DICOM of 7 allocated bits": lambda: dicom(RAMP, BitsAllocated=7),
        "DICOM of 1 allocated bit": lambda: dicom(RAMP, BitsAllocated=1, BitsStored=1, HighBit=0),
        "DICOM of 64 allocated bits": lambda: dicom(RAMP, BitsAllocated=64, BitsStored=64),
        "DICOM of representation 7": lambda: dicom(RAMP, PixelRepresentation=7),
        "DICOM of a window of nan": lambda: windowed("nan", "nan"),
        "DICOM of a window of inf": lambda: windowed("inf", "inf"),
        "DICOM of a window of 1e308": lambda: windowed("1e308", "1e308"),
        "DICOM of a window around inf": lambda: windowed("-inf", "100"),
        "DICOM of a window in words": lambda: windowed("wide", "open"),
        "DICOM rescaled by nan": lambda: rescaled("nan", "0"),
        "DICOM rescaled by inf": lambda: rescaled("inf", "0"),
        "DICOM rescaled by 1e308": lambda: rescaled("1e308", "1e308"),
        "DICOM rescaled by 0": lambda: rescaled("0", "5"),
        "DICOM rescaled in words": lambda: rescaled("steep", "high"),
        "DICOM with a table": lambda: table([256, 0, 8], list(range(256))),
        "DICOM with an empty table": lambda: table([0, 0, 16], []),
        "DICOM with a table of one": lambda: table([1, 0, 16], [5]),
        "DICOM with a table that lies": lambda: table([60_000, 0, 16], [1, 2, 3]),
        "DICOM with half a descriptor": lambda: table([256], [1, 2, 3]),
        "DICOM with a modality table": lambda: modality_table([256, 0, 16], list(range(256))),
        "DICOM with an empty modality table": lambda: modality_table([0, 0, 16], []),
        "DICOM with a modality table that lies": lambda: modality_table([60_000, 0, 16], [1, 2, 3]),
        "DICOM with a table of no item": lambda: dicom(RAMP, VOILUTSequence=[]),
        "DICOM with a large table": lambda: _before_pixels(raw((0x28, 0x3010), b"SQ", _item(bytes(2_000_000)))),
        "DICOM nested 3,000 deep": lambda: nested(3000),
        "DICOM nested 3,000 deep with lengths": lambda: nested(3000, undefined=False),
        "DICOM of 300,000 elements": lambda: preceded(raw((0x18, 0x1000), b"LO", b"") * 300_000),
        "DICOM of 300,000 items": lambda: preceded(
            raw((0x18, 0x9346), b"SQ", b"\xfe\xff\x00\xe0" + bytes(4), 0xFFFFFFFF)
            + b"\xfe\xff\x00\xe0\0\0\0\0" * 300_000
            + b"\xfe\xff\xdd\xe0"
            + bytes(4)
        ),
        "DICOM with an element of 4 GB": lambda: preceded(raw((0x09, 0x1001), b"UN", b"x" * 20, 0xFFFFFFF0)),
        "DICOM with an element without end": lambda: preceded(raw((0x09, 0x1001), b"UN", b"x" * 20, 0xFFFFFFFF)),
        "DICOM of RLE": lambda: rle(RAMP),
        "DICOM of RLE without segments": lambda: rle(RAMP, []),
        "DICOM of RLE that counts wrong": lambda: rle(RAMP, count=15),
        "DICOM of RLE that runs over": lambda: rle(RAMP, [b"\x81\xff" * 10**6]),
        "DICOM of RLE of too little": lambda: rle(RAMP, [b"\x81\xff"]),
        "DICOM of JPEG": packed(JPEGBaseline8Bit, jpeg),
        "DICOM of JPEG of another size": packed(JPEGBaseline8Bit, encoded(np.zeros((900, 900), np.uint8), "JPEG")),
        "DICOM of half a JPEG": packed(JPEGBaseline8Bit, jpeg[: len(jpeg) // 2]),
        "DICOM of JPEG of 5,000 scans": packed(JPEGBaseline8Bit, many_scans(5000)),
        "DICOM of a JPEG that is a PNG": packed(JPEGBaseline8Bit, encoded(RAMP)),
        "DICOM of JPEG 2000": packed(JPEG2000Lossless, jpeg2000()),
        "DICOM of half a JPEG 2000": packed(JPEG2000Lossless, jpeg2000()[:300]),
        "DICOM of JPEG 2000 of 20,000x20,000": packed(JPEG2000Lossless, resized_stream(20_000, 20_000)),
        "DICOM of JPEG 2000 of 7,000x7,000": packed(JPEG2000Lossless, resized_stream(7_000, 7_000)),
        "DICOM of JPEG 2000 in tiles of 1 px": packed(JPEG2000Lossless, resized_stream(3_000, 3_000, tile=1)),
    }


def large(side: int = 7071) -> dict[str, Make]:
    """What takes the most memory and time of all that may come."""
    chance = np.random.default_rng(0)
    deep = np.resize(chance.integers(0, 2**16, 2**18).astype(np.uint16), (side, side))
    flat = np.resize(chance.integers(0, 2**8, 2**18).astype(np.uint8), (side, side))
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [65_535, 0, 16])
    item.add_new("LUTData", "US", list(range(65_535)))

    def streamed(pixels: np.ndarray, **options: Any) -> Make:
        def make() -> bytes:
            frame = encoded(pixels, "JPEG2000", no_jp2=True, **options)
            return dicom(pixels, JPEG2000Lossless, PixelData=encapsulate([frame]))

        return make

    def color(kind: str, edge: int) -> Make:
        return lambda: dicom(np.repeat(flat[:edge, :edge, None], 3, axis=2), PhotometricInterpretation=kind)

    edge, smooth = int(side * 0.8), np.add.outer(np.arange(side), np.arange(side)).astype(np.uint16)
    runs = b"\xff\x00" * (side * side // 2)
    return {
        "large DICOM": lambda: dicom(deep),
        "large DICOM of 8 bit": lambda: dicom(flat),
        "large DICOM rescaled": lambda: dicom(deep, RescaleSlope=1.5, RescaleIntercept=-7),
        "large DICOM with a window": lambda: dicom(deep, WindowCenter=3000, WindowWidth=5000),
        "large DICOM with a table": lambda: dicom(deep, VOILUTSequence=[item]),
        "large DICOM with both tables": lambda: dicom(deep, VOILUTSequence=[item], ModalityLUTSequence=[item]),
        "large DICOM, inverted": lambda: dicom(deep, PhotometricInterpretation="MONOCHROME1"),
        "long DICOM": lambda: dicom(np.zeros((762, 65_535), np.uint16)),
        "large DICOM in color": color("RGB", edge),
        "large DICOM of YBR": color("YBR_FULL", edge),
        "large DICOM of RLE": lambda: rle(flat, [_zeros_packed(side * side)]),
        "large DICOM of RLE in short runs": lambda: rle(flat, [runs]),
        "large DICOM of JPEG": lambda: dicom(
            flat, JPEGBaseline8Bit, PixelData=encapsulate([encoded(flat, "JPEG", quality=30)])
        ),
        "large DICOM of JPEG 2000": streamed(smooth),
        "large DICOM of noisy JPEG 2000": streamed(deep),
        "large DICOM of small JPEG 2000 blocks": streamed(smooth, codeblock_size=(4, 4)),
        "large DICOM of 12 million elements": lambda: preceded(raw((0x18, 0x1000), b"LO", b"") * 12_000_000),
        "large DICOM of a table of a million items": lambda: _before_pixels(
            raw((0x28, 0x3010), b"SQ", b"\xfe\xff\x00\xe0\0\0\0\0" * 10_000_000)
        ),
    }


def _zeros_packed(length: int) -> bytes:
    return b"\x81\x00" * (length // 128) + (bytes([257 - length % 128, 0]) if length % 128 > 1 else b"\x00\x00")


def _before_pixels(elements: bytes) -> bytes:
    data = dicom(RAMP)
    place = data.index(b"\xe0\x7f\x10\x00")
    return data[:place] + elements + data[place:]


def _item(content: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


def _even_uid(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def _even(text: str) -> bytes:
    return text.encode() + b" " * (len(text) % 2)
