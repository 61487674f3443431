"""The pages of a public demo: what is not offered, what a visitor may do, and to what."""

import json
from dataclasses import replace

import pytest

from fracture import demo as public_demo
from fracture.files import write_json
from fracture.phantoms.job import find_phantom_job
from fracture.registry.model_folder import model_folder
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.pages.test_pages import PAGES, alone, healthy, watching, words
from tests.support.waiting import wait
from tests.support.widgets import by_key, keys_of, open_tab

OTHER = public_demo.Policy("another visitor's word")


@pytest.fixture
def demo(home_with_data, make_model, monkeypatch):
    """A public demo with a data set and a model that came with it, on a machine that is large enough."""
    make_model("came")
    monkeypatch.setenv(public_demo.VARIABLE, "1")
    monkeypatch.setattr(
        public_demo,
        "LIMITS",
        replace(public_demo.LIMITS, min_memory_mb=dict.fromkeys(public_demo.LIMITS.min_memory_mb, 0)),
    )
    return home_with_data


@pytest.fixture
def nothing_spawned(monkeypatch):
    monkeypatch.setattr(queue, "_spawn", lambda _: None)


def button(app, label):
    return next(each for each in app.button if each.label == label)


def labels(app):
    return {each.label for each in (*app.button, *app.selectbox, *app.text_input, *app.checkbox, *app.file_uploader)}


@pytest.mark.parametrize("page", PAGES)
def test_page_with_data_and_model_draws(demo, page):
    """Each page draws; the pages of features refuse data that are not the demo's own."""
    app = alone(page)
    app.session_state["features"] = "came"
    app.run()
    if page in ("playground", "leakage", "shortcuts", "map"):
        assert not app.exception
        assert "only its own data sets" in words(app)
    else:
        healthy(app)


@pytest.mark.parametrize("page", PAGES)
def test_page_without_data_and_models_draws(homes, monkeypatch, page):
    """Each page draws, and none shows a path of the server."""
    monkeypatch.setenv(public_demo.VARIABLE, "1")
    assert str(homes) not in words(healthy(alone(page).run()))


def test_form_in_the_demo_offers_what_is_allowed(demo):
    """The form offers the head only, named weights and data sets and limited numbers, and says why."""
    app = healthy(alone("train").run())
    assert "trains the head only" in words(app) and "deletes the model after 24 hours" in words(app)
    assert keys_of(app.button, "preset") == ["preset reference", "preset custom"]
    healthy(app.button(key="preset custom").click().run())
    assert not keys_of(app.segmented_control, "mode") and not keys_of(app.selectbox, "pixel range")
    assert app.selectbox(key="weights").options == list(public_demo.LIMITS.min_memory_mb)
    assert app.number_input(key="reference epochs").max == public_demo.LIMITS.max_values["epochs"]
    assert app.number_input(key="reference image_size").max == public_demo.LIMITS.max_values["image_size"]
    for key in ("weights", "data"):
        assert not app.selectbox(key=key).proto.accept_new_options


def test_form_on_a_machine_that_is_too_small_offers_no_run(demo, monkeypatch):
    """The page says so before anything is chosen; models can still classify."""
    memory = dict.fromkeys(public_demo.LIMITS.min_memory_mb, 10**9)
    monkeypatch.setattr(public_demo, "LIMITS", replace(public_demo.LIMITS, min_memory_mb=memory))
    app = healthy(alone("train").run())
    assert "A run needs a machine with" in words(app) and not keys_of(app.button, "start")
    assert "no trained model" not in words(healthy(alone("classify").run()))
    monkeypatch.setattr(public_demo, "LIMITS", replace(public_demo.LIMITS, min_memory_mb={**memory, "bundled-8bit": 0}))
    assert healthy(alone("train").run()).selectbox(key="weights").options == ["bundled-8bit"]


@pytest.mark.parametrize("page", ["data", "train"])
def test_address_with_a_path_is_refused(demo, page):
    """The page says what is allowed, and chooses nothing."""
    app = alone(page)
    app.query_params["data"] = "../models"
    app.run()
    assert not app.exception and "by their names. Received: ../models" in words(app).replace("\\", "")
    assert app.selectbox(key="data").value is None


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["/etc", "../models", "models"])
def test_choice_outside_the_options_is_refused(demo, typed):
    """A value that a browser sends beside the options falls back to one of them."""
    app = alone("data")
    app.session_state["data"] = typed
    app.run()
    assert not app.exception
    assert app.selectbox(key="data").value == str(demo / "data" / "drawn")


