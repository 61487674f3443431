"""Palettes of DICOM files: their depths, byte orders and segments."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut

from fracture.imaging.dicom.elements import parse
from fracture.imaging.dicom.palette import expand_segments, read_palette
from fracture.imaging.radiograph import load, read
from tests.hostile.dicoms import with_palette

INDEX = np.arange(256, dtype=np.uint8).reshape(16, 16)


def words(numbers):
    """Numbers of 16 bits as bytes."""
    return np.asarray(numbers, "<u2").tobytes()


@pytest.mark.parametrize("name", ["OBXXXX1A.dcm", "examples_palette.dcm", "OBXXXX1A_rle.dcm"])
def test_read_palette_of_a_real_file_equals_pydicom(name):
    """The gray of the colors that pydicom looks up, within one level."""
    path = Path(get_testdata_file(name, download=False))
    dataset = pydicom.dcmread(path)
    colors = np.rint(apply_color_lut(dataset.pixel_array, dataset) / 257).astype(np.uint8)
    expected = np.asarray(Image.fromarray(colors).convert("L")).astype(int)
    found = load(path)
    assert np.abs(found.pixels - expected).max() <= 1
    assert found.steps == ("palette", "color to gray")


def test_read_palette_of_a_big_endian_file_equals_the_little_endian_one():
    """The entries are words, in the byte order of the file."""
    little, big = (get_testdata_file(f"OBXXXX1A{kind}.dcm", download=False) for kind in ("", "_expb"))
    assert np.array_equal(load(Path(little)).pixels, load(Path(big)).pixels)


@pytest.mark.parametrize(
    ("descriptor", "entries", "expected"),
    [
        ([256, 0, 8], bytes(range(256)), INDEX),
        ([256, 0, 8], words(range(256)), INDEX),  # a word for each entry
        ([256, 0, 16], words(range(256)), INDEX),  # 16 bits are said, 8 are stored
        ([256, 0, 16], words(np.arange(256) * 257), INDEX),
        ([100, 50, 8], bytes(range(100)), np.clip(INDEX.astype(int) - 50, 0, 99)),  # the first entry is for 50
    ],
)
def test_read_palette_maps_stored_values(descriptor, entries, expected):
    """Each stored value is one entry further than the first one, or the last entry."""
    assert np.array_equal(read(with_palette(INDEX, descriptor, entries)).pixels, expected)


def test_read_palette_of_16_bit_values(tmp_path):
    """65,536 entries are written as 0."""
    pixels = INDEX.astype(np.uint16) * 256
    found = read(with_palette(pixels, [0, 0, 16], words(np.arange(65536))))
    assert np.abs(found.pixels - INDEX.astype(int)).max() <= 1


def test_read_palette_is_none_without_tables():
    """An image without a palette, or with one of its colors."""
    from io import BytesIO

    data = with_palette(INDEX, [256, 0, 8], bytes(256), colors=("Red",))
    assert read_palette(parse(BytesIO(data), "scan")) is None


def test_read_supplemental_palette_is_left_out():
    """A gray image that brings a palette for a part of its values stays gray."""
    plain = with_palette(INDEX, [256, 0, 8], bytes(256))
    data = plain.replace(b"PALETTE COLOR ", b"MONOCHROME2   ")
    assert np.array_equal(read(data).pixels, INDEX)


def test_expand_segments_of_each_kind():
    """Discrete entries, a line from the last one, and a repetition of both."""
    data = np.array([0, 2, 5, 7, 1, 4, 15, 2, 2, 0, 0], np.uint16)
    assert expand_segments(data, 12).tolist() == [5, 7, 9, 11, 13, 15, 5, 7, 9, 11, 13, 15]


def test_expand_segments_of_bytes():
    """Offsets have four bytes then."""
    data = np.array([0, 1, 9, 1, 2, 11, 2, 1, 0, 0, 0, 0], np.uint8)
    assert expand_segments(data, 4).tolist() == [9, 10, 11, 9]


@pytest.mark.parametrize("data", [[0, 1, 9], [7, 1, 9], [0, 0, 0], [2, 9, 0, 0]])
def test_expand_segments_refuses_what_makes_too_few_entries(data):
    """Too few, of an unknown kind, without values, or repeating itself."""
    with pytest.raises(ValueError, match="segment"):
        expand_segments(np.array(data, np.uint16), 4)
