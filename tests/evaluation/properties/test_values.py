"""The values of image properties, from the table and the measurements."""

import numpy as np
import pytest
from PIL import Image

from fracture.data.dataset import scan
from fracture.data.measurements import measure
from fracture.evaluation.properties.values import CATEGORIES, NUMBERS, property_values


@pytest.fixture
def values(homes):
    """Of a PNG with a white margin, a color JPEG twice as wide as high, a 16-bit PNG, and a damaged file."""
    random = np.random.default_rng(0)
    gray = random.integers(20, 200, (100, 80)).astype(np.uint8)
    gray[:10] = 255
    Image.fromarray(gray).save(homes / "a.png")
    Image.fromarray(random.integers(20, 200, (60, 120, 3)).astype(np.uint8)).save(homes / "b.jpg")
    Image.fromarray(random.integers(0, 4096, (90, 90)).astype(np.uint16)).save(homes / "c.png")
    (homes / "d.png").write_bytes(b"no image")
    (homes / "dataset.csv").write_text("image_id,label\na.png,0\nb.jpg,1\nc.png,0\nd.png,1\n")
    table = scan(homes).table
    return property_values(table, measure(table))


def test_property_values_has_a_row_for_each_readable_image(values):
    """The damaged file is left out; every property is a column without a gap."""
    assert values["label"].tolist() == [0, 1, 0]
    assert set(values) == {"label", "group", *(each.name for each in (*NUMBERS, *CATEGORIES))}
    assert not values.isna().any().any()


def test_property_values_of_a_file_are_its_own(values, homes):
    """Format, storage, shape, size in bytes and margin."""
    assert values["file_format"].tolist() == ["PNG", "JPEG", "PNG"]
    assert values["storage"].tolist() == ["8-bit gray", "8-bit color", "16-bit gray"]
    assert values["aspect"].tolist() == [0.8, 2.0, 1.0]
    assert values["file_size"].tolist() == [(homes / name).stat().st_size for name in ("a.png", "b.jpg", "c.png")]
    assert values["white_border"].tolist() == pytest.approx([0.1, 0, 0])
    assert values["black_border"].tolist() == [0, 0, 0]
