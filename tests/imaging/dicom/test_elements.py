"""Elements of DICOM files: items of sequences, and numbers as people write them."""

from io import BytesIO

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_sequence_item
from pydicom.tag import Tag

from fracture.imaging.dicom.elements import first_number, parse, read_item, read_number
from tests.hostile.dicoms import windowed


def sequence(widths, undefined):
    """A sequence of an item for each window width, as its bytes."""
    file = DicomBytesIO()
    file.is_little_endian = True
    file.is_implicit_VR = False
    for width in widths:
        item = Dataset()
        item.WindowWidth = width
        item.is_undefined_length_sequence_item = undefined
        write_sequence_item(file, item, ["iso8859"])
    return RawDataElement(Tag(0x52009230), "SQ", 0, file.getvalue(), 0, False, True)


@pytest.mark.parametrize("undefined", [False, True])
def test_read_item_finds_one_of_several(undefined):
    """Whether the items before it say their length or not; None beyond the last."""
    raw = sequence([1, 20, 300], undefined)
    assert [read_item(raw, index).WindowWidth for index in range(3)] == [1, 20, 300]
    assert read_item(raw, 3) is None


def test_read_item_of_an_empty_sequence_is_none():
    """Of a sequence that is there, but has no item."""
    assert read_item(sequence([], False), 0) is None


@pytest.mark.parametrize(("text", "number"), [("100,5", 100.5), (" 7\\8", 7), ("", None)])
def test_read_number_takes_the_first_one(text, number):
    """A decimal comma is a point."""
    assert read_number(parse(BytesIO(windowed(text, "1")), "scan"), "WindowCenter") == number


def test_first_number_of_nothing_is_none():
    """Missing, empty, or a list of none."""
    assert first_number(None) is first_number("") is first_number(pydicom.multival.MultiValue(float, [])) is None
