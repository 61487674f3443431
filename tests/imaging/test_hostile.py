"""Files that nobody should send: each kind with what is said to it, and some hundred that were damaged at random."""

import logging
import struct
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.data import decisions
from fracture.errors import DatasetError, FetchError, FractureError, RadiographError
from fracture.imaging import limits
from fracture.imaging.radiograph import read
from fracture.importers import zip_checks
from fracture.importers.zip_file import unpack
from fracture.paths import sanitize_name
from tests.hostile import dicoms, mutants, pictures, tables, zips

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

IMAGES = {**pictures.small(), **dicoms.small()}

DAMAGED, NO_KIND, NO_IMAGE = "damaged or cut short", "its content is none of these", "without an image"
NOT_NUMBERS = "gray values and a window that are numbers"
SAID = {
    "nothing": "is empty",
    **dict.fromkeys(["one byte", "zeros", "noise", "words"], NO_KIND),
    "web page": "is a web page (HTML), which is not read",
    "TIFF of 20,000x20,000": "at most 50 million pixels. Received: 20000 x 20000",
    "PNG of 30,000x30,000": "at most 50 million pixels. Received: 30000 x 30000",
    "PNG of 4 billion x 1": "at most 50 million pixels",
    **dict.fromkeys(["PNG signature alone", "PNG cut short", "PNG without pixels", "PNG that holds a JPEG"], DAMAGED),
    **dict.fromkeys(["PNG of 0x0", "PNG with fewer pixels than said", "PNG of a palette without one"], DAMAGED),
    **dict.fromkeys(["PNG of 3 bit", "PNG with a text bomb", "PNG with a profile bomb"], DAMAGED),
    **dict.fromkeys(["PNG with 200,000 chunks", "PNG with 200,000 texts"], DAMAGED),
    **dict.fromkeys(["JPEG signature alone", "JPEG cut short", "JPEG of no height"], DAMAGED),
    "JPEG of 5,000 scans": "a JPEG of at most 30 scans. Received: 5,0",
    "JPEG of 65,535x65,535": "at most 50 million pixels",
    **dict.fromkeys(["DICOM preamble alone", "DICOM cut in its header", "DICOM without pixels"], NO_IMAGE),
    "DICOM, deflated without content": NO_IMAGE,
    **dict.fromkeys(["DICOM with empty pixels", "DICOM without rows", "DICOM of 0 rows"], NO_IMAGE),
    "DICOM with an element of 4 GB": NO_IMAGE,
    "DICOM of an unknown syntax": "a transfer syntax that is not known here; save it uncompressed.",
    "DICOM of a syntax in words": "a transfer syntax that is not known here; save it uncompressed.",
    "DICOM of a deflated bomb": "may unpack to 75 MB. Received: more",
    "gzip of a bomb": "may unpack to 75 MB. Received: more",
    "DICOM of video": "compressed as MPEG-4",
    "DICOM of 65,535x65,535": "at most 50 million pixels",
    "DICOM of a palette without one": "must have the palette of its colors. Received: none; export it in grayscale.",
    "DICOM of half a palette": "must have the palette of its colors. Received: none; export it in grayscale.",
    "DICOM of colors in words": "Received: something else with 8 bits",
    **dict.fromkeys([f"DICOM of a window {of}" for of in ("of inf", "of 1e308", "around inf")], NOT_NUMBERS),
    "DICOM rescaled in words": "a rescale slope and intercept that are numbers; export it again.",
    **dict.fromkeys([f"DICOM rescaled by {by}" for by in ("nan", "inf", "1e308")], NOT_NUMBERS),
    "DICOM of JPEG of 5,000 scans": "a JPEG of at most 30 scans",
    "DICOM of JPEG 2000 of 20,000x20,000": "Received: 20000 x 20000",
    **dict.fromkeys(
        [
            "DICOM cut short", "DICOM of frames in words", "DICOM of minus one frame", "DICOM of two numbers of rows",
            "DICOM of 7,000x7,000 without them", "DICOM of 3 samples in gray", "DICOM of 99 samples",
            "DICOM without photometry", "DICOM of 0 bits", "DICOM of 99 bits", "DICOM of 7 allocated bits",
            "DICOM of 64 allocated bits", "DICOM of representation 7",
            "DICOM with a table of one", "DICOM with half a descriptor",
            "DICOM with a modality table that lies", "DICOM with a large table", "DICOM nested 3,000 deep",
            "DICOM of 300,000 elements", "DICOM of 300,000 items", "DICOM with an element without end",
            "DICOM of a palette of too few", "DICOM of a palette that repeats 65,535 segments",
            "DICOM of RLE without segments", "DICOM of RLE that counts wrong", "DICOM of RLE of too little",
            "DICOM of JPEG of another size", "DICOM of half a JPEG", "DICOM of a JPEG that is a PNG",
            "DICOM of JPEG 2000 in tiles of 1 px", "DICOM of JPEG 2000 of 7,000x7,000", "DICOM of a billion frames",
            "DICOM of JPEG lossless without content",
            "DICOM of JPEG-LS without content", "TIFF cut short", "TIFF of a directory that lies", "HEIC cut short",
        ],
        DAMAGED,
    ),
}  # fmt: skip
"""The sentence for each kind; what is not named is answered."""

