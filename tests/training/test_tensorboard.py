"""Learning curves as TensorBoard reads them."""

import base64
import json
import os
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

from fracture.training.config import TrainConfig
from fracture.training.events import read_events
from fracture.training.runs import queue
from fracture.training.tensorboard import TensorBoardWriter
from tests.support.waiting import wait


def ignore(*_, **__):
    """Receives events and drops them."""


def curves(folder):
    """What lies in an event folder, as TensorBoard takes it: a tag -> [(step, value)], in the order of writing."""
    found = {}
    for path in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.setdefault(value.tag, []).append((event.step, float(tf.make_ndarray(value.tensor))))
    return found


def say_epochs(emit, first, last):
    for epoch in range(first, last + 1):
        emit("epoch", epoch=epoch, epochs=9, seconds=0.1, learning_rate=0.001, loss=1 / epoch, val_loss=2 / epoch)


def matches(folder, history):
    """Whether both parts hold each epoch's figures of a history once."""
    for part, prefix in (("train", ""), ("validation", "val_")):
        found = curves(folder / part)
        for name, values in history.items():
            if name.startswith("val_") == bool(prefix):
                steps, figures = zip(*found[f"epoch_{name.removeprefix(prefix)}"], strict=True)
                assert list(steps) == list(range(1, len(values) + 1)), name
                assert figures == pytest.approx(values, rel=1e-6), name
    return True


def test_run_finished_leaves_the_curves_of_its_history(trained):
    """The event files hold the figures of history.json, and the learning rate as well."""
    assert matches(trained.tensorboard, json.loads(trained.history.read_text()))
    assert curves(trained.tensorboard / "train")["epoch_learning_rate"] == [
        (epoch, pytest.approx(0.1)) for epoch in (1, 2, 3)
    ]


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_run_killed_and_resumed_writes_each_epoch_once(homes, drawn):
    """An epoch that was written before the kill and trained again after it is there once."""
    config = TrainConfig(data=str(drawn), name="run", weights="none", image_size=75, epochs=60)
    run = queue.start(config)
    wait(lambda: sum(event["kind"] == "epoch" for event in read_events(run.folder.events)[0]) > 5)
    os.kill(json.loads(run.folder.status.read_text())["pid"], signal.SIGKILL)
    wait(lambda: not queue.find_run(run.folder).active)
    queue.resume(queue.find_run(run.folder))
    wait(lambda: not queue.find_run(run.folder).active)
    assert matches(run.folder.tensorboard, json.loads(run.folder.history.read_text()))


def test_writer_resumed_at_an_earlier_epoch_replaces_later_steps(tmp_path):
    """No step is there twice, and a record that was cut off takes no other with it."""
    say_epochs(TensorBoardWriter(ignore, tmp_path), 1, 5)
    for path in (tmp_path / "train").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    say_epochs(TensorBoardWriter(ignore, tmp_path), 4, 6)
    for part in ("train", "validation"):
        assert [step for step, _ in curves(tmp_path / part)["epoch_loss"]] == [1, 2, 3, 4, 5, 6]


def test_writer_starting_at_the_first_epoch_removes_old_curves(tmp_path):
    """The curves of an earlier run of the same name are gone with the first epoch."""
    say_epochs(TensorBoardWriter(ignore, tmp_path), 1, 5)
    say_epochs(TensorBoardWriter(ignore, tmp_path), 1, 2)
    assert curves(tmp_path / "train")["epoch_loss"] == [(1, 1.0), (2, 0.5)]


def test_writer_without_a_folder_passes_events_on_and_warns_once(tmp_path, caplog):
    """Every event is passed on, and the log says once why there are no curves."""
    (tmp_path / "file").write_text("in the way")
    said = []
    say_epochs(TensorBoardWriter(lambda kind, **values: said.append((kind, values["epoch"])), tmp_path / "file"), 1, 3)
    assert said == [("epoch", 1), ("epoch", 2), ("epoch", 3)]
    assert caplog.text.count("The curves for TensorBoard end here") == 1


FULL = """
import pathlib, resource, sys
from fracture.training.tensorboard import TensorBoardWriter
curves = TensorBoardWriter(lambda kind, **values: print(values["epoch"]), pathlib.Path(sys.argv[1]))
for epoch in range(1, 9):
    if epoch == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
    curves("epoch", epoch=epoch, learning_rate=0.1, loss=0.5, val_loss=0.5)
"""


def test_writer_on_a_full_disk_ends_the_curves_and_not_the_run(tmp_path):
    """Files may not grow from the fourth epoch on; the epochs before that can be read."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "t")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(epoch) for epoch in range(1, 9)]
    assert done.stderr.count("The curves for TensorBoard end here") == 1
    say_epochs(TensorBoardWriter(ignore, tmp_path / "t"), 4, 6)
    assert [step for step, _ in curves(tmp_path / "t" / "train")["epoch_loss"]] == [1, 2, 3, 4, 5, 6]


def test_writer_imported_leaves_tensorflow_out():
    """The process that trains on LiteRT writes curves without loading TensorFlow."""
    code = "import sys, fracture.training.tensorboard; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_writer_reads_files_of_the_version_before(tmp_path):
    """Event files of the hand-written format before keep their earlier steps when a run resumes."""
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "events.out.tfevents.1.host.1.v2").write_bytes(base64.b64decode(BEFORE))
    say_epochs(TensorBoardWriter(ignore, tmp_path), 2, 3)
    assert curves(folder)["epoch_loss"] == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]


BEFORE = """
GgAAAAAAAAASm9gtCRV0bgMCw9pBEAAaDWJyYWluLkV2ZW50OjI+sy3tNgAAAAAAAABPV4zvCVJ2bgMCw9pBEAEqKQonCgplcG9j
aF9sb3NzQgoIARIAIgQAAIA/Sg0KCQoHc2NhbGFycyAB/rUX8jYAAAAAAAAAT1eM7wmieG4DAsPaQRACKikKJwoKZXBvY2hfbG9z
c0IKCAESACIEAAAAP0oNCgkKB3NjYWxhcnMgAVen+6I=
"""
