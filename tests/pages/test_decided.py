"""What pages show of decisions that were made elsewhere."""

import pytest

from fracture.app import loads
from fracture.data.curation import decide
from fracture.data.dataset import scan
from tests.drawing import draw_mura
from tests.pages.test_pages import alone, healthy, words


@pytest.fixture
def data(homes):
    """A data set in the data home."""
    return draw_mura(homes / "data" / "MURA-v1.1")


def test_what_is_decided_above_shows_at_once(data):
    """A part of a tree is looked at, and somebody decides about the tree."""
    part = scan(data / "train")
    shown = loads.catalogue(part)
    decide(data, ["train/" + shown["image_id"][0]], "exclude")
    assert (shown["decision"] == "none").all()
    assert loads.catalogue(part)["decision"].tolist() == ["exclude", *shown["decision"][1:]]


def test_all_may_be_excluded(data):
    """That nothing is left is a finding, and all can still be looked at."""
    decide(data, scan(data).table["image_id"], "exclude")
    app = healthy(alone("dataset").run())
    assert "must be left" in words(app) and ":orange-badge" in words(app)