SHAPES = {
    "PNG of 1x1": (1, 1), "JPEG of 1x1": (1, 1), "PNG turned": (64, 48), "JPEG turned": (64, 48),
    "JPEG of CMYK": (16, 16),
    "JPEG of 6,000x6,000 without them": (6000, 6000), "JPEG of 5,000 scans": (64, 64),
    **dict.fromkeys(["PNG with more pixels than said", "PNG of 16-bit color"], (20, 20)),
}  # fmt: skip
"""(H, W) of what is answered where it is not that of the usual picture."""


@pytest.mark.parametrize("kind", IMAGES)
def test_read_hostile_image_gives_pixels_or_its_sentence(kind):
    """Each file is answered within 5 s of processor time, with the pixels that were sent or with the words for it."""
    data = IMAGES[kind]()
    began = time.process_time()
    if kind in SAID:
        with pytest.raises(RadiographError) as error:
            read(data, "sent.bin")
        words = str(error.value)
        assert SAID[kind] in words and words.startswith("sent.bin ") and "\n" not in words and len(words) < 300
    else:
        image = read(data, "sent.bin")
        assert image.pixels.shape == SHAPES.get(kind, pictures.RAMP.shape) and image.pixels.dtype == np.uint8
    assert time.process_time() - began < 5


def answers(work, data) -> bool:
    """Whether there is an answer; else there must be one sentence."""
    try:
        work(data)
    except FractureError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
        return False
    return True


@pytest.mark.slow
def test_read_damaged_image_is_read_or_refused():
    """Real files of many kinds, damaged in nine ways."""
    answered = sum(answers(read, mutants.mutant(number)[1]) for number in range(300))
    assert 30 < answered < 270  # or else nothing is damaged, or all of it beyond reading


ZIPS = {
    **dict.fromkeys(
        ["empty", "no zip", "cut short", "with a size that lies", "with a size of 4 GB"], "or a damaged one"
    ),
    **dict.fromkeys(["of zip64 without it", "with another name inside", "that begins elsewhere"], "or a damaged one"),
    "with a large table of contents": "or a damaged one",
    **dict.fromkeys(["of nothing", "of zips alone", "without pictures"], "must hold images"),
    **dict.fromkeys(["going up", "going up within", "absolute", "on a drive"], "must lie below its folder"),
    **dict.fromkeys(["with backslashes", "with NUL", "with a newline"], "must lie below its folder"),
    "written from the right": "must lie below its folder",
    **dict.fromkeys(["with a long name", "very deep", "with a name of 60,000 letters"], "File name too long"),
    **dict.fromkeys(["with a link", "with a device", "with a pipe"], "no links or devices"),
    **dict.fromkeys(["with the same name twice", "with the same name in capitals"], "several files of the same name"),
    "with a bomb": "may become 100 times larger",
    **dict.fromkeys(["of many small bombs", "overlapping"], "may be 100 times larger than the zip"),
    "of 300,000 entries": "table of contents may have 12.6 MB. Received: 16.2 MB",
    "encrypted": "must not be encrypted",
    **dict.fromkeys(["with an odd way of packing", "by lzma", "by bzip2"], "must use deflate"),
    **dict.fromkeys(["with a listing that goes up", "with a listing of an absolute path"], "files below images/"),
    "with a listing that is none": "must have the columns image_id",
}
"""The sentence for each kind of zip; what is not named is unpacked."""


