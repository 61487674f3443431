"""Trainings as processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
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
from fracture.training.runs.progress import RunProgress
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


@pytest.mark.slow
def test_start_on_unusable_data_fails_with_a_sentence(homes, drawn):
    """Status and events have the sentence, and the name of the run is free again."""
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


def test_start_with_unique_name_counts_on_from_a_taken_name(homes, drawn, monkeypatch):
    """A free name is kept; without ``unique_name`` a taken one is refused."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)
    asked = ("mine", "mine", "mine-1", "other-8")
    runs = [queue.start(config(drawn, name=name), unique_name=True) for name in asked]
    assert [run.name for run in runs] == ["mine", "mine-1", "mine-2", "other-8"]
    assert [run.config["name"] for run in runs] == ["mine", "mine-1", "mine-2", "other-8"]
    with pytest.raises(RunError, match="'mine' is running"):
        queue.start(config(drawn, name="mine"))


@pytest.mark.parametrize("named", ["tcp://a:1", None])
def test_run_computes_its_features_on_the_cluster_that_was_named(homes, drawn, monkeypatch, named):
    """Whoever starts its process; without one, that of the process's environment."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)
    monkeypatch.setenv("FRACTURE_CLUSTER", "tcp://b:2")
    asked = []

    def run(*_, cluster, **__):
        asked.append(cluster)
        return {"state": "finished"}

    monkeypatch.setattr("fracture.training.pipeline.run", run)
    folder = queue.start(config(drawn), cluster=named).folder
    status = RunStatus.read(folder.status)
    assert ("cluster" in status.to_json()) == bool(named)
    assert worker._train(folder, status, print)["state"] == "finished"
    assert asked == [named or "tcp://b:2"]


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_queue_of_three_runs_trains_one_at_a_time_and_resumes_a_stopped_one(homes, drawn):
    """A stop keeps the best epoch as a model and lets the next run start; resumed, the run finishes."""
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


@pytest.mark.slow
def test_resume_after_a_kill_gives_the_curves_of_an_uninterrupted_run(homes, drawn):
    """Nothing is lost but the epoch that was interrupted: the curves agree to the last digit, and events are whole."""
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
    progress = RunProgress()
    progress.add(read_events(run.folder.events)[0])
    assert progress.history["loss"] == json.loads(whole.folder.history.read_text())["loss"]


@pytest.mark.slow
def test_end_now_leaves_no_model_and_a_run_to_resume(homes, drawn):
    """The next run in the queue starts."""
    run, other = (
        queue.start(config(drawn, name=name, epochs=epochs)) for name, epochs in (("run", 1000), ("other", 1))
    )
    wait(lambda: len(epochs_of(run)) > 3)
    queue.end_now(run)
    found = queue.find_run(run.folder)
    assert found.state == "stopped" and found.resumable and not found.folder.usable
    assert not run.folder.stop_request.exists()
    assert wait(lambda: ended(other)).state == "finished"


@pytest.mark.slow
def test_start_under_the_name_of_a_run_with_a_checkpoint_is_refused(homes, drawn):
    """A run that can be resumed is not deleted for a new one."""
    failed = queue.start(config(drawn, data=str(homes / "data")))
    failed = wait(lambda: ended(failed))
    assert failed.resumable, "it starts over"
    failed.folder.checkpoint.write_bytes(b"")
    with pytest.raises(RunError, match="Resume or delete it"):
        queue.start(config(drawn))


@pytest.mark.slow
def test_resume_with_changed_data_or_a_damaged_checkpoint_fails_with_a_sentence(homes, drawn, tmp_path):
    """A checkpoint is used only with the data set that it was trained on."""
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


@pytest.mark.slow
def test_run_outlives_the_process_that_started_it_and_fails_when_killed(homes, drawn):
    """Its own process trains on; when that one is killed, the run is reported as failed."""
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


def test_find_run_with_the_process_id_of_another_process_is_failed(homes):
    """After a reboot process ids are given again; the time of creation tells processes apart."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    chosen = config("somewhere").to_json()
    status = {"state": "running", "config": chosen, "started": 1.0, "heartbeat": time.time(), "pid": os.getpid()}
    write_json(folder.status, {**status, "process_started": 1.0})
    assert queue.find_run(folder).state == "failed"