@pytest.mark.slow
def test_data_set_in_the_demo_is_read_only(demo):
    """There is no decision, no export, no zip and no token, and the page says why."""
    app = healthy(open_tab(alone("data"), "Decisions and export"))
    assert public_demo.NOT_OFFERED["decisions"] in words(app) and public_demo.NOT_OFFERED["export"] in words(app)
    open_tab(app, "Images")
    assert not app.checkbox and not {"Export", "Exclude", "Undo"} & labels(app)
    healthy(app.button(key="phantom dialog").click().run())
    assert app.number_input(key="phantom patients").max == public_demo.LIMITS.max_patients
    healthy(app.button(key="import dialog").click().run())
    assert app.number_input(key="fracatlas images").max == public_demo.LIMITS.max_imported_images
    assert public_demo.NOT_OFFERED["kaggle"] in words(app) and public_demo.NOT_OFFERED["zip"] in words(app)
    assert not app.file_uploader and not {"Unpack", "API token"} & labels(app)
    next(each for each in app.button if str(each.key).startswith("open ")).click().run()
    assert "**Split**" in words(healthy(app)) and "This view" not in words(app)


@pytest.mark.slow
def test_phantoms_in_the_demo_belong_to_their_visitor(demo):
    """The page says whose they are and how long they stay."""
    app = healthy(alone("data").run())
    app.button(key="phantom dialog").click().run()
    app.number_input(key="phantom patients").set_value(2)
    healthy(app.button(key="generate phantoms").click().run())
    root = demo / "data" / "phantoms-1"
    assert wait(lambda: find_phantom_job(root).state == "complete")
    assert "Yours, in this browser tab and by your resume link. The demo deletes it within 24 hours" in words(
        healthy(app.run())
    )
    other = alone("data")
    other.query_params["data"] = "phantoms-1"
    assert "Made by another visitor" in words(healthy(other.run()))


@pytest.mark.slow
def test_run_in_the_demo_is_controlled_by_its_visitor_only(demo, nothing_spawned):
    """The visitor who started it has the buttons; another tab has none, and its own run waits in the queue."""
    app = healthy(alone("train").run())
    by_key(app.text_input, "name").set_value("mine")
    by_key(app.button, "start").click().run()
    assert keys_of(healthy(app).button, "stop") and "Yours, in this browser tab" in words(app)
    by_key(app.segmented_control, "train view").set_value("New").run()
    by_key(app.text_input, "name").set_value("second")
    by_key(app.button, "start").click().run()
    assert "one run at a time" in app.error[0].value
    other = healthy(watching("mine"))
    assert not keys_of(other.button, "stop") and "Made by another visitor" in words(other)
    other = healthy(alone("train").run())
    by_key(other.text_input, "name").set_value("theirs")
    by_key(other.button, "start").click().run()
    assert queue.find_run(model_folder("theirs")).state == "queued"
    assert keys_of(healthy(other).button, "stop")
    by_key(app.segmented_control, "train view").set_value("Runs").run()
    by_key(app.button, "stop").click().run()
    assert model_folder("mine").stop_request.exists()


def test_start_with_the_proposed_name_in_two_tabs_has_no_error(demo, nothing_spawned):
    """Two tabs that were proposed the same name get a run each."""
    first, second = (healthy(alone("train").run()) for _ in range(2))
    assert [by_key(app.text_input, "name").value for app in (first, second)] == ["drawn-1", "drawn-1"]
    for app, name in ((first, "drawn-1"), (second, "drawn-2")):
        healthy(by_key(app.button, "start").click().run())
        assert not app.error and queue.find_run(model_folder(name)).state in ("running", "queued")


def test_delete_of_the_models_of_others_is_not_offered(demo, make_model):
    """A visitor can delete only their own models."""
    OTHER.sign(make_model("theirs").path)
    app = alone("models")
    app.session_state["model tab"] = "Card"
    app.run()
    for name in ("came", "theirs"):
        shown = healthy(app.multiselect(key="runs").set_value([name]).run())
        assert not keys_of(shown.button, "delete")
    public_demo.Policy(app.session_state["visitor"]).sign(make_model("mine").path)
    app.run()
    healthy(app.multiselect(key="runs").set_value(["mine"]).run())
    by_key(app.button, "delete").click().run()
    assert not app.exception and not model_folder("mine").path.exists() and model_folder("theirs").usable


def test_models_of_other_visitors_come_last(demo, make_model):
    """Another visitor's model is never the default, even if it is the newest."""
    OTHER.sign(make_model("theirs").path)
    options = healthy(alone("classify").run()).selectbox(key="model").options
    assert [each.split(" · ")[0] for each in options] == ["came", "theirs"]


def test_page_when_opened_deletes_expired_runs(demo):
    """A run that a visitor left a day ago is gone."""
    folder = model_folder("old")
    folder.path.mkdir()
    chosen = TrainConfig(data="drawn", name="old", weights="none").to_json()
    write_json(folder.status, {"state": "failed", "config": chosen, "started": 1.0})
    OTHER.sign(folder.path)
    healthy(alone("home").run())
    assert folder.path.exists()
    mark = json.loads((folder.path / public_demo.OWNER_FILE).read_text())
    write_json(
        folder.path / public_demo.OWNER_FILE,
        {**mark, "since": mark["since"] - public_demo.LIMITS.retention_seconds - 1},
    )
    healthy(alone("home").run())
    assert not folder.path.exists()
