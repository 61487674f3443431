"""The encoded pixels of DICOM files: which are decoded here, and what must agree with the header.

The limits of :func:`fracture.imaging.dicom.encoded.check_frame` are tested with hostile files in ``test_hostile.py``.
"""

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders import ExplicitVRLittleEndianDecoder, RLELosslessDecoder
from pydicom.uid import JPEGLSLossless

from fracture.errors import RadiographError
from fracture.imaging.dicom.encoded import unpack_frame
from fracture.imaging.radiograph import read
from tests.hostile import dicoms, pictures


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "SC_rgb_rle.dcm"])
def test_unpack_frame_of_rle_equals_pydicom(name):
    """Decoded in C, to the same values."""
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))
    theirs = RLELosslessDecoder.as_array(dataset, raw=True)[0]
    dataset.NumberOfFrames = 1
    assert unpack_frame(dataset, name, 0)
    assert np.array_equal(ExplicitVRLittleEndianDecoder.as_array(dataset, raw=True)[0], theirs)


def test_unpack_frame_leaves_uncompressed_pixels_and_8_bit_jpeg():
    """Pydicom views the ones where they lie, and decodes the others by Pillow."""
    for name in ("RG1_UNCR.dcm", "SC_rgb_jpeg_dcmtk.dcm"):
        dataset = pydicom.dcmread(get_testdata_file(name, download=False))
        dataset.NumberOfFrames = 1
        before = dataset.PixelData
        assert not unpack_frame(dataset, name, 0)
        assert dataset.PixelData is before


def test_unpack_frame_of_another_size_is_refused():
    """What a compressed frame holds must be what the DICOM header says."""
    frame = imagecodecs.jpegls_encode(np.zeros((50, 50), np.uint8))
    with pytest.raises(RadiographError, match="damaged or cut short"):
        read(dicoms.dicom(pictures.RAMP, JPEGLSLossless, PixelData=encapsulate([frame])))


def test_unpack_frame_of_more_bits_is_refused():
    """16 bits do not fit where the header says 8."""
    frame = imagecodecs.jpegls_encode(pictures.RAMP.astype(np.uint16) * 256)
    with pytest.raises(RadiographError, match="damaged or cut short"):
        read(dicoms.dicom(pictures.RAMP, JPEGLSLossless, PixelData=encapsulate([frame])))
