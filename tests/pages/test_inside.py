"""The page *Inside the network*."""

import re

import pytest

from fracture.app.network import exemplars
from fracture.app.network.passes import CHANNELS
from fracture.inference.classifier import Classifier
from fracture.paths import PROJECT
from fracture.registry.model_folder import ModelFolder
from fracture.sample_radiographs import sample_radiographs
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


def excited(app):
    """The alternative texts of the images that excite a channel."""
    return [alt for alt in pictures(app, "") if "which excites channel" in alt]


def opened(app, tab):
    """The page with another of its tabs."""
    app.session_state["network tab"] = tab
    return healthy(app.run())


def test_channels_add_up_to_the_logit_and_show_what_excites_them(inside, features):
    """Bars, the parts of the logit, and the training images, whose features are in the cache."""
    app = opened(inside, "Channels")
    assert len(app.get("plotly_chart")) == 1
    parts = re.search(r"Logit (\S+) = (\S+) of these 10 (\S+) of the other channels (\S+) bias\.", words(app))
    logit, *others = (float(each) for each in parts.groups())
    assert sum(others) == pytest.approx(logit, abs=0.002)
    assert re.search(r"Training images, \d+ in all, that excite channel \d+ most", words(app))
    assert len(excited(app)) == exemplars.SHOWN


def test_channels_without_cached_features_are_shown_on_other_images(inside):
    """The shipped synthetic images have features of the same backbone."""
    app = opened(inside, "Channels")
    assert re.search(r"Synthetic X-rays, [\d,]+ in all, that excite channel \d+ most", words(app))


def test_another_weight_moves_logit_and_map(inside):
    """By the weight's change times the mean of that channel, and back."""
    app = opened(inside, "Class-activation map")
    before = float(app.metric[0].value)
    slider = by_key(app.slider, "weight of channel")
    healthy(slider.set_value(slider.max).run())
    assert float(app.metric[0].value) > before
    assert app.metric[0].delta.startswith("+") and app.metric[0].delta != "+0.000"
    assert "The logit is the mean of the map plus the bias" in words(app)
    healthy(app.button(key="reset weight").click().run())
    assert float(app.metric[0].value) == before


def test_patch_slides_over_the_image(inside):
    """The occlusion map appears beside the class-activation map, and stays when the page is drawn again."""
    app = opened(inside, "Occlusion")
    assert pictures(app, "The X-ray, not covered yet")
    healthy(app.button(key="slide patch").click().run())
    assert pictures(app, "Occlusion map") and pictures(app, "Class-activation map")
    assert "Covered at one of 100 places" in words(app)
    assert pictures(healthy(app.run()), "Occlusion map")


def test_exemplars_of_another_network_are_the_samples(homes):
    """Features of another backbone would show other things: the model is run on the samples itself."""
    folder = ModelFolder(PROJECT / "models" / "mura-humerus")
    found = exemplars.find_exemplars(Classifier(folder), folder)
    assert "samples" in found.origin and found.features.shape == (len(sample_radiographs()), 2048)
    (row, most), *_ = found.strongest(215)
    assert most == found.features[:, 215].max()
    assert row["image_id"] == sample_radiographs()[int(found.features[:, 215].argmax())].name
