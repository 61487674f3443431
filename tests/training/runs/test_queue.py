"""Trainings as processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from fracture.data.dataset import scan
from fracture.data.decisions import decide
from fracture.errors import DatasetError, RunError, WeightsError
from fracture.files import write_json
from fracture.registry.model_folder import model_folder
from fracture.training.config import TrainConfig
from fracture.training.events import read_events
from fracture.training.runs import queue, worker
from fracture.training.runs.progress import Progress
from fracture.training.runs.run import RunStatus
from tests.support.waiting import wait


def config(drawn, **chosen) -> TrainConfig:
    """Without TensorFlow, unless other weights are chosen: it is the process that these tests are about."""
    return TrainConfig(
        **{"data": str(drawn), "name": "run", "weights": "bundled-8bit", "image_size": 75, "epochs": 2, **chosen}
    )


def ended(run):
    found = queue.find_run(run.folder)
    return found if found and not found.active else None


def test_a_failure_is_a_sentence_in_the_runs_folder(homes, drawn):
    """What the user can put right reaches status and events as a sentence, and the name is free again."""
    with pytest.raises(WeightsError, match="weights must name a source"):
        queue.start(config(drawn, weights="not/here.weights.h5"))
    with pytest.raises(DatasetError, match="no folder"):
        queue.start(config(drawn, data="not/here"))
    run = queue.start(config(drawn, data=str(homes / "data")))
    failed = wait(lambda: ended(run))
    assert failed.state == "failed"
    assert "must be one of" in failed.error
    end = read_events(run.folder.events)[0][-1]
    assert (end["kind"], end["state"], end["error"]) == ("end", "failed", failed.error)
    assert not any(each.active for each in queue.runs())
    again = queue.start(config(drawn, data=str(homes / "data")))
    assert wait(lambda: ended(again)).state == "failed"


def test_a_unique_name_is_decided_where_it_is_claimed(homes, drawn, monkeypatch):
    """With ``unique_name`` a taken name is counted on, one that is free is kept; without it a taken one is refused."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)
    asked = ("mine", "mine", "mine-1", "other-8")
    runs = [queue.start(config(drawn, name=name), unique_name=True) for name in asked]
    assert [run.name for run in runs] == ["mine", "mine-1", "mine-2", "other-8"]
    assert [run.config["name"] for run in runs] == ["mine", "mine-1", "mine-2", "other-8"]
    with pytest.raises(RunError, match="'mine' is running"):
        queue.start(config(drawn, name="mine"))


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_one_trains_others_wait_and_what_is_stopped_goes_on(homes, drawn):
    """A stop keeps the model learned so far and lets the next one begin; gone on with, it comes to its end."""
    run = queue.start(config(drawn, epochs=150, weights="none"))
    other, third = (queue.start(config(drawn, name=name)) for name in ("other", "third"))
    assert [each.state for each in (run, other, third)] == ["running", "queued", "queued"]
    with pytest.raises(RunError, match="'run' is running"):
        queue.start(config(drawn))
    with pytest.raises(RunError, match="'other' is queued"):
        queue.resume(other)
    queue.request_stop(third)
    assert queue.find_run(third.folder).state == "stopped"
    wait(lambda: epochs_of(run) and queue.find_run(run.folder).state == "running")
    queue.request_stop(run)
    stopped = wait(lambda: ended(run))
    assert stopped.state == "stopped" and stopped.resumable and run.folder.usable
    done = len(json.loads(run.folder.history.read_text())["loss"])
    assert 0 < done < 150
    with pytest.raises(RunError, match="already"):
        queue.start(config(drawn))
    assert wait(lambda: ended(other)).state == "finished"
    assert queue.find_run(third.folder).state == "stopped"
    again = queue.resume(stopped)
    assert again.state == "running"
    assert wait(lambda: ended(run)).state == "finished"
    assert epochs_of(run) == list(range(1, 151))
    assert not run.folder.checkpoint.exists()
    assert len(json.loads(run.folder.history.read_text())["loss"]) == 150


def epochs_of(run):
    return [event["epoch"] for event in read_events(run.folder.events)[0] if event["kind"] == "epoch"]


def test_killed_and_gone_on_with_it_ends_as_it_would_have_ended(homes, drawn):
    """After kill -9 nothing is lost but the epoch it was in: the same curves to the last digit, and whole events."""
    whole = queue.start(config(drawn, name="whole", epochs=600))
    assert wait(lambda: ended(whole)).state == "finished"
    run = queue.start(config(drawn, epochs=600))
    wait(lambda: len(epochs_of(run)) > 5)
    os.kill(json.loads(run.folder.status.read_text())["pid"], signal.SIGKILL)
    died = wait(lambda: ended(run))
    assert died.state == "failed" and died.resumable
    with run.folder.events.open("a") as file:
        file.write('{"kind": "epo')  # as a full disk, or the power, leaves it
    queue.resume(died)
    assert wait(lambda: ended(run)).state == "finished"
    assert run.folder.history.read_text() == whole.folder.history.read_text()
    lines = run.folder.events.read_text().splitlines()
    assert all(json.loads(line)["kind"] for line in lines)
    progress = Progress()
    progress.add(read_events(run.folder.events)[0])
    assert progress.history["loss"] == json.loads(whole.folder.history.read_text())["loss"]