def foreign(age=0.0):
    """A run of another host, which has given a sign of life some seconds ago."""
    folder = model_folder("foreign")
    folder.path.mkdir(parents=True)
    status = {"state": "running", "config": config("somewhere").to_json(), "started": 1.0, "host": "another"}
    write_json(folder.status, {**status, "pid": 1, "process_started": 1.0, "heartbeat": time.time() - age})
    return folder


def test_find_run_of_another_host_follows_its_heartbeat(homes):
    """Its process can't be asked for here."""
    folder = foreign()
    assert queue.find_run(folder).state == "running"
    status = json.loads(folder.status.read_text())
    write_json(folder.status, {**status, "heartbeat": time.time() - 100})
    assert queue.find_run(folder).state == "failed"
    assert "The host another has said nothing of the run" in queue.find_run(folder).error


def test_advance_counts_the_runs_of_other_hosts(homes, drawn, spawned):
    """One run at a time, wherever it trains."""
    folder = foreign()
    assert queue.start(config(drawn)).state == "queued" and not spawned
    queue.end_now(queue.find_run(folder))
    assert queue.find_run(folder).state == "stopped" and spawned == ["run"]


@pytest.mark.parametrize("change", [{"state": "stopped"}, {"host": "another"}, {"pid": 1}, {}])
def test_beat_ends_a_process_that_has_lost_its_run(homes, monkeypatch, change):
    """Another host has aborted the run, or has given this process up and resumed the run."""
    folder = foreign()
    mine = {**json.loads(folder.status.read_text()), **queue.process.identity(), "heartbeat": 1.0}
    write_json(folder.status, {**mine, **change})
    done = threading.Event()
    left = []
    monkeypatch.setattr(worker, "HEARTBEAT", 0.01)
    monkeypatch.setattr(worker, "_leave", lambda folder: (left.append(folder), done.set()))
    beating = threading.Thread(target=worker._beat, args=(folder, RunStatus.model_validate(mine), done))
    beating.start()
    wait(lambda: left or RunStatus.read(folder.status).heartbeat > 1.0)
    done.set()
    beating.join()
    assert bool(left) == bool(change)


@pytest.mark.slow
def test_queue_of_two_hosts_starts_each_run_once(homes, drawn):
    """Both put runs into it and look after it at the same time."""
    code = """
import json, os, sys, time
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
for number in range(3):
    chosen = json.loads(sys.argv[1])
    queue.start(TrainConfig.from_json({**chosen, "name": os.environ["FRACTURE_HOST"] + str(number)}))
while any(run.active for run in queue.runs()):
    queue.advance()
    time.sleep(0.01)
"""
    chosen = json.dumps(config(drawn).to_json())
    command = [sys.executable, "-c", code, chosen]
    hosts = [subprocess.Popen(command, env={**os.environ, "FRACTURE_HOST": host}) for host in ("first", "second")]
    assert [host.wait() for host in hosts] == [0, 0]
    found = queue.runs()
    assert sorted(run.name for run in found) == [f"{host}{n}" for host in ("first", "second") for n in range(3)]
    assert {run.state for run in found} == {"finished"}
    for run in found:
        kinds = [event["kind"] for event in read_events(run.folder.events)[0]]
        assert kinds.count("end") == 1 and epochs_of(run) == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"state": "running", "config": {}, "started": null}'])