@pytest.mark.parametrize("kind", sorted(set(zips.small()) - {"of 60,000 entries"}))
def test_unpack_hostile_zip_is_unpacked_or_refused(tmp_path, kind):
    """Nothing is written beside its folder, whatever its names are."""
    out = tmp_path / "home" / "out"
    if kind in ZIPS:
        with pytest.raises(FetchError) as error:
            unpack(BytesIO(zips.small()[kind]()), out)
        assert ZIPS[kind] in str(error.value) and "\n" not in str(error.value)
    else:
        assert unpack(BytesIO(zips.small()[kind]()), out).images
    assert {path.name for path in tmp_path.iterdir()} <= {"home"}
    assert {path.name for path in (tmp_path / "home").glob("*")} <= {".unpacking.lock", "out"}
    assert not any(path.is_symlink() for path in out.rglob("*"))


def test_unpack_damaged_zip_is_unpacked_or_refused(tmp_path):
    """Wrong bytes are mostly in the tables, with names, sizes and places."""
    for number in range(60):
        answers(lambda data, out=tmp_path / f"out{number}": unpack(BytesIO(data), out), zips.mutant(number))
    assert not list(tmp_path.glob(".*unpacking"))


TABLES = {
    **dict.fromkeys(["picture", "UTF-16", "Latin-1"], "cannot be read as a table"),
    **dict.fromkeys(["zeros", "another table"], "must have the columns"),
    **dict.fromkeys(["20 MB of newlines", "300,000 decisions"], "may have 50,000 lines"),
    **dict.fromkeys(["a quote that is open", "a cell of 200,000 letters", "a column too many"], "Received in line 2"),
    **dict.fromkeys(["a time that is none", "a time of the year 999999", "another decision"], "Received in line 2"),
    "20 MB of commas": "Received in line 2",
    "20 MB in one line": "Received in line 1",
}
"""The sentence for each kind of decisions; what is not named is merged."""


@pytest.mark.parametrize("kind", sorted(set(tables.small()) - {"40,000 decisions"}))
def test_merge_hostile_decisions_are_merged_or_refused(tmp_path, kind):
    """No decision of a refused file is written."""
    upload = BytesIO(tables.small()[kind]())
    if kind in TABLES:
        with pytest.raises(DatasetError) as error:
            decisions.merge(tmp_path, upload)
        assert TABLES[kind] in str(error.value) and str(error.value).isprintable()
        assert not (tmp_path / decisions.DECISIONS_FILE).exists()
    else:
        assert decisions.merge(tmp_path, upload) in (0, 1, 20)


def test_merge_damaged_decisions_are_merged_or_refused(tmp_path):
    """Letters are changed, gone, or there twice."""
    for number in range(100):
        (root := tmp_path / str(number)).mkdir()
        answers(lambda data, root=root: decisions.merge(root, BytesIO(data)), tables.mutant(number))


@pytest.mark.parametrize(
    ("data", "most"),
    [
        (lambda: pictures.png(5600, 5600, color=2, rows=b""), 30),
        (lambda: pictures.png(5600, 5600, color=6, rows=b""), 30),
        (lambda: _resized(pictures.encoded(np.zeros((8, 8, 3), np.uint8), "JPEG", progressive=True), b"\xff\xc2"), 13),
        (lambda: _resized(pictures.encoded(np.zeros((8, 8), np.uint8), "JPEG", progressive=True), b"\xff\xc2"), 37),
        (lambda: dicoms.rle(np.zeros((7000, 6900), np.uint8), [b"\x81\0"]), 37),
    ],
)
def test_read_expensive_encoding_may_have_fewer_pixels(data, most):
    """Color and progressive JPEG are limited by the memory of their decoder, before it runs."""
    with pytest.raises(RadiographError, match=f"at most {most} million pixels with this compression"):
        read(data())


def _resized(jpeg: bytes, frame: bytes) -> bytes:
    at = jpeg.index(frame) + 5
    return jpeg[:at] + struct.pack(">HH", 6900, 6900) + jpeg[at + 4 :]


def test_read_side_beyond_the_limit_is_refused():
    """One row of fifty million pixels is few pixels, and much memory."""
    with pytest.raises(RadiographError, match="at most 65,535 px a side"):
        read(pictures.png(1, 66_000))


