"""The curves of a training as TensorBoard reads them."""

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
from fracture.training.tensorboard import Curves
from tests.support.waiting import wait


def nobody(*_, **__):
    """Listens to nothing."""


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


def test_a_training_leaves_its_curves(trained):
    """They are those of history.json; the learning rate is there as well."""
    assert matches(trained.tensorboard, json.loads(trained.history.read_text()))
    assert curves(trained.tensorboard / "train")["epoch_learning_rate"] == [
        (epoch, pytest.approx(0.1)) for epoch in (1, 2, 3)
    ]


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_killed_and_gone_on_with_each_epoch_is_there_once(homes, drawn):
    """Also the one that was said before the kill and trained again after it."""
    config = TrainConfig(data=str(drawn), name="run", weights="none", image_size=75, epochs=60)
    run = queue.start(config)
    wait(lambda: sum(event["kind"] == "epoch" for event in read_events(run.folder.events)[0]) > 5)
    os.kill(json.loads(run.folder.status.read_text())["pid"], signal.SIGKILL)
    wait(lambda: not queue.find_run(run.folder).active)
    queue.resume(queue.find_run(run.folder))
    wait(lambda: not queue.find_run(run.folder).active)
    assert matches(run.folder.tensorboard, json.loads(run.folder.history.read_text()))


def test_what_is_trained_again_replaces_what_was_written_of_it(tmp_path):
    """Gone on with at an epoch before the last one, no step is there twice; a record that was torn takes none along."""
    say_epochs(Curves(nobody, tmp_path), 1, 5)
    for path in (tmp_path / "train").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    say_epochs(Curves(nobody, tmp_path), 4, 6)
    for part in ("train", "validation"):
        assert [step for step, _ in curves(tmp_path / part)["epoch_loss"]] == [1, 2, 3, 4, 5, 6]


def test_a_training_that_begins_anew_has_no_old_curves(tmp_path):
    """What a former one of the same name has left is gone with its first epoch."""
    say_epochs(Curves(nobody, tmp_path), 1, 5)
    say_epochs(Curves(nobody, tmp_path), 1, 2)
    assert curves(tmp_path / "train")["epoch_loss"] == [(1, 1.0), (2, 0.5)]


def test_where_nothing_can_be_written_the_training_goes_on(tmp_path, capsys):
    """Everything is passed on all the same, and why there are no curves is said once."""
    (tmp_path / "file").write_text("in the way")
    said = []
    say_epochs(Curves(lambda kind, **values: said.append((kind, values["epoch"])), tmp_path / "file"), 1, 3)
    assert said == [("epoch", 1), ("epoch", 2), ("epoch", 3)]
    assert capsys.readouterr().err.count("The curves for TensorBoard end here") == 1


FULL = """
import pathlib, resource, sys
from fracture.training.tensorboard import Curves
curves = Curves(lambda kind, **values: print(values["epoch"]), pathlib.Path(sys.argv[1]))
for epoch in range(1, 9):
    if epoch == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
    curves("epoch", epoch=epoch, learning_rate=0.1, loss=0.5, val_loss=0.5)
"""


def test_a_disk_that_becomes_full_ends_the_curves_and_not_the_training(tmp_path):
    """Files may not grow any more from the fourth epoch on; what was written before can be read."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "t")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(epoch) for epoch in range(1, 9)]
    assert done.stderr.count("The curves for TensorBoard end here") == 1
    say_epochs(Curves(nobody, tmp_path / "t"), 4, 6)
    assert [step for step, _ in curves(tmp_path / "t" / "train")["epoch_loss"]] == [1, 2, 3, 4, 5, 6]
