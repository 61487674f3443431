"""Formats by their first bytes."""

import gzip
import re
import struct
import tarfile
import zipfile
from io import BytesIO

import pytest

from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import PICTURES, READ, recognize, unpack_gzip
from fracture.imaging.radiograph import read
from tests.hostile import dicoms, pictures


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "a")
    return file.getvalue()


def tarred() -> bytes:
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return file.getvalue()


def nifti() -> bytes:
    """The header of a NIfTI-1 file: its own length first, its mark last."""
    return struct.pack("<I", 348) + bytes(340) + b"n+1\0" + bytes(100)


NAMED = {
    "PDF": (b"%PDF-1.7\n", "a PDF document, which is not read; export the X-ray in it"),
    "zip": (zipped(), "a zip file, which is not read; unpack it"),
    "NIfTI": (nifti(), "a NIfTI volume, which is not read; export the X-ray as DICOM or PNG"),
    "NIfTI in gzip": (gzip.compress(nifti()), "a NIfTI volume compressed by gzip"),
    "tar": (tarred(), "a tar archive"),
    "tar in gzip": (gzip.compress(tarred()), "a tar archive compressed by gzip"),
    "gzip": (gzip.compress(b"hello"), "a gzip file without a DICOM file in it, which is not read; unpack it"),
    "HTML": (b"\n<!DOCTYPE html><html>", "a web page (HTML)"),
    "SVG": (b"<?xml version='1.0'?><svg/>", "an XML document"),
    "MP4": (b"\0\0\0\x20ftypisom" + bytes(20), "a video (MP4 or MOV), which is not read; save one picture of it"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "a video (AVI)"),
    "WebM": (b"\x1a\x45\xdf\xa3" + bytes(20), "a Matroska or WebM video"),
    "JPEG XL": (b"\xff\x0a" + bytes(20), "a JPEG XL image"),
    "NumPy": (b"\x93NUMPY\x01\0", "a NumPy array"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_read_other_format_is_named(kind):
    """The sentence names what the file is, and what to do."""
    data, words = NAMED[kind]
    with pytest.raises(RadiographError, match=re.escape(words)) as error:
        read(data, "sent.bin")
    assert str(error.value).startswith("sent.bin is ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["TIFF", "WebP", "BMP", "GIF", "JPEG2000", "AVIF"])
def test_recognize_pictures_by_content(kind):
    """What the worker decodes is known by what Pillow writes, whatever its name is."""
    data = pictures.encoded(pictures.RAMP, "WEBP" if kind == "WebP" else kind)
    assert recognize(data, "scan.png") in PICTURES


def test_recognize_dicom_before_a_tiff_in_its_preamble():
    """The preamble of a DICOM file may hold the beginning of a TIFF, so that one file is both."""
    data = b"II*\0" + dicoms.dicom(pictures.RAMP)[4:]
    assert recognize(data, "both.dcm") == "DICOM"


def test_recognize_nothing_lists_what_is_read():
    """A file of no known kind gets the list."""
    with pytest.raises(RadiographError, match=re.escape(READ)):
        recognize(b"hello", "hello.txt")


def test_unpack_gzip_gives_the_dicom_file():
    """Its bytes are those that were packed."""
    data = dicoms.dicom(pictures.RAMP)
    assert unpack_gzip(gzip.compress(data), "scan.dcm.gz") == data
    assert unpack_gzip(gzip.compress(data) + b"\0", "padded.dcm.gz") == data


def test_unpack_gzip_of_a_bomb_is_refused():
    """More is never unpacked than any image needs."""
    bomb = gzip.compress(dicoms.dicom(pictures.RAMP) + bytes(200_000_000), 1)
    with pytest.raises(RadiographError, match=r"may unpack to 75 MB\. Received: more"):
        unpack_gzip(bomb, "bomb.dcm.gz")
