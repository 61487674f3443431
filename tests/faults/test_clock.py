"""A clock that is set back, or was far ahead: nothing that lives is taken for dead, nothing new for old."""

import os
import time

import psutil
import pytest

from fracture import demo
from fracture.data.export import STALE_SECONDS, _remove_stale
from fracture.files import write_json
from fracture.jobs import process
from fracture.registry.model_folder import model_folder
from fracture.training.runs import cleanup, queue

HOUR = 3600.0


@pytest.fixture
def an_hour_back(monkeypatch):
    """What Linux then says: the machine came up an hour earlier, and so did all its processes."""
    booted, created, now = psutil.boot_time, psutil.Process.create_time, time.time
    monkeypatch.setattr(psutil, "boot_time", lambda: booted() - HOUR)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) - HOUR)
    return lambda: monkeypatch.setattr(time, "time", lambda: now() - HOUR)


def test_a_training_at_work_is_still_at_work(homes, request):
    """It is known by how long it has been there, which no clock changes."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    status = {"state": "running", "config": {}, "started": time.time(), **process.identity()}
    write_json(folder.status, {**status, "heartbeat": time.time()})
    assert queue.find_run(folder).state == "running"
    request.getfixturevalue("an_hour_back")()
    assert queue.find_run(folder).state == "running"


def test_one_that_never_spoke_does_not_hold_the_others_up(homes):
    """Its start lies ahead of a clock that was set back: it is given up all the same."""
    folder = model_folder("run")
    folder.path.mkdir(parents=True)
    status = {"state": "running", "config": {}, "started": time.time(), "heartbeat": time.time() + HOUR}
    write_json(folder.status, status)
    assert queue.find_run(folder).state == "failed"


def test_another_model_of_the_same_time_is_another_version(homes, make_model):
    """As copies keep it, and clocks that were set back may repeat it: what is cached of the first one is not used."""
    folder = make_model("m")
    before, was = folder.version, folder.card.stat()
    whole = folder.card.read_bytes()
    folder.card.unlink()
    folder.card.write_bytes(whole + b"\n")
    os.utime(folder.card, ns=(was.st_atime_ns, was.st_mtime_ns))
    after = folder.version
    assert after != before
    graph = folder.served_model.read_bytes()
    folder.served_model.unlink()
    folder.served_model.write_bytes(graph)
    assert folder.version != after


def test_what_a_visitor_made_goes_although_it_seems_to_come_from_the_future(homes):
    """A mark of a clock that was years ahead keeps nothing for years."""
    for name, since in {
        "new": time.time(),
        "ahead": time.time() + 1000 * HOUR,
        "old": time.time() - 1000 * HOUR,
    }.items():
        folder = homes / "models" / name
        folder.mkdir()
        write_json(folder / demo.OWNER_FILE, {"visitor": "x", "since": since})
    gone = cleanup._outdated(homes / "models", most=12)
    assert {folder.name for folder in gone} == {"ahead", "old"}


def test_what_a_killed_export_left_goes_whatever_its_time(tmp_path):
    """One that is at work now is left alone."""
    for name, age in {"now": 0, "old": 2 * STALE_SECONDS, "ahead": -2 * STALE_SECONDS}.items():
        left = tmp_path / f".fracture-prep-{name}"
        left.mkdir()
        os.utime(left, (time.time() - age,) * 2)
    _remove_stale(tmp_path)
    assert [left.name for left in tmp_path.iterdir()] == [".fracture-prep-now"]