def test_ended_at_once_it_can_be_gone_on_with(homes, drawn):
    """No model is made of it, and the next one begins."""
    run, other = (
        queue.start(config(drawn, name=name, epochs=epochs)) for name, epochs in (("run", 1000), ("other", 1))
    )
    wait(lambda: len(epochs_of(run)) > 3)
    queue.end_now(run)
    found = queue.find_run(run.folder)
    assert found.state == "stopped" and found.resumable and not found.folder.usable
    assert not run.folder.stop_request.exists()
    assert wait(lambda: ended(other)).state == "finished"


def test_a_training_that_left_something_to_go_on_from_keeps_its_name(homes, drawn):
    """What can be gone on with is not thrown away for a new training of the same name."""
    failed = queue.start(config(drawn, data=str(homes / "data")))
    failed = wait(lambda: ended(failed))
    assert failed.resumable, "it begins anew"
    failed.folder.checkpoint.write_bytes(b"")
    with pytest.raises(RunError, match="Resume or delete it"):
        queue.start(config(drawn))


def test_what_does_not_belong_together_is_not_gone_on_with(homes, drawn, tmp_path):
    """Where the data have changed in between, or the checkpoint is damaged, a sentence says so."""
    data = tmp_path / "copy"
    shutil.copytree(drawn, data)
    run = queue.start(config(data, epochs=1000))
    wait(lambda: len(epochs_of(run)) > 3)
    os.kill(json.loads(run.folder.status.read_text())["pid"], signal.SIGKILL)
    wait(lambda: ended(run))
    table = scan(data).table
    decide(data, table.loc[table["split"] == "train", "image_id"][:1], "exclude")
    queue.resume(queue.find_run(run.folder))
    assert "data set changed" in wait(lambda: ended(run)).error
    run.folder.checkpoint.write_bytes(b"PK")
    queue.resume(queue.find_run(run.folder))
    assert "checkpoint.npz of this run is damaged" in wait(lambda: ended(run)).error


def test_it_outlives_the_process_that_started_it_and_its_death_is_noticed(homes, drawn):
    """A training goes on when whoever started it ends; killed itself, its run is reported as failed."""
    chosen = json.dumps(config(drawn, epochs=1000).to_json())
    code = "import sys, json; from fracture.training.runs import queue\n"
    code += "from fracture.training.config import TrainConfig\n"
    code += "queue.start(TrainConfig.from_json(json.loads(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", code, chosen], check=True)
    folder = model_folder("run")
    wait(lambda: any(event["kind"] == "epoch" for event in read_events(folder.events)[0]))
    assert queue.find_run(folder).state == "running"
    os.kill(json.loads(folder.status.read_text())["pid"], signal.SIGKILL)
    died = wait(lambda: (run := queue.find_run(folder)) and not run.active and run)
    assert died.state == "failed"
    assert "ended unexpectedly" in died.error


def test_another_process_with_the_same_number_is_not_taken_for_the_training(homes):
    """After a reboot process numbers are given anew; the time of creation tells the old one from the new."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    chosen = config("somewhere").to_json()
    status = {"state": "running", "config": chosen, "started": 1.0, "heartbeat": time.time(), "pid": os.getpid()}
    write_json(folder.status, {**status, "process_started": 1.0})
    assert queue.find_run(folder).state == "failed"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"state": "running", "config": {}, "started": null}'])
def test_a_damaged_status_is_a_failed_run(homes, drawn, content):
    """A training whose status cannot be read is listed as failed, hides no other, and gives its name back."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    folder.status.write_text(content)
    [run] = queue.runs()
    assert run.state == "failed"
    assert "status.json" in run.error
    assert not any(each.active for each in queue.runs())
    again = queue.start(config(drawn, data=str(homes / "data")))
    assert wait(lambda: ended(again)).state == "failed"


def test_a_model_from_elsewhere_is_a_finished_run(homes, make_model):
    """A model folder that came without a status tells by its card how its training went."""
    folder = make_model("from-elsewhere")
    before = queue.find_run(folder)
    folder.status.unlink()
    run = queue.find_run(folder)
    assert run is not None and (run.state, run.config["epochs"]) == (before.state, before.config["epochs"])
    assert run.started == pytest.approx(before.started, abs=30)
    assert [each.name for each in queue.runs()] == ["from-elsewhere"]
    folder.card.write_text("{}")
    assert queue.find_run(folder) is None


