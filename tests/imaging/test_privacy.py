"""What files tell of a patient: hashes of studies, and text in pictures."""

import gzip

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fracture.imaging.privacy import declares_text, hash_study, seems_to_have_text
from tests.hostile import dicoms, pictures
from tests.hostile.dicoms import dicom
from tests.support.drawing import draw_limb

# pytest puts aside the filters that the modules set.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SALT = b"of this visit"


def test_hash_study_is_equal_for_files_of_one_study_and_visit():
    """And tells nothing of the identifier without the salt."""
    one, two = (dicom(pixels, StudyInstanceUID="1.2.3") for pixels in (pictures.RAMP, pictures.RAMP.T.copy()))
    other = dicom(pictures.RAMP, StudyInstanceUID="1.2.4")
    assert hash_study(one, SALT) == hash_study(two, SALT) != hash_study(other, SALT)
    assert hash_study(one, SALT) != hash_study(one, b"of another visit")
    assert "1.2.3" not in hash_study(one, SALT)


@pytest.mark.parametrize("data", [dicom(pictures.RAMP), pictures.encoded(pictures.RAMP), b"hello", b""])
def test_hash_study_is_empty_where_none_is_named(data):
    """Files without a study, other formats, and what is none."""
    assert hash_study(data, SALT) == ""


@pytest.mark.parametrize("kind", sorted(dicoms.small()))
def test_hash_study_of_hostile_files_raises_nothing(kind):
    """Reading the image says what is wrong with them."""
    data = dicoms.small()[kind]()
    assert isinstance(hash_study(data, SALT), str) and not declares_text(data)


@pytest.mark.parametrize(("value", "declared"), [("YES", True), ("NO", False), (None, False)])
def test_declares_text_by_burned_in_annotation(value, declared):
    """YES alone."""
    more = {} if value is None else {"BurnedInAnnotation": value}
    assert declares_text(dicom(pictures.RAMP, **more)) == declared


def test_gzip_file_tells_what_the_dicom_file_in_it_does():
    """Its study and its text; a damaged or another gzip file tells nothing."""
    data = dicom(pictures.RAMP, StudyInstanceUID="1.2.3", BurnedInAnnotation="YES")
    packed = gzip.compress(data)
    assert hash_study(packed, SALT) == hash_study(data, SALT) and declares_text(packed)
    for other in (packed[: len(packed) // 4], gzip.compress(b"hello"), gzip.compress(b"")):
        assert hash_study(other, SALT) == "" and not declares_text(other)


def test_gzip_file_that_unpacks_to_too_much_tells_nothing(monkeypatch):
    """It is unpacked within the bounds of the reader."""
    monkeypatch.setattr("fracture.imaging.codecs.formats.MAX_INFLATED_BYTES", 1000)
    assert not declares_text(gzip.compress(dicom(pictures.RAMP, BurnedInAnnotation="YES")))


@pytest.fixture
def limb():
    """A drawn limb, (800, 800)."""
    return draw_limb(np.random.default_rng(0), 800, positive=False)


@pytest.mark.parametrize("place", [(10, 10), (500, 760)])
@pytest.mark.parametrize("size", [14, 24])
def test_seems_to_have_text_finds_a_line_near_an_edge(limb, place, size):
    """A name and a date, in any corner."""
    picture = Image.fromarray(limb)
    ImageDraw.Draw(picture).text(place, "DOE JANE 1970-01-02", fill=255, font=ImageFont.load_default(size))
    assert seems_to_have_text(np.asarray(picture))


def test_seems_to_have_text_leaves_side_markers_alone(limb):
    """A letter, or a few, say nothing of a patient; neither does bone."""
    picture = Image.fromarray(limb)
    ImageDraw.Draw(picture).text((20, 20), "L  PA", fill=255, font=ImageFont.load_default(30))
    assert not seems_to_have_text(np.asarray(picture))
    assert not seems_to_have_text(limb)
    assert not seems_to_have_text(np.zeros((20, 20), np.uint8))
