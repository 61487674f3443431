"""The page *Home*: what is being made at this moment, whoever began it."""

import re
import time

import pytest

from fracture import demo, sample_radiographs
from fracture.errors import DatasetError
from fracture.files import write_json
from fracture.importers import job
from fracture.importers.download import Progress
from fracture.jobs.process import identity
from fracture.paths import data_home
from fracture.phantoms import job as drawing
from fracture.registry.model_folder import model_folder
from fracture.training.config import TrainConfig
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key


def generate(name, done=3):
    """Phantoms that are being generated, as their process says."""
    root = data_home() / name
    root.mkdir()
    current = drawing.PhantomJob(root, drawing.Plan(patients=12), done, 3 * done, working=True)
    drawing.save(current, **identity())
    return current


def fetch(name):
    """An import at work."""
    root = data_home() / name
    root.mkdir()
    progress = Progress(files=30, total_files=200, bytes=3_100_000)
    order = job.Order("fracatlas", {"images": 200, "seed": 1})
    job.IMPORT.write(root, job.ImportStatus.of(order, progress, **identity()))


def train(name, state="running"):
    """A run at work, of which no epoch is done, or one in the queue."""
    folder = model_folder(name)
    folder.path.mkdir(parents=True)
    config = TrainConfig(data="drawn", name=name, weights="none").to_json()
    process = identity() if state == "running" else {}
    write_json(folder.status, {"state": state, "config": config, "started": time.time(), **process})
    return folder


def bars(app):
    return [each.proto.text for each in app.get("progress")]


@pytest.mark.parametrize("in_public", ["", "1"])
def test_home_lists_all_that_is_being_made(homes, monkeypatch, in_public):
    """A run, one in the queue, phantoms and an import: each with its progress, in a public demo likewise."""
    monkeypatch.setenv(demo.VARIABLE, in_public)
    train("first")
    train("second", "queued")
    generate("phantoms")
    fetch("fracatlas")
    app = healthy(alone("home").run())
    assert "Running now" in [each.value for each in app.header]
    assert bars(app) == [
        "Training: Starting",
        "Training: in the queue",
        "Importing: 30 of 200 files, 3.1 MB",
        "Generating: 3 of 12 patients",
    ]
    for name in ("first", "second", "phantoms", "fracatlas"):
        assert f"Watch {name}" in words(app)


def test_home_does_not_list_what_was_interrupted(homes):
    """Neither phantoms whose process is gone, nor a run that has ended."""
    current = generate("phantoms")
    drawing.save(current, ended=True)
    train("stopped", "stopped")
    app = healthy(alone("home").run())
    assert not bars(app) and "Running now" not in [each.value for each in app.header]


def test_home_speaks_of_a_first_run_only_where_there_is_one(homes):
    """Phantoms that are being generated are none."""
    generate("phantoms")
    assert "No run has finished yet." in words(healthy(alone("home").run()))
    train("first")
    assert "The first run is not finished yet." in words(healthy(alone("home").run()))


def test_home_follows_what_ends(homes):
    """The list is read anew with each run of its fragment, and goes with the last thing in it."""
    current = generate("phantoms")
    app = healthy(alone("home").run())
    assert bars(app) == ["Generating: 3 of 12 patients"]
    drawing.save(drawing.PhantomJob(current.root, current.plan, 12, 36, working=False), ended=True)
    healthy(app.run())
    assert not bars(app) and "Running now" not in [each.value for each in app.header]


@pytest.mark.slow
def test_home_shows_an_xray_with_its_answer(as_cloned):
    """Without a click: a real radiograph, the bundled model's answer, and a bar; another one on request."""
    app = healthy(alone("home").run())
    assert "home sample" not in app.session_state
    assert app.metric[0].value.startswith(":orange[Fractured] · ")
    assert re.search(r"Below [\d.]+% \(high sensitivity\) it answers .*, from [\d.]+% \(high specificity\)", words(app))
    by_key(app.button, "another sample").click()
    following = healthy(app.run())
    assert following.session_state["home sample"] != sample_radiographs.FIRST


@pytest.mark.slow
def test_home_tells_the_truth_on_request(as_cloned):
    """What the readers of the data set decided is hidden until a click."""
    app = healthy(alone("home").run())
    assert "FracAtlas's readers" not in words(app)
    by_key(app.toggle, "home truth").set_value(True)
    assert "FracAtlas's readers: fractured, in the yellow boxes." in words(healthy(app.run()))


@pytest.mark.slow
def test_home_draws_no_heat_map_and_no_boxes_without_an_answer(as_cloned, monkeypatch):
    """An X-ray that the model doesn't know is shown as it is; an answered one has boxes, and a caption on them."""
    app = healthy(alone("home").run())
    assert "Boxes are candidate regions: solid from a probability of 25.6% on, dashed from 3.6%." in words(app)
    monkeypatch.setattr("fracture.app.home.reading.heated", lambda *_: pytest.fail("a heat map without an answer"))
    app.session_state["home sample"] = "IMG0000215.jpg"
    said = words(healthy(app.run()))
    assert "Boxes are candidate regions" not in said and "out of distribution" in said
    assert app.toggle(key="home heat map").disabled


def test_home_with_unreadable_samples_shows_a_sentence(as_cloned, monkeypatch):
    """And all that follows on the page."""

    def refuse():
        raise DatasetError("dataset.csv has no column image.")

    monkeypatch.setattr(sample_radiographs, "sample_radiographs", refuse)
    app = alone("home").run()
    assert not app.exception and "dataset.csv has no column image" in app.error[0].value.replace("\\", "")
    assert "**1 · Explore data.**" in words(app)


def test_home_without_the_bundled_model_has_no_xray(homes):
    """A deployment may leave the model out: the page then begins with the three steps."""
    app = healthy(alone("home").run())
    assert not app.metric and "There is no model yet" in words(app)
