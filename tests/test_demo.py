"""The rules of the public demo, where they are kept: in the core."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fracture import demo as public_demo
from fracture.data import decisions
from fracture.data.dataset import existing_folder, scan
from fracture.data.export import write_prep, zip_prep
from fracture.errors import DatasetError, FractureError, PublicError, RunError
from fracture.files import write_json
from fracture.importers import fracatlas as fracatlases
from fracture.importers import job, zip_file
from fracture.importers import kaggle as kaggles
from fracture.importers.download import Progress
from fracture.jobs import process as background
from fracture.phantoms import job as drawings
from fracture.phantoms.job import PhantomJob, find_phantom_job
from fracture.phantoms.plan import Plan
from fracture.registry.model_folder import model_folder
from fracture.training.config import WEIGHT_SOURCES, TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.cleanup import delete_outdated
from tests.support.waiting import wait

WORD = "a word that I hold"
ME = public_demo.Policy(WORD)
OTHER = public_demo.Policy("another word")


@pytest.fixture
def demo(home_with_data, monkeypatch):
    """A public demo with one data set, ``drawn``, on a machine that is large enough."""
    monkeypatch.setenv(public_demo.VARIABLE, "1")
    limit(monkeypatch, min_memory_mb=dict.fromkeys(public_demo.LIMITS.min_memory_mb, 0))
    return home_with_data


@pytest.fixture
def spawned(monkeypatch):
    """The names of the trainings whose processes would have been started; none is."""
    names = []
    monkeypatch.setattr(queue, "_spawn", lambda folder: names.append(folder.name))
    return names


def limit(monkeypatch, **limits):
    monkeypatch.setattr(public_demo, "LIMITS", replace(public_demo.LIMITS, **limits))


def config(**chosen) -> TrainConfig:
    return TrainConfig(**{"data": "drawn", "name": "mine", "weights": "none", "image_size": 75, "epochs": 2, **chosen})


def age(folder: Path, seconds: float) -> None:
    """Let it have been made so long ago."""
    mark = json.loads((folder / public_demo.OWNER_FILE).read_text())
    write_json(folder / public_demo.OWNER_FILE, {**mark, "since": mark["since"] - seconds})


@pytest.mark.parametrize(
    ("said", "on"), [("1", True), ("true", True), ("yes", True), ("", False), ("0", False), ("False", False)]
)
def test_it_is_on_where_the_variable_says_so(monkeypatch, said, on):
    """Any word but one that says no."""
    monkeypatch.setenv(public_demo.VARIABLE, said)
    assert public_demo.is_public() == on


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"mode": "fine-tune"}, "trains the head only"),
        ({"weights": "/etc/passwd"}, "weights must be one of bundled-8bit, bundled, imagenet, none. Received: passwd"),
        ({"image_size": 299}, "image_size must be at most 224. Received: 299"),
        ({"epochs": 101}, "epochs must be at most 100. Received: 101"),
        ({"batch_size": 128}, "batch_size must be at most 64. Received: 128"),
        ({"data": "/etc"}, "reads only its own data sets"),
        ({"data": "../models"}, "reads only its own data sets"),
        ({"also": ("/etc",)}, "reads only its own data sets"),
    ],
)
def test_a_training_beyond_the_limits_is_refused(demo, spawned, chosen, sentence):
    """Before anything is written, in a sentence; the same is let through where it is no demo."""
    with pytest.raises(FractureError, match=sentence):
        queue.start(config(**chosen), ME)
    assert not spawned and not model_folder("mine").path.exists()


def test_too_many_images_and_too_small_a_machine_are_refused(demo, spawned, monkeypatch):
    """The images of all data sets count; what the machine has is said."""
    images = len(scan("drawn").table)
    limit(monkeypatch, max_images=images)
    queue.start(config(), ME)
    limit(monkeypatch, max_images=images - 1)
    with pytest.raises(PublicError, match=f"images must be at most {images - 1}. Received: {images}"):
        queue.start(config(name="other"), OTHER)
    small = {**dict.fromkeys(public_demo.LIMITS.min_memory_mb, 10**9), "bundled-8bit": 0}
    limit(monkeypatch, min_memory_mb=small)
    with pytest.raises(PublicError, match=r"Received: [\d,]+ MB; choose bundled-8bit, or run"):
        queue.start(config(name="other"), OTHER)
    limit(monkeypatch, min_memory_mb=dict.fromkeys(small, 10**9))
    with pytest.raises(PublicError, match=r"Received: [\d,]+ MB; look at the models"):
        queue.start(config(name="other"), OTHER)


def test_the_weights_that_are_offered_exist():
    """Each by the name that a training knows it by."""
    assert set(public_demo.LIMITS.min_memory_mb) <= set(WEIGHT_SOURCES)


def test_one_training_a_visitor_and_a_short_queue(demo, spawned, monkeypatch):
    """Who has one at work or waiting starts no other; when the queue is full, nobody does."""
    limit(monkeypatch, max_queued=2)
    first = queue.start(config(name="first"), ME)
    with pytest.raises(PublicError, match="one run at a time"):
        queue.start(config(name="second"), ME)
    for visitor in ("b", "c"):
        assert queue.start(config(name=visitor), public_demo.Policy(visitor)).state == "queued"
    with pytest.raises(PublicError, match="At most 2 runs wait"):
        queue.start(config(name="d"), public_demo.Policy("d"))
    queue.end_now(first, ME)
    assert queue.start(config(name="second"), ME).state == "queued"


def test_only_who_started_it_may_change_it(demo, spawned):
    """Whoever else asks, or nobody at all, is refused; so is the name, and what the demo came with."""
    run = queue.start(config(), ME)
    for visitor in (OTHER, public_demo.NOBODY):
        for act in (queue.request_stop, queue.end_now, queue.resume):
            with pytest.raises(PublicError, match="only the visitor who made 'mine' may change it"):
                act(run, visitor)
        with pytest.raises(PublicError, match="only the visitor who made 'mine'"):
            queue.delete(run.folder, visitor)
        with pytest.raises(PublicError, match="only the visitor who made 'mine'"):
            queue.rename(run.folder, "theirs", visitor)
        with pytest.raises(PublicError, match="only the visitor who made 'mine'"):
            queue.note(run.folder, "words", visitor)
    with pytest.raises(PublicError, match="only visitors start something"):
        queue.start(config(name="nobodys"))
    queue.end_now(run, ME)
    queue.note(run.folder, "words", ME)
    assert run.folder.note.read_text() == "words"
    with pytest.raises(RunError, match="Somebody else has used the name"):
        queue.start(config(), OTHER)
    (run.folder.path / public_demo.OWNER_FILE).unlink()
    with pytest.raises(PublicError):
        queue.delete(run.folder, ME)


def test_the_word_itself_is_written_nowhere(demo, spawned):
    """Only its hash is: who reads the folder cannot act for the visitor."""
    run = queue.start(config(), ME)
    assert ME.may_change(run.folder.path) and not OTHER.may_change(run.folder.path)
    assert not any(WORD in path.read_text() for path in run.folder.path.iterdir())


def test_without_the_variable_nothing_is_forbidden(home_with_data, spawned):
    """Nobody says who asks, and nothing is signed."""
    run = queue.start(config(image_size=299, epochs=400))
    assert queue.start(config(name="second")).state == "queued"
    assert not (run.folder.path / public_demo.OWNER_FILE).exists() and "seconds" not in json.loads(
        run.folder.status.read_text()
    )
    queue.end_now(run)
    queue.delete(run.folder)
    assert existing_folder("/etc") == Path("/etc")
    with pytest.raises(RunError):
        queue.resume(run)


@pytest.mark.parametrize("given", ["/etc", "..", "../models", "drawn/train", "/not/here", "~"])
def test_a_data_set_is_read_by_its_name_alone(demo, monkeypatch, given):
    """No path leads out of the data home, and none tells whether something is there; a link in it is followed."""
    monkeypatch.chdir(demo / "data")
    with pytest.raises(DatasetError, match="by their names"):
        existing_folder(given)
    assert existing_folder("drawn") == demo / "data" / "drawn"
    shutil.move(demo / "data" / "drawn", demo / "elsewhere")
    (demo / "data" / "linked").symlink_to(demo / "elsewhere")
    assert existing_folder("linked") == demo / "elsewhere"


def test_data_sets_stay_as_they_are(demo):
    """No decision is made, taken back or merged; nothing is exported, and no zip is let in."""
    data, theirs = scan("drawn"), demo / "theirs.csv"
    theirs.write_text("time,image_id,decision,reason\n2026-01-01T00:00:00Z,a.png,exclude,\n")
    images, before = data.table["image_id"][:1], sorted(demo.rglob("*"))
    for act, sentence in (
        (lambda: decisions.decide(data.root, images, "exclude"), "change its data sets"),
        (lambda: decisions.undo(data.root, "2026-01-01T00:00:00.000Z"), "change its data sets"),
        (lambda: decisions.merge(data.root, theirs), "change its data sets"),
        (lambda: write_prep(data, demo / "data" / "out"), "writes no exports"),
        (lambda: zip_prep(data, demo / "data" / "out.zip"), "writes no exports"),
        (lambda: zip_file.unpack("mine.zip", demo / "data" / "mine"), "takes no zip files"),
    ):
        with pytest.raises(FractureError, match=sentence):
            act()
    assert sorted(demo.rglob("*")) == before


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (kaggles.order(), "imports nothing from Kaggle"),
        (fracatlases.order(0), "images must be 1 to 500. Received: all"),
        (fracatlases.order(501), "images must be 1 to 500. Received: 501"),
    ],
)
def test_only_a_small_import_is_let_in(demo, order, sentence):
    """And none while another is at work."""
    with pytest.raises(PublicError, match=sentence):
        job.start(demo / "data" / "new", order, policy=ME)
    assert not (demo / "data" / "new").exists()
    busy = job.ImportStatus.of(fracatlases.order(20), Progress())
    job.IMPORT.claim(demo / "data" / "busy", busy, starting=True)
    with pytest.raises(FractureError, match="busy is being imported into"):
        job.start(demo / "data" / "new", fracatlases.order(20), policy=ME)


@pytest.mark.slow
def test_phantoms_are_drawn_up_to_a_limit_and_are_their_visitors(demo):
    """Who had them drawn may stop it; nobody else."""
    with pytest.raises(PublicError, match=r"patients must be at most 200\. Received: 201"):
        drawings.start(demo / "data" / "many", Plan(201), ME)
    root = demo / "data" / "few"
    drawings.start(root, Plan(2), ME)
    with pytest.raises(PublicError, match="only the visitor who made 'few'"):
        drawings.request_stop(root, OTHER)
    assert wait(lambda: find_phantom_job(root).state == "complete")
    assert ME.may_change(root) and not OTHER.may_change(root)


def test_after_a_day_what_visitors_made_is_gone(demo, make_model, spawned):
    """Finished or not, models and data; what is younger, at work, in use or came with the demo stays."""
    mine, kept, came = make_model("mine"), make_model("kept"), make_model("came")
    for folder in (mine, kept):
        ME.sign(folder.path)
    made = {name: demo / "data" / name for name in ("old", "used", "busy")}
    for root in made.values():
        shutil.copytree(demo / "data" / "drawn", root)
        ME.sign(root)
    drawings.save(PhantomJob(made["busy"], Plan(3), 1, 2, working=True), **background.identity())
    running = queue.start(config(name="running", data="used"), ME)
    for folder in (mine.path, running.folder.path, *made.values()):
        age(folder, public_demo.LIMITS.retention_seconds + 1)
    age(kept.path, public_demo.LIMITS.retention_seconds - 60)
    delete_outdated()
    assert {run.name for run in queue.runs()} == {kept.name, came.name, running.name}
    assert {path.name for path in (demo / "data").glob("[!.]*")} == {"drawn", "used", "busy"}
    assert not list(demo.glob("*/.deleted-*"))


def test_the_newest_so_many_are_kept(demo, make_model, monkeypatch):
    """The oldest makes room."""
    limit(monkeypatch, max_runs=2)
    for number, name in enumerate(("oldest", "older", "newest")):
        ME.sign(make_model(name).path)
        age(model_folder(name).path, 100 - number)
    delete_outdated()
    assert {run.name for run in queue.runs()} == {"older", "newest"}


def test_delete_outdated_outside_a_demo_or_beside_another_process_does_no_harm(demo, make_model, monkeypatch):
    """Elsewhere nothing is deleted; a folder that another process has deleted is no error."""
    folder = make_model("mine")
    ME.sign(folder.path)
    age(folder.path, public_demo.LIMITS.retention_seconds + 1)
    with monkeypatch.context() as elsewhere:
        elsewhere.delenv(public_demo.VARIABLE)
        delete_outdated()
        assert folder.path.exists()
    remove = queue.remove
    monkeypatch.setattr(queue, "remove", lambda folder: (remove(folder), remove(folder)))
    delete_outdated()
    assert not folder.path.exists()


def test_a_training_that_hangs_is_ended(demo, spawned):
    """After twice its time, whoever looks ends it, and the next one begins."""
    run = queue.start(config(name="hangs"), ME)
    queue.start(config(name="next"), OTHER)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as hanging:
        status = json.loads(run.folder.status.read_text())
        process = {"pid": hanging.pid, "process_started": psutil.Process(hanging.pid).create_time()}
        write_json(run.folder.status, {**status, **process})
        delete_outdated()
        assert queue.find_run(run.folder).state == "running"
        write_json(run.folder.status, {**status, **process, "seconds": -1})
        delete_outdated()
    assert queue.find_run(run.folder).state == "stopped" and spawned == ["hangs", "next"]


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_after_its_time_a_training_is_stopped(demo, monkeypatch):
    """As if its visitor had asked for it, who may go on with it afterwards."""
    limit(monkeypatch, max_run_seconds=0.0)
    run = queue.start(config(epochs=100), ME)
    stopped = wait(lambda: (found := queue.find_run(run.folder)) and not found.active and found)
    assert (stopped.state, stopped.error) == ("stopped", None)
    assert stopped.resumable and ME.may_change(run.folder.path)


@pytest.mark.slow
def test_a_training_on_phantoms_goes_through(homes, monkeypatch):
    """Twenty patients drawn and learned from, by a visitor, within all limits."""
    monkeypatch.setenv(public_demo.VARIABLE, "1")
    drawings.start(homes / "data" / "phantoms", Plan(20), ME)
    wait(lambda: find_phantom_job(homes / "data" / "phantoms").state == "complete")
    run = queue.start(TrainConfig(data="phantoms", name="mine", weights="bundled-8bit", image_size=75), ME)
    ended = wait(lambda: (found := queue.find_run(run.folder)) and not found.active and found)
    assert (ended.state, ended.error) == ("finished", None) and run.folder.usable
