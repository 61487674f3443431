"""The pictures of the documentation."""

import pytest

from fracture.paths import PROJECT
from tests.browser.shown import DETAILS

DOCS = PROJECT / "docs"


@pytest.mark.parametrize("name", [place.name for place in DETAILS])
def test_picture_of_each_detail_is_shown_on_a_page(name):
    """What ``python -m tests.browser.pictures`` takes is committed, small, and stands in the documentation."""
    picture = DOCS / "pictures" / f"{name}.png"
    assert 0 < picture.stat().st_size < 100_000
    pages = [path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")]
    assert any(f"](pictures/{name}.png)" in page for page in pages)