def test_find_run_with_a_damaged_status_is_failed(homes, drawn, content):
    """The run is listed, hides no other, and its name is free."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    folder.status.write_text(content)
    [run] = queue.runs()
    assert run.state == "failed"
    assert "status.json" in run.error
    assert not any(each.active for each in queue.runs())
    again = queue.start(config(drawn, data=str(homes / "data")))
    assert wait(lambda: ended(again)).state == "failed"


def test_find_run_without_a_status_reads_the_card(homes, make_model):
    """A model from another machine is listed as its card says."""
    folder = make_model("from-elsewhere")
    before = queue.find_run(folder)
    folder.status.unlink()
    run = queue.find_run(folder)
    assert run is not None and (run.state, run.config["epochs"]) == (before.state, before.config["epochs"])
    assert run.started == pytest.approx(before.started, abs=30)
    assert [each.name for each in queue.runs()] == ["from-elsewhere"]
    folder.card.write_text("{}")
    assert queue.find_run(folder) is None


@pytest.mark.slow
def test_start_with_relative_paths_resolves_them_in_the_callers_folder(homes, drawn, monkeypatch):
    """A relative data path or models folder means the same in the run's process."""
    monkeypatch.chdir(drawn.parent)
    monkeypatch.setenv("FRACTURE_MODELS", os.path.relpath(homes / "models"))
    run = queue.start(config(drawn, data=drawn.name, epochs=1))
    assert wait(lambda: ended(run)).state == "finished"
    assert (homes / "models" / "run" / "card.json").exists()


def test_start_under_the_name_of_a_foreign_folder_is_refused(homes, drawn):
    """Other files in the models folder are never deleted."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="already"):
        queue.start(config(drawn))
    assert (folder.path / "notes.txt").read_text() == "mine"


def test_start_without_a_writable_models_folder_is_one_sentence(homes, drawn, monkeypatch):
    """A run that cannot be stored is not started."""
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


def test_work_on_a_run_that_was_ended_before_it_began_trains_nothing(homes, drawn, spawned):
    """The process finds the run stopped and leaves."""
    run = queue.start(config(drawn))
    queue.request_stop(run)
    queue.end_now(run)
    assert queue.find_run(run.folder).state == "stopped"
    worker.work(run.folder)
    assert queue.find_run(run.folder).state == "stopped" and not run.folder.events.exists()


@pytest.mark.parametrize("weights", ["imagenet", "bundled-8bit"])
def test_work_that_fails_records_the_class_of_the_error(homes, drawn, spawned, monkeypatch, weights):
    """Only a run without its pre-trained weights lacks weights; folders of former versions say nothing of it."""
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


def test_advance_after_a_killed_run_starts_the_next_one(homes, drawn, spawned):
    """The killed run cannot start it; everybody who looks at the queue does."""
    first, _ = (queue.start(config(drawn, name=name)) for name in ("first", "second"))
    assert spawned == ["first"] and queue.find_run(first.folder).state == "running"
    status = json.loads(first.folder.status.read_text())
    write_json(first.folder.status, {**status, "heartbeat": time.time() - 100})
    queue.advance()
    assert spawned == ["first", "second"]


def test_max_running_follows_its_variable(homes, drawn, spawned, monkeypatch):
    """One by default, and where the variable is no number."""
    monkeypatch.setenv("FRACTURE_TRAININGS", "2")
    runs = [queue.start(config(drawn, name=name)) for name in ("a", "b", "c")]
    assert [run.state for run in runs] == ["running", "running", "queued"]
    for said in ("", "0", "many", "-1"):
        monkeypatch.setenv("FRACTURE_TRAININGS", said)
        assert queue.max_running() == 1


def test_delete_of_an_active_run_is_refused(homes, drawn, spawned):
    """Its process would train on in a folder that is gone."""
    run = queue.start(config(drawn))
    with pytest.raises(RunError, match="'run' is running"):
        queue.delete(run.folder)
    queue.end_now(run)
    queue.delete(run.folder)
    assert not run.folder.path.exists()


def test_work_on_a_full_disk_records_its_end_when_there_is_room(homes, drawn, spawned, monkeypatch):
    """Temporary files of killed writes are removed first."""
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
