"""The page of a run, from what lies in the run's folder."""

import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from fracture.files import write_json
from fracture.jobs import process
from fracture.registry.model_folder import ModelFolder, model_folder, read_object
from fracture.training.config import TrainConfig
from fracture.training.events import EventLog
from fracture.training.runs import queue
from tests.pages.test_pages import alone, healthy, words

DATA = {"images": 20, "training": 12, "validation": 8, "positives": 9, "label_names": ["normal", "abnormal"]}


@pytest.fixture
def running(homes, drawn) -> ModelFolder:
    """A run of three epochs that is at work, in this process, and has said nothing yet."""
    folder = model_folder("first")
    folder.path.mkdir(parents=True)
    config = TrainConfig(data=str(drawn), name="first", weights="none", epochs=3).to_json()
    status = {"state": "running", "config": config, "started": time.time(), **process.identity()}
    write_json(folder.status, status)
    return folder


def say(folder: ModelFolder, *events: dict) -> None:
    log = EventLog(folder.events)
    for event in events:
        log(**event)
    log.close()


def look(epoch: int, *probabilities: float) -> dict:
    return {"kind": "look", "epoch": epoch, "confusion": [4, 0, 0, 4], "probabilities": list(probabilities)}


def test_followed_image_after_two_epochs_shows_probability_arrow_and_truth(running, drawn):
    """Each probability names its label; a sign, not color alone, marks correct and wrong."""
    paths = [str(path) for path in sorted(drawn.rglob("*.png"))[:2]]
    followed = {"kind": "followed", "image_ids": ["a", "b"], "paths": paths, "labels": [0, 1]}
    say(running, {"kind": "data", **DATA, "problems": []}, followed, look(1, 0.62, 0.4), look(2, 0.46, 0.4))
    said = words(healthy(alone("train").run()))
    assert re.findall(r"(\w+) \*\*(\d+%)\*\* (.)", said) == [("abnormal", "46%", "↓"), ("abnormal", "40%", "→")]
    assert re.findall(r":material/(\w+):\] truth: (\w+)", said) == [("check", "normal"), ("close", "abnormal")]


EPOCH = {"kind": "epoch", "epoch": 1, "epochs": 3, "seconds": 1.0, "loss": 0.5, "val_loss": 0.4}


@pytest.mark.parametrize(("held_out", "part"), [({}, "validation"), ({"selection": 5}, "selection")])
def test_run_names_the_images_that_choose_its_epoch(running, held_out, part):
    """The validation images, as events of earlier versions mean, or those that are held out."""
    say(running, {"kind": "data", **DATA, **held_out, "problems": []}, EPOCH, look(1, 0.6))
    said = words(healthy(alone("train").run()))
    assert f"best epoch, by lowest {part} loss" in said and f"All {part} images after epoch 1" in said
    assert ("5 selection images, held out of training" in said) == bool(held_out)
    assert ("the validation images are evaluated once" in said) == bool(held_out)


KEPT = {"kind": "kept", "epoch": 2}


def test_run_with_a_stop_request_is_shown_as_stopping(running):
    """Train, Models and Home show *stopping* until the run has ended."""
    say(running, {"kind": "data", **DATA, "problems": []})
    app = healthy(alone("train").run())
    assert badge(app) == "running"
    queue.request_stop(queue.find_run(running))
    app.run()
    assert badge(app) == "stopping" and "Stopping after this step" in words(app)
    say(running, KEPT, {"kind": "step", "text": "Making the served graph"})
    said = words(healthy(app.run()))
    assert badge(app) == "stopping"
    assert "Stopping: saving the best epoch (2)" in said and "Making the served graph" in said
    assert list(healthy(alone("models").run()).dataframe[0].value["State"]) == ["stopping"]
    home = healthy(alone("home").run())
    assert home.get("progress")[0].proto.text.startswith("Training: Stopping: saving the best epoch")
    write_json(running.status, {**read_object(running.status), "state": "stopped"})
    assert badge(healthy(alone("train").run())) == "stopped"


@pytest.mark.parametrize("ended", [[{"kind": "end", "state": "stopped", "seconds": 4.0}], []])
def test_resumed_run_before_its_first_event_shows_the_first_stage(running, monkeypatch, ended):
    """Until its process reports, the page does not show the stage at which the run ended, by a stop or by a kill."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)
    say(running, {"kind": "data", **DATA, "problems": []}, KEPT, *SAVING, *ended)
    write_json(running.status, {**read_object(running.status), "state": "stopped", "pid": 0})
    app = healthy(alone("train").run())
    healthy(app.button(key="resume first").click().run())
    [bar] = app.get("progress")
    assert badge(app) == "running" and bar.proto.text.startswith("0% of the run")
    assert "Starting" in words(app) and "Saving the model" not in words(app)
    say(running, {"kind": "step", "text": "Reading the data set", "stage": "read"})
    assert "Reading the data set" in words(healthy(app.run()))


SAVING = [{"kind": "step", "text": "Saving the model", "stage": "save"}]


def badge(app: AppTest) -> str:
    """The state of the run that is shown."""
    found = re.search(r":[a-z]+-badge\[(\w+)\]", words(app))
    assert found, words(app)
    return found[1]


def test_active_run_in_the_middle_shows_its_stages_and_one_bar(running):
    """The stages are marked as done, current or pending, and one bar shows the share of the run."""
    say(running, {"kind": "data", **DATA, "problems": []})
    numbers = {"stage": "evaluate", "text": "Running the model on all images", "total": 1593}
    say(running, KEPT, {"kind": "step", **numbers, "done": 0}, {"kind": "step", **numbers, "done": 512})
    app = healthy(alone("train").run())
    said = words(app)
    assert "Running the model on all images: 512 of 1,593" in said
    stages = re.findall(r":material/(check_circle|arrow_circle_right|circle):\]? \**(\w+)", said)
    assert stages == [
        ("check_circle", "Read"),
        ("check_circle", "Features"),
        ("check_circle", "Train"),
        ("arrow_circle_right", "Evaluate"),
        ("circle", "Save"),
    ]
    bars = app.get("progress")
    assert len(bars) == 1 and re.match(r"\d+% of the run", bars[0].proto.text)
