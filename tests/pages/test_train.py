"""The page *Train*: one submitted form starts one run, which is then what the page shows."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from threading import Barrier, BrokenBarrierError

import pytest
import streamlit as st

from fracture.app.train import cost as train_cost
from fracture.app.train import form as train_form
from fracture.app.train.form import NO_IMAGENET
from fracture.app.train.settings import GROUPS
from fracture.errors import RunError
from fracture.files import write_json
from fracture.paths import data_home
from fracture.registry.model_folder import model_folder
from fracture.training.config import PRESETS, TrainConfig
from fracture.training.runs import queue
from tests.pages.test_pages import alone, healthy, watching, words
from tests.support.widgets import by_key, keys_of


@pytest.fixture
def nothing_spawned(monkeypatch):
    """Runs are queued and started on disk, without a process."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)


@pytest.fixture
def session():
    """An empty session state, for functions of a page that are called without the page."""
    st.session_state.clear()
    yield
    st.session_state.clear()


def form():
    """The page as a visitor has it who has chosen small weights; each call is a session of its own."""
    app = alone("train").run()
    if not keys_of(app.selectbox, "weights"):  # somebody's run is at work, and the page shows it
        open_view(app, "New")
    return healthy(app.selectbox(key="weights").set_value("bundled-8bit").run())


def open_view(app, view):
    """Choose the form of a new run, or the runs."""
    return by_key(app.segmented_control, "train view").set_value(view).run()


def choose_card(app, card):
    return healthy(app.button(key=f"preset {card}").click().run())


def names():
    return sorted(run.name for run in queue.runs() if not run.folder.bundled)


def test_form_says_what_the_run_will_cost(home_with_data):
    """Time and memory, before it starts; TensorFlow needs more. The time stands once: on the card of a preset."""
    app = form()
    assert re.search(r"^(:\S+: )?0\.4 GB of memory on this machine\.", words(app), re.MULTILINE)
    app.selectbox(key="weights").set_value("bundled").run()
    assert re.search(r"^(:\S+: )?1\.\d GB of memory on this machine\.", words(healthy(app)), re.MULTILINE)
    assert re.search(r"About .+ and 1\.\d GB of memory on this machine\.", words(choose_card(app, "custom")))


def test_cards_say_how_long_each_preset_will_take(home_with_data):
    """Each with the settings as they would run here: a head by small weights, too, does not change fine-tuning."""
    app = form()
    head, fine_tune = (float(minutes) for minutes in re.findall(r"About (\d+) (?:seconds|minutes?) here", words(app)))
    assert head > 0 and fine_tune > 0
    assert "Custom" in {button.label for button in app.button}


def test_card_of_a_preset_starts_the_run_by_its_settings(home_with_data, nothing_spawned):
    """What was set under Custom before counts there alone."""
    app = choose_card(form(), "custom")
    app.number_input(key="reference epochs").set_value(7).run()
    choose_card(app, "fine-tune")
    assert not keys_of(app.number_input, "fine-tune epochs")
    healthy(by_key(app.button, "start").click().run())
    config = queue.find_run(model_folder("drawn-1")).config
    assert config["weights"] == "imagenet"
    assert {name: config[name] for name in PRESETS["fine-tune"]} == PRESETS["fine-tune"]


def test_custom_card_opens_every_setting_once(home_with_data):
    """Each has a widget in one of four groups, and a sentence on what it does and in which direction."""
    app = choose_card(healthy(alone("train").run()), "custom")
    assert [tab.label for tab in app.tabs] == list(GROUPS)
    healthy(app.segmented_control(key="mode").set_value("fine-tune").run())
    offered = {each.key for each in (*app.number_input, *app.selectbox)}
    settings = [field.name for field in fields(TrainConfig) if field.metadata and field.name not in ("weights", "mode")]
    assert offered >= {f"fine-tune {name}" for name in settings}
    assert sorted(settings) == sorted(name for group in GROUPS.values() for name in group)
    assert "A higher one learns faster, and makes the loss jump where it is too high." in words(app)


def test_page_opens_with_a_run_that_is_linked_or_at_work(home_with_data, nothing_spawned):
    """Otherwise with the form; a choice between them stays."""
    assert keys_of(alone("train").run().button, "start")
    healthy(by_key(form().button, "start").click().run())
    app = healthy(alone("train").run())
    assert app.selectbox(key="run").value == "drawn-1" and not keys_of(app.button, "start")
    open_view(app, "New")
    assert keys_of(healthy(app.run()).button, "start")
    assert not keys_of(healthy(watching("drawn-1")).button, "start")


def test_form_of_a_machine_that_cannot_be_measured_starts_runs_all_the_same(
    home_with_data, nothing_spawned, monkeypatch
):
    """No line, and no error."""

    def refuse():
        raise RunError("no")

    monkeypatch.setattr(train_cost, "machine_speed", refuse)
    app = form()
    assert "on this machine" not in words(app)
    healthy(by_key(app.button, "start").click().run())
    assert names() == ["drawn-1"]


def test_start_pressed_twice_starts_one_run(home_with_data, nothing_spawned):
    """A second press on the same form starts nothing and shows no error; the page shows the one run."""
    app = form()
    by_key(app.segmented_control, "train view").set_value("New")  # which the second press sends as it was drawn
    start = by_key(app.button, "start").click()
    start.run()
    app = healthy(start.run())
    assert names() == ["drawn-1"]
    assert app.selectbox(key="run").value == "drawn-1"


