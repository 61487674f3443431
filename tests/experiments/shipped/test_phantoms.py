"""The images of the shipped set, generated again from its plan."""

import numpy as np
import pytest

from fracture.errors import DatasetError
from fracture.experiments.shipped import phantoms
from fracture.experiments.shipped.features import shipped_plan
from fracture.experiments.shipped.phantoms import ImageNumbers, parse_image_id, shipped_image


def test_parse_image_id_is_the_inverse_of_image_id():
    """A name gives the numbers that it was made of."""
    numbers = ImageNumbers(12, 3, 2)
    assert parse_image_id(numbers.image_id) == numbers


@pytest.mark.parametrize(
    "name", ["", "patient1.png", "../patient001_study1_image1.png", "patient999_study1_image1.png"]
)
def test_shipped_image_of_another_name_is_refused(homes, name):
    """Names that are no image's, and an image that the set does not have."""
    with pytest.raises(DatasetError, match=r"Received|choose one"):
        shipped_image(shipped_plan(), name)


def test_shipped_image_is_generated_once(homes, monkeypatch):
    """The second time it comes from the cache, with the same pixels and the same mask."""
    plan = shipped_plan()
    first = shipped_image(plan, "patient001_study1_image1.png")
    assert first.pixels.shape == first.mask.shape
    assert first.mask.any()
    monkeypatch.setattr(phantoms, "_generate", None)
    again = shipped_image(plan, "patient001_study1_image1.png")
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.mask, again.mask)


def test_shipped_image_with_a_damaged_cache_is_generated_again(homes):
    """A file that was cut short is replaced."""
    plan = shipped_plan()
    first = shipped_image(plan, "patient002_study1_image1.png")
    (path,) = (homes / "cache" / "phantoms").glob("*/*.png")
    path.write_bytes(path.read_bytes()[:1000])
    again = shipped_image(plan, "patient002_study1_image1.png")
    assert np.array_equal(first.pixels, again.pixels)
