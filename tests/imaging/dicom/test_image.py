"""Which photometric interpretations of DICOM files are read, and which are named."""

import numpy as np
import pytest

from fracture.errors import RadiographError
from fracture.imaging.radiograph import read
from tests.hostile.dicoms import dicom
from tests.hostile.pictures import RAMP

COLORS = np.repeat(RAMP[..., None], 3, axis=2)


@pytest.mark.parametrize("kind", ["HSV", "CMYK", "ARGB", "YBR_PARTIAL_420"])
def test_gray_names_colors_that_are_not_read(kind):
    """Color spaces of video, and those that the standard has given up."""
    with pytest.raises(RadiographError, match=f"Received: {kind} with 8 bits; export it in grayscale"):
        read(dicom(COLORS, PhotometricInterpretation=kind))


def test_gray_refuses_odd_depths_of_color():
    """Colors have 8, 16 or 32 bits."""
    with pytest.raises(RadiographError, match="Received: RGB with 64 bits"):
        read(dicom(COLORS.astype(np.uint64), BitsStored=64, HighBit=63))


def test_gray_frame_beyond_the_last_is_refused():
    """The sentence says how many there are."""
    with pytest.raises(RadiographError, match=r"must be 1 to 1\. Received: 2"):
        read(dicom(RAMP), frame=2)