def test_a_second_press_while_the_run_is_being_started_starts_nothing(
    home_with_data, session, nothing_spawned, monkeypatch
):
    """Streamlit lets the script of the first press go on in its thread, beside that of the second."""
    both, start = Barrier(2), queue.start

    def start_beside_another(*args, **options):
        with suppress(BrokenBarrierError):
            both.wait(timeout=1)
        return start(*args, **options)

    monkeypatch.setattr(queue, "start", start_beside_another)
    config = TrainConfig(data=str(home_with_data / "data" / "drawn"), name="drawn-1", weights="bundled-8bit")
    # The same for both presses. Here no script ends at its next call, so that both might make their own.
    train_form.press_lock(), train_form.submissions()
    with ThreadPoolExecutor() as threads:
        presses = [threads.submit(train_form._start, 0, config, unique_name=True) for _ in range(2)]
        for press in presses:
            press.result()
    assert names() == ["drawn-1"]
    assert train_form.submissions().number == 1


def test_start_on_the_next_form_starts_the_next_run(home_with_data, nothing_spawned):
    """After a start the form proposes another name, keeps the other settings, and starts again."""
    app = choose_card(form(), "custom")
    app.number_input(key="reference epochs").set_value(7)
    healthy(by_key(app.button, "start").click().run())
    open_view(app, "New")
    assert app.number_input(key="reference epochs").value == 7
    healthy(by_key(app.button, "start").click().run())
    assert names() == ["drawn-1", "drawn-2"]
    assert {run.config["epochs"] for run in queue.runs() if run.name in names()} == {7}
    assert app.selectbox(key="run").value == "drawn-2"


def test_start_in_two_sessions_with_the_proposed_name_starts_two_runs(home_with_data, nothing_spawned):
    """Two sessions that were proposed the same name get a run each, and see it."""
    first, second = form(), form()
    for app in (first, second):
        healthy(by_key(app.button, "start").click().run())
    assert names() == ["drawn-1", "drawn-2"]
    assert [app.selectbox(key="run").value for app in (first, second)] == ["drawn-1", "drawn-2"]


def test_start_with_an_invalid_name_keeps_the_form(home_with_data, nothing_spawned):
    """The form shows the error, keeps the input, and starts once the name is valid."""
    app = form()
    by_key(app.text_input, "name").set_value("../escape").run()
    by_key(app.button, "start").click().run()
    assert "name must be" in app.error[0].value and names() == []
    assert by_key(app.text_input, "name").value == "../escape"
    by_key(app.text_input, "name").set_value("typed").run()
    healthy(by_key(app.button, "start").click().run())
    assert names() == ["typed"]


@pytest.fixture
def offline(monkeypatch):
    """The ImageNet weights can't be had."""
    monkeypatch.setattr("fracture.training.imagenet.available", lambda *_: False)


def test_weights_with_imagenet_available_default_to_imagenet(home_with_data):
    """Both presets propose imagenet without a message."""
    app = healthy(alone("train").run())
    for preset in ("reference", "fine-tune"):
        choose_card(app, preset)
        assert app.selectbox(key="weights").value == "imagenet"
        assert NO_IMAGENET not in words(app)


def test_weights_with_imagenet_missing_default_to_bundled(home_with_data, offline):
    """The form says why as long as imagenet is chosen or would be the default."""
    app = healthy(alone("train").run())
    assert app.selectbox(key="weights").value == "bundled" and NO_IMAGENET in words(app)
    for chosen in ("imagenet", "none"):
        healthy(app.selectbox(key="weights").set_value(chosen).run())
        assert (NO_IMAGENET in words(app)) == (chosen == "imagenet")


def lacking(name, **more):
    """A run that failed because the ImageNet weights could not be had."""
    folder = model_folder(name)
    folder.path.mkdir(parents=True)
    config = TrainConfig(data=str(data_home() / "drawn"), name=name, epochs=5).to_json()
    status = {"state": "failed", "config": config, "started": 1.0, "error": "No weights.", "error_type": "WeightsError"}
    write_json(folder.status, {**status, **more})
    return folder


def test_restart_of_a_run_without_weights_starts_one_run_with_bundled(home_with_data, nothing_spawned):
    """A new run gets the same settings, and one click starts one run; Resume, which would fail again, is missing."""
    lacking("drawn-1")
    app = healthy_but_for(watching("drawn-1"), "No weights.")
    assert not keys_of(app.button, "resume")
    by_key(app.segmented_control, "train view").set_value("Runs")  # which the second press sends as it was drawn
    app.selectbox(key="run").set_value("drawn-1")
    again = app.button(key="restart drawn-1 0").click()
    assert healthy(again.run()).selectbox(key="run").value == "drawn-2"
    again.run()
    assert names() == ["drawn-1", "drawn-2"]
    config = queue.find_run(model_folder("drawn-2")).config
    assert (config["weights"], config["epochs"]) == ("bundled", 5)


def test_run_without_weights_but_with_a_checkpoint_offers_resume_and_restart(home_with_data, nothing_spawned):
    """Where a restart would lose epochs, the page offers Resume beside it."""
    lacking("drawn-1").checkpoint.write_bytes(b"epochs")
    app = healthy_but_for(watching("drawn-1"), "No weights.")
    assert keys_of(app.button, "resume") == ["resume drawn-1"]
    assert app.button(key="restart drawn-1 0")


def test_run_that_failed_for_another_reason_offers_resume(home_with_data, nothing_spawned):
    """The page offers Resume, also for a run of a version that did not record the kind of error."""
    lacking("drawn-1", error_type="DatasetError")
    lacking("drawn-2", error_type=None)
    app = healthy_but_for(watching("drawn-1"), "No weights.")
    for name in ("drawn-1", "drawn-2"):
        app.selectbox(key="run").set_value(name).run()
        assert keys_of(app.button, "resume") == [f"resume {name}"]
        assert not keys_of(app.button, f"restart {name}")


def healthy_but_for(app, error):
    assert not app.exception and [each.value for each in app.error] == [error]
    return app
