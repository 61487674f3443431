"""Trainings as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fracture.classify.store import model_folder
from fracture.errors import DatasetError, RunError, WeightsError
from fracture.files import write_json
from fracture.learn import jobs
from fracture.learn.config import TrainConfig
from fracture.learn.events import read_events
from tests.waiting import wait


def config(drawn, **chosen) -> TrainConfig:
    return TrainConfig(
        **{"data": str(drawn), "name": "run", "weights": "none", "image_size": 75, "epochs": 2, **chosen}
    )


def ended(run):
    found = jobs.find_run(run.folder)
    return found if found and not found.active else None


def test_a_failure_is_a_sentence_in_the_runs_folder(homes, drawn):
    """What the user can put right reaches status and events as a sentence, and the name is free again."""
    with pytest.raises(WeightsError, match="weights must name a source"):
        jobs.start(config(drawn, weights="not/here.weights.h5"))
    with pytest.raises(DatasetError, match="no folder"):
        jobs.start(config(drawn, data="not/here"))
    run = jobs.start(config(drawn, data=str(homes / "data")))
    failed = wait(lambda: ended(run))
    assert failed.state == "failed"
    assert "must be one of" in failed.error
    end = read_events(run.folder.events)[0][-1]
    assert (end["kind"], end["state"], end["error"]) == ("end", "failed", failed.error)
    assert jobs.active_run() is None
    again = jobs.start(config(drawn, data=str(homes / "data")))
    assert wait(lambda: ended(again)).state == "failed"


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_a_training_can_be_stopped_and_only_one_runs(homes, drawn):
    """While one trains no other starts; a stop keeps the model learned so far."""
    run = jobs.start(config(drawn, epochs=1000))
    with pytest.raises(RunError, match="'run' is training now"):
        jobs.start(config(drawn, name="other"))
    wait(lambda: any(event["kind"] == "epoch" for event in read_events(run.folder.events)[0]))
    jobs.request_stop(run)
    assert wait(lambda: ended(run)).state == "stopped"
    assert run.folder.usable
    assert len(json.loads(run.folder.history.read_text())["loss"]) < 1000
    with pytest.raises(RunError, match="already"):
        jobs.start(config(drawn))


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_it_outlives_the_process_that_started_it_and_its_death_is_noticed(homes, drawn):
    """A training goes on when whoever started it ends; killed itself, its run is reported as failed."""
    chosen = json.dumps(config(drawn, epochs=1000).to_json())
    code = "import sys, json; from fracture.learn import jobs; from fracture.learn.config import TrainConfig; "
    code += "jobs.start(TrainConfig.from_json(json.loads(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", code, chosen], check=True)
    folder = model_folder("run")
    wait(lambda: any(event["kind"] == "epoch" for event in read_events(folder.events)[0]))
    assert jobs.find_run(folder).state == "running"
    os.kill(json.loads(folder.status.read_text())["pid"], signal.SIGKILL)
    died = wait(lambda: (run := jobs.find_run(folder)) and not run.active and run)
    assert died.state == "failed"
    assert "ended without a word" in died.error


def test_another_process_with_the_same_number_is_not_taken_for_the_training(homes):
    """After a reboot process numbers are given anew; the time of creation tells the old one from the new."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    chosen = config("somewhere").to_json()
    status = {"state": "running", "config": chosen, "started": 1.0, "heartbeat": time.time(), "pid": os.getpid()}
    write_json(folder.status, {**status, "process_started": 1.0})
    assert jobs.find_run(folder).state == "failed"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"state": "running", "config": {}, "started": null}'])
def test_a_damaged_status_is_a_failed_run(homes, drawn, content):
    """A training whose status cannot be read is listed as failed, hides no other, and gives its name back."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    folder.status.write_text(content)
    [run] = jobs.runs()
    assert run.state == "failed"
    assert "status.json" in run.error
    assert jobs.active_run() is None
    again = jobs.start(config(drawn, data=str(homes / "data")))
    assert wait(lambda: ended(again)).state == "failed"


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_a_model_from_elsewhere_is_a_finished_run(homes, make_model):
    """A model folder that came without a status tells by its card how its training went."""
    folder = make_model("from-elsewhere")
    before = jobs.find_run(folder)
    folder.status.unlink()
    run = jobs.find_run(folder)
    assert run is not None and (run.state, run.config["epochs"]) == (before.state, before.config["epochs"])
    assert run.started == pytest.approx(before.started, abs=30)
    assert [each.name for each in jobs.runs()] == ["from-elsewhere"]
    folder.card.write_text("{}")
    assert jobs.find_run(folder) is None


def test_paths_are_those_of_whoever_starts_it(homes, drawn, monkeypatch):
    """A relative data path, and a relative models folder, mean what they mean where the training is started."""
    monkeypatch.chdir(drawn.parent)
    monkeypatch.setenv("FRACTURE_MODELS", os.path.relpath(homes / "models"))
    run = jobs.start(config(drawn, data=drawn.name, epochs=1))
    assert wait(lambda: ended(run)).state == "finished"
    assert (homes / "models" / "run" / "card.json").exists()


def test_a_folder_that_is_no_run_is_not_taken(homes, drawn):
    """What somebody else keeps under a name is never deleted for a training."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="already"):
        jobs.start(config(drawn))
    assert (folder.path / "notes.txt").read_text() == "mine"


def test_a_models_folder_that_cannot_be_written_to_is_one_sentence(homes, drawn, monkeypatch):
    """Where no training can be kept, none is started."""
    (homes / "file").write_text("in the way")
    monkeypatch.setenv("FRACTURE_MODELS", str(homes / "file" / "models"))
    with pytest.raises(RunError, match="cannot be written to"):
        jobs.start(config(drawn))
