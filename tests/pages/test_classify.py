"""*Classify*: real samples, answers that are hidden until a click, and the ways out for a refused picture."""

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fracture import sample_radiographs
from fracture.app.classify import samples, strip
from fracture.errors import RadiographError
from fracture.imaging.viewing.changes import PictureChanges
from tests.pages.test_pages import alone, as_png, choose_sample, healthy, words
from tests.support.not_radiographs import pictures
from tests.support.widgets import by_key, keys_of

FIRST = sample_radiographs.FIRST


@pytest.fixture
def app(as_cloned) -> AppTest:
    """*Classify* as cloned, asking the model that was validated on the samples."""
    page = alone("classify")
    page.session_state["chosen model"] = "fracatlas"
    return page


def test_real_sample_is_answered_and_its_truth_comes_on_request(app):
    """It is credited on the spot, and clearing it leads back to the choice."""
    choose_sample(app, FIRST)
    assert healthy(app).metric[0].value.startswith(":orange[Fractured] · ")
    assert f"**Leg** · X-ray: {sample_radiographs.CREDIT}" in words(app)
    assert "From 33.4% (high specificity) the answer is *fractured*." in words(app)
    assert "- From 33.4% (high specificity) the answer is *fractured*: sensitivity" in words(app)  # what this means
    truth = "**Truth:** fractured, as FracAtlas's readers decided."
    assert truth not in words(app)
    app.toggle(key=f"truth of {FIRST}").set_value(True).run()
    assert truth in words(healthy(app))
    app.button(key="clear sample").click().run()
    assert not healthy(app).metric


def test_hidden_answer_is_shown_at_a_click_and_hidden_for_the_next_one(app):
    """Nothing on the page tells the answer before, neither the caption nor a file."""
    app.session_state["hide answer"] = True
    choose_sample(app, FIRST)
    assert not healthy(app).metric and "99." not in words(app)
    assert not app.get("download_button") and not keys_of(app.button, "heat map")
    assert app.get("image")[0].captions[0] == r"IMG0003685.jpg"
    by_key(app.button, "show answer").click().run()
    assert healthy(app).metric and app.get("download_button")
    app.toggle(key="hide answer").set_value(False).run()
    app.toggle(key="hide answer").set_value(True).run()
    assert not healthy(app).metric


def test_link_opens_a_sample_with_its_answer_hidden(app):
    """As the start page's does; a name that is no sample's selects none."""
    app.query_params["sample"] = FIRST
    app.query_params["hide"] = "1"
    assert not healthy(app.run()).metric and keys_of(app.button, "show answer")
    assert not {"sample", "hide"} & set(app.query_params)
    other = alone("classify")
    other.query_params["sample"] = "../secret.jpg"
    assert "Choose a sample" in words(healthy(other.run()))


def test_link_shows_an_answer_where_the_last_one_was_hidden(app):
    """Read an X-ray means its answer, also after Beat the model."""
    app.session_state["hide answer"] = True
    app.query_params["sample"] = FIRST
    app.query_params["hide"] = "0"
    assert healthy(app.run()).metric


def test_heat_map_is_switched_off_for_all_pictures(app):
    """With it the regions go, and so does what is said of them."""
    choose_sample(app, FIRST)
    assert "Candidate regions" in words(healthy(app))
    app.button(key="heat map").click().run()
    assert "Candidate regions" not in words(healthy(app))
    app.button(key="heat map").click().run()
    assert "Candidate regions" in words(healthy(app))


def test_refused_picture_can_be_changed(app):
    """It keeps its sentence, and offers to crop, rotate and invert; a turned one can be undone."""
    photograph = next(picture for picture in pictures() if picture.kind == "photograph")
    app.run()
    app.file_uploader(key="uploads").set_value([("me.png", as_png(photograph.pixels), "image/png")]).run()
    assert "does not look like an X-ray" in words(healthy(app))
    assert keys_of(app.button, "crop study 1") and keys_of(app.button, "invert study 1")
    by_key(app.button, "rotate study 1").click().run()
    [made] = healthy(app).session_state["picture changes"].values()
    assert made == PictureChanges(quarter_turns=1)
    by_key(app.button, "undo changes").click().run()
    assert not keys_of(healthy(app).button, "undo changes")


def test_damaged_sample_is_left_out_of_the_strip(monkeypatch):
    """The other samples and the uploads stay."""

    def fail(*_):
        raise RadiographError("The file can't be read.")

    damaged = sample_radiographs.sample_radiographs()[0]
    tile = samples._real_tile(damaged)
    assert tile is not None and tile.identity == damaged.name
    monkeypatch.setattr(samples, "thumbnail", fail)
    assert samples._real_tile(damaged) is None


def test_strip_takes_only_what_it_offers(monkeypatch):
    """Another identity, which no strip sends, is ignored."""
    sent = {}
    monkeypatch.setattr(strip, "_strip", lambda **given: sent.update(given))
    chosen: list[str] = []
    tile = strip.Tile("a", "A", as_png(np.zeros((4, 4), np.uint8)))
    strip.show_strip([tile], "", chosen.append, wide=False)
    for picked in ("b", "a"):
        monkeypatch.setattr(
            strip.st, "session_state", {"sample strip": SimpleNamespace(get=lambda _, found=picked: found)}
        )
        sent["on_choose_change"]()
    assert chosen == ["a"]
    assert sent["data"]["tiles"][0]["name"] == "A"
