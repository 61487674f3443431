"""The encoded pixels of DICOM files: RLE, and the header of JPEG 2000 codestreams.

The limits of :func:`fracture.imaging.dicom_pixels.check_frame` are tested with hostile files in ``test_hostile.py``.
"""

import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders import ExplicitVRLittleEndianDecoder, RLELosslessDecoder
from pydicom.uid import JPEG2000Lossless

from fracture.errors import RadiographError
from fracture.imaging.dicom_pixels import read_codestream, unpack_rle
from fracture.imaging.radiograph import read
from tests.hostile import dicoms, pictures


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "SC_rgb_rle.dcm"])
def test_unpack_rle_equals_pydicom(name):
    """Decoded in C, to the same values."""
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))
    theirs = RLELosslessDecoder.as_array(dataset, raw=True)[0]
    unpack_rle(dataset)
    assert np.array_equal(ExplicitVRLittleEndianDecoder.as_array(dataset, raw=True)[0], theirs)


def test_read_codestream_gives_the_memory_of_decoding():
    """Small code blocks take more memory, and so do precincts that cut them; components count."""
    plain_blocks, small_blocks = dicoms.jpeg2000(), dicoms.jpeg2000(codeblock_size=(4, 4))
    assert read_codestream(plain_blocks)[:3] == (64, 48, 10)
    assert read_codestream(small_blocks).bytes_per_pixel > 25
    jp2 = pictures.encoded(pictures.RAMP, "JPEG2000")
    assert jp2[4:8] == b"jP  " and read_codestream(jp2)[:3] == (64, 48, 10)


def test_read_codestream_with_a_second_coding_style_is_refused():
    """The decoder would use the coding style of the first tile, and no limit would."""
    stream = dicoms.jpeg2000()
    first = stream.index(b"\xff\x52")
    length = int.from_bytes(stream[first + 2 : first + 4], "big")
    place = stream.index(b"\xff\x93")
    twice = stream[:place] + stream[first : first + 2 + length] + stream[place:]
    with pytest.raises(ValueError, match="coding style of their own"):
        read_codestream(twice)
    with pytest.raises(RadiographError, match="damaged or cut short"):
        read(dicoms.dicom(pictures.RAMP, JPEG2000Lossless, PixelData=encapsulate([twice])))


def test_read_codestream_ignores_one_in_another_box():
    """A small one in another box of a JP2 file does not stand for the large one."""
    jp2, decoy = pictures.encoded(pictures.RAMP, "JPEG2000"), dicoms.jpeg2000()
    place = jp2.index(b"jp2c") - 4
    box = struct.pack(">I4s", 8 + len(decoy), b"free") + decoy
    large = bytearray(jp2[:place] + box + jp2[place:])
    at = large.index(b"\xff\x4f\xff\x51", place + len(box)) + 8
    large[at : at + 8] = struct.pack(">II", 20_000, 20_000)
    assert read_codestream(bytes(large))[:2] == (20_000, 20_000)


def test_read_codestream_whose_tile_parts_lead_back_is_refused():
    """A length that points back into the header would be followed for ever."""
    stream = dicoms.jpeg2000()
    first_tile = stream.index(b"\xff\x90")
    leading_back = bytearray(stream)
    leading_back[first_tile + 6 : first_tile + 10] = struct.pack(">I", 2)
    with pytest.raises(ValueError, match="ends in its own header"):
        read_codestream(bytes(leading_back))


def test_read_codestream_follows_tile_parts_after_an_empty_packet():
    """The data of a tile-part may begin with zeros; the coding style of the next tile counts all the same."""
    stream = dicoms.jpeg2000()
    first_tile = stream.index(b"\xff\x90")
    cod = stream.index(b"\xff\x52")
    segment = stream[cod : cod + 2 + int.from_bytes(stream[cod + 2 : cod + 4], "big")]
    empty = struct.pack(">HHHIBB", 0xFF90, 10, 0, 18, 0, 2) + b"\xff\x93" + bytes(4)
    second = struct.pack(">HHHIBB", 0xFF90, 10, 0, 0, 1, 2) + segment + b"\xff\x93"
    with pytest.raises(ValueError, match="coding style of their own"):
        read_codestream(stream[:first_tile] + empty + second)


def test_read_codestream_of_a_million_segments_is_refused():
    """Going through them would take seconds."""
    stream = dicoms.jpeg2000()
    first_tile = stream.index(b"\xff\x90")
    comments = b"\xff\x64\0\2" * 10**6
    with pytest.raises(ValueError, match="too many parts"):
        read_codestream(stream[:first_tile] + comments + stream[first_tile:])
