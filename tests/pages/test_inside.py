"""The page *Inside the network*."""

import pytest

from fracture.app.network.passes import CHANNELS
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key


@pytest.fixture
def inside(homes, make_model):
    """The page with a small model, on a sample."""
    make_model("first")
    return healthy(alone("inside").run())


def pictures(app, start):
    """The alternative texts of the pictures that begin so."""
    alts = [each.alt for image in app.image for each in image.proto.imgs]
    return [alt for alt in alts if alt.startswith(start)]


def test_inside_shows_input_maps_and_the_served_logit(inside):
    """At once, without a click."""
    assert "75 × 75 px, gray, stretched from" in words(inside)
    assert "the served model's" in words(inside)
    assert len(pictures(inside, "Feature map of channel")) == CHANNELS


def test_another_block_shows_its_maps(inside):
    """As far as the last one, whose channels make the logit."""
    healthy(inside.select_slider(key="network block").set_value("mixed10").run())
    assert "Mixed10: 2,048 channels of 1 × 1 cells" in words(inside)


def test_inside_without_a_model_leads_to_training(homes):
    """A hint instead of an error."""
    assert "There is no trained model yet" in words(healthy(alone("inside").run()))


def test_validation_image_of_the_model_says_its_label(inside):
    """Where the data set is on this machine."""
    healthy(inside.segmented_control(key="network source").set_value("Model's data").run())
    assert by_key(inside.selectbox, "validation image").value
    assert "Truth: normal" in words(inside) or "Truth: abnormal" in words(inside)


def test_upload_is_asked_for(inside):
    """And nothing is computed before there is one."""
    healthy(inside.segmented_control(key="network source").set_value("Upload").run())
    assert "Choose an X-ray" in words(inside)
    assert not pictures(inside, "Feature map of channel")