def test_read_in_strips_gives_the_same_pixels(monkeypatch):
    """However many pixels are computed at a time."""
    deep = np.random.default_rng(0).integers(0, 4000, (97, 61)).astype(np.uint16)
    color = np.random.default_rng(0).integers(0, 255, (97, 61, 3)).astype(np.uint8)
    files = [
        pictures.encoded(deep), pictures.encoded(color), pictures.encoded(color, "JPEG"), pictures.turned("PNG", 7),
        dicoms.dicom(deep, RescaleSlope=1.5, RescaleIntercept=-7), dicoms.dicom(deep, WindowCenter=9, WindowWidth=900),
        dicoms.dicom(color, PhotometricInterpretation="YBR_FULL"), dicoms.table([256, 0, 16], list(range(256))),
    ]  # fmt: skip
    whole = [read(data).pixels for data in files]
    for module in ("gray_scale", "png_jpeg"):
        monkeypatch.setattr(f"fracture.imaging.{module}.STRIP_PIXELS", 100)
    for data, pixels in zip(files, whole, strict=True):
        assert np.array_equal(read(data).pixels, pixels)


@given(words=st.text(st.characters(codec="ascii"), min_size=1, max_size=16))
@settings(deadline=None, max_examples=60)
def test_read_error_never_quotes_a_header(words):
    """Whatever stands in place of a photometric interpretation or a transfer syntax."""
    marked = ("Q7Z" + words).encode()[:16].ljust(16, b" ")
    for data in (
        dicoms.said((0x28, 0x04), b"CS", marked),
        dicoms.dicom(pictures.RAMP).replace(b"1.2.840.10008.1.2.1\0", marked + b" " * 4),
    ):
        with pytest.raises(RadiographError) as error:
            read(data)
        assert "Q7Z" not in str(error.value)


def test_read_dicom_writes_no_log(caplog):
    """Pydicom's warnings quote the values of elements."""
    with caplog.at_level(logging.DEBUG):
        for element in (((0x10, 0x30), b"DA", b"Q7Z-Jane"), ((0x08, 0x18), b"UI", b"Q7Z.Jane")):
            read(dicoms.preceded(dicoms.raw(*element)))
        answers(read, dicoms.windowed("Q7Z", "Q7Z"))
    assert "Q7Z" not in caplog.text


def test_parse_reads_elements_of_pixels_alone():
    """Names never get out of the file: they are not even read."""
    from fracture.imaging import dicom

    named = dicoms.dicom(pictures.RAMP, PatientName="Q7Z^Jane", PatientComments="Q7Z", StudyDescription="Q7Z")
    private = dicoms.preceded(dicoms.raw((0x09, 0x10), b"LO", b"Q7Z "), dicoms.raw((0x09, 0x1001), b"UT", b"Q7Z "))
    for data in (named, private):
        assert b"Q7Z" in data and "Q7Z" not in str(dicom.parse(BytesIO(data), "sent"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("view 1.png", "view 1.png"),
        ("a\nb\0c\u202ed.png", "abcd.png"),
        ("\n\t", "the file"),
        ("x" * 5000, "x" * 60 + "…" + "x" * 60),
    ],
)
def test_sanitize_name_is_short_and_one_line(name, said):
    """Whatever letters are in the name of an upload."""
    assert sanitize_name(name) == said
    with pytest.raises(RadiographError, match="is empty") as error:
        read(b"", name)
    assert str(error.value).startswith(f"{said} is empty")


def test_bounded_file_refuses_after_its_reads():
    """Then the file counts as damaged."""
    file = limits.Bounded(BytesIO(bytes(10)))
    for _ in range(limits.MAX_READS):
        file.read(0)
    with pytest.raises(ValueError, match="too many parts"):
        file.read(0)


def test_a_table_of_contents_is_not_read_where_it_is_too_large(tmp_path, monkeypatch):
    """It would be held in memory, ten times as large."""
    monkeypatch.setattr(zip_checks, "MAX_TABLE_BYTES", 300)
    path = Path(tmp_path / "many.zip")
    path.write_bytes(zips.zipped(zips.GOOD))
    with pytest.raises(FetchError, match="table of contents may have"), path.open("rb") as file:
        zipfile.ZipFile(zip_checks.LimitedReads(file))
    with pytest.raises(FetchError, match="table of contents may have"):
        unpack(path, tmp_path / "out")
