"""Files that nobody should send, in the viewer: refused as for the model, and else shown as the model sees them."""

import numpy as np
import pytest

from fracture.errors import RadiographError
from fracture.imaging.radiograph import Radiograph, read
from fracture.imaging.viewing.full_depth import FullDepth, read_full_depth
from tests.hostile import dicoms, pictures

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

IMAGES = {**pictures.small(), **dicoms.small()}


def outcome(reader, data: bytes) -> Radiograph | FullDepth | str:
    """What a reader gives, or the sentence with which it refuses."""
    try:
        return reader(data, "x")
    except RadiographError as error:
        return str(error)


@pytest.mark.parametrize("kind", IMAGES)
def test_read_full_depth_of_hostile_files_agrees_with_read(kind):
    """Both refuse with the same words, or both give the same gray levels."""
    data = IMAGES[kind]()
    seen = outcome(read, data)
    full = outcome(read_full_depth, data)
    if isinstance(seen, str) or isinstance(full, str):
        assert full == seen
    else:
        assert full.gray().shape == seen.pixels.shape
        assert np.abs(full.gray().astype(np.int16) - seen.pixels).max() <= 1