def test_paths_are_those_of_whoever_starts_it(homes, drawn, monkeypatch):
    """A relative data path, and a relative models folder, mean what they mean where the training is started."""
    monkeypatch.chdir(drawn.parent)
    monkeypatch.setenv("FRACTURE_MODELS", os.path.relpath(homes / "models"))
    run = queue.start(config(drawn, data=drawn.name, epochs=1))
    assert wait(lambda: ended(run)).state == "finished"
    assert (homes / "models" / "run" / "card.json").exists()


def test_a_folder_that_is_no_run_is_not_taken(homes, drawn):
    """What somebody else keeps under a name is never deleted for a training."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="already"):
        queue.start(config(drawn))
    assert (folder.path / "notes.txt").read_text() == "mine"


def test_a_models_folder_that_cannot_be_written_to_is_one_sentence(homes, drawn, monkeypatch):
    """Where no training can be kept, none is started."""
    (homes / "file").write_text("in the way")
    monkeypatch.setenv("FRACTURE_MODELS", str(homes / "file" / "models"))
    with pytest.raises(RunError, match="cannot be written to"):
        queue.start(config(drawn))


@pytest.fixture
def spawned(monkeypatch):
    """The names of the trainings whose processes would have been started; none is.

    What such a process does is done here, where it must not make everything slow that runs in the tests' session.
    """
    monkeypatch.setattr(worker.process, "lower_priority", lambda: None)
    names = []
    monkeypatch.setattr(queue, "_spawn", lambda folder: names.append(folder.name))
    return names


def test_ended_before_its_process_has_spoken_it_never_trains(homes, drawn, spawned):
    """The process finds that it is not wanted any more, and leaves."""
    run = queue.start(config(drawn))
    queue.request_stop(run)
    queue.end_now(run)
    assert queue.find_run(run.folder).state == "stopped"
    worker.work(run.folder)
    assert queue.find_run(run.folder).state == "stopped" and not run.folder.events.exists()


@pytest.mark.parametrize("weights", ["imagenet", "bundled-8bit"])
def test_what_kind_of_error_a_run_failed_with_is_kept(homes, drawn, spawned, monkeypatch, weights):
    """A run whose weights can't be had fails with a sentence, and its folder says so; others don't lack weights."""
    monkeypatch.setattr("fracture.training.imagenet.available", lambda *_: False)
    run = queue.start(config(drawn, weights=weights, data=str(homes / "data")))
    worker.work(run.folder)
    failed = queue.find_run(run.folder)
    assert failed.state == "failed" and failed.lacks_weights == (weights == "imagenet")
    if failed.lacks_weights:
        assert "does not answer. Sources: imagenet" in failed.error and "http" not in failed.error
    status = json.loads(run.folder.status.read_text())
    del status["error_type"]  # as versions before wrote it
    write_json(run.folder.status, status)
    assert queue.find_run(run.folder).state == "failed" and not queue.find_run(run.folder).lacks_weights


def test_who_waits_begins_although_the_one_before_was_killed(homes, drawn, spawned):
    """It could start nobody itself; whoever looks does."""
    first, _ = (queue.start(config(drawn, name=name)) for name in ("first", "second"))
    assert spawned == ["first"] and queue.find_run(first.folder).state == "running"
    status = json.loads(first.folder.status.read_text())
    write_json(first.folder.status, {**status, "heartbeat": time.time() - 100})
    queue.advance()
    assert spawned == ["first", "second"]


def test_so_many_train_at_once_as_is_said(homes, drawn, spawned, monkeypatch):
    """By default one; what is no number counts as one."""
    monkeypatch.setenv("FRACTURE_TRAININGS", "2")
    runs = [queue.start(config(drawn, name=name)) for name in ("a", "b", "c")]
    assert [run.state for run in runs] == ["running", "running", "queued"]
    for said in ("", "0", "many", "-1"):
        monkeypatch.setenv("FRACTURE_TRAININGS", said)
        assert queue.max_running() == 1


def test_what_is_at_work_is_not_deleted(homes, drawn, spawned):
    """It would train on unseen."""
    run = queue.start(config(drawn))
    with pytest.raises(RunError, match="'run' is running"):
        queue.delete(run.folder)
    queue.end_now(run)
    queue.delete(run.folder)
    assert not run.folder.path.exists()


def test_a_full_disk_is_said_once_there_is_room_again(homes, drawn, spawned, monkeypatch):
    """The end of a training is tried to be written down several times; parts of killed writes are swept away first."""
    run = queue.start(config(drawn, data=str(homes / "data")))
    (run.folder.path / ".left.npz").write_bytes(b"half a checkpoint")
    refused = iter([False, True, True, False])

    def sometimes(status, path):
        if next(refused):
            raise OSError(28, "No space left on device")
        write_json(path, status.to_json())

    monkeypatch.setattr(worker, "HEARTBEAT", 0.01)
    monkeypatch.setattr(worker, "_beat", lambda *_: None)
    monkeypatch.setattr(RunStatus, "write", sometimes)
    worker.work(run.folder)
    assert queue.find_run(run.folder).state == "failed"
    assert "must be one of" in queue.find_run(run.folder).error
    assert not list(run.folder.path.glob(".*"))
