"""Events, and what they add up to."""

import pytest

from fracture.training.config import TrainConfig
from fracture.training.events import STAGES, EventLog, read_events
from fracture.training.pipeline import run
from fracture.training.runs.progress import MOST_STEPS, RunProgress


def test_read_events_from_an_offset_gives_only_new_events(tmp_path):
    """A reader that passes its offset on never reads an event twice."""
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log("step", text="one")
    first, offset = read_events(path)
    log("step", text="two")
    second, end = read_events(path, offset)
    log.close()
    assert [event["text"] for event in first] == ["one"]
    assert [event["text"] for event in second] == ["two"]
    assert read_events(path, end) == ([], end)


def test_read_events_with_a_partial_line_waits_and_skips_damage(tmp_path):
    """A line being written is read when it is whole; a damaged line does not hide what follows."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "step", "text": "a"}\n\xff\xfe\n[1]\n{"kind": "st')
    events, offset = read_events(path)
    assert [event["text"] for event in events] == ["a"]
    with path.open("ab") as file:
        file.write(b'ep", "text": "b"}\n')
    assert [event["text"] for event in read_events(path, offset)[0]] == ["b"]


def test_read_events_without_a_file_gives_none(tmp_path):
    """A run that has not emitted anything yet is no error."""
    assert read_events(tmp_path / "none.jsonl") == ([], 0)


def test_progress_from_events_has_curves_and_time_left():
    """Curves, the kept epoch and the time left follow from the events alone."""
    progress = RunProgress()
    progress.add([{"kind": "features", "time": 0, "done": 10, "total": 20, "cached": 0, "seconds_left": 4.0}])
    assert progress.seconds_left == 4.0
    for epoch, loss in ((1, 0.7), (2, 0.5)):
        event = {
            "kind": "epoch",
            "time": 0,
            "epoch": epoch,
            "epochs": 4,
            "seconds": 3.0,
            "loss": loss,
            "val_loss": loss,
        }
        progress.add([event])
    assert progress.history == {"loss": [0.7, 0.5], "val_loss": [0.7, 0.5]}
    assert (progress.epoch, progress.epochs, progress.seconds_left) == (2, 4, 6.0)
    progress.add([{"kind": "kept", "time": 0, "epoch": 2}])
    assert progress.kept_epoch == 2


def test_progress_with_damaged_events_skips_them():
    """An event without its keys changes nothing, and what follows is still counted."""
    progress = RunProgress()
    kinds = ("data", "features", "network", "epoch", "kept", "step", "end")
    progress.add([{"kind": kind, "time": 0} for kind in kinds])
    assert progress == RunProgress()
    progress.add([{"kind": "kept", "time": 0, "epoch": 3}])
    assert progress.kept_epoch == 3


def test_event_log_after_a_kill_cuts_off_the_partial_line(tmp_path):
    """A process that resumes begins a line of its own."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "step", "text": "a"}\n{"kind": "st')
    log = EventLog(path)
    log("step", text="b")
    log.close()
    assert [event["text"] for event in read_events(path)[0]] == ["a", "b"]
    assert len(path.read_bytes().splitlines()) == 2


def test_progress_of_a_resumed_run_counts_the_interrupted_epoch_once():
    """The curves continue from the last checkpoint, and the end of the interrupted run is forgotten."""
    data = {"kind": "data", "images": 4, "training": 2, "validation": 2, "positives": 2, "label_names": ["a", "b"]}
    progress = RunProgress()
    progress.add([{**data, "problems": []}, *_epoch(1, 0.9), *_epoch(2, 0.8), {"kind": "kept", "epoch": 2}])
    progress.add([{"kind": "end", "state": "stopped", "seconds": 3}])
    assert (progress.epoch, progress.kept_epoch, progress.end is None) == (2, 2, False)
    progress.add([{**data, "problems": []}, {"kind": "resumed", "epoch": 1}])
    assert (progress.history, progress.kept_epoch, progress.end) == ({"loss": [0.9]}, None, None)
    progress.add([*_epoch(2, 0.7), *_epoch(2, 0.6)])
    assert progress.step_losses == [(0.5, 0.9), (1.0, 0.9), (1.5, 0.6), (2.0, 0.6)]
    assert progress.history == {"loss": [0.9, 0.6]} and progress.epoch == 2


def _epoch(number, loss):
    steps = {"kind": "steps", "epoch": number, "total": 2, "images_a_second": 1, "seconds_left": 1, "loss": loss}
    yield {**steps, "done": 1}
    yield {**steps, "done": 2}
    yield {"kind": "epoch", "epoch": number, "epochs": 3, "seconds": 1, "learning_rate": 0.1, "loss": loss}


def test_progress_of_a_long_run_bounds_the_points_within_epochs():
    """However long a run takes, a page draws no more than so many."""
    progress = RunProgress()
    progress.add(event for number in range(1, 4001) for event in _epoch(number, 0.5))
    assert len(progress.step_losses) <= MOST_STEPS
    assert progress.step_losses[0][0] == 0.5 and progress.step_losses[-1][0] == 4000


def test_progress_of_followed_images_has_the_epoch_before():
    """By which a page shows whether a probability rose."""
    progress = RunProgress()
    looks = [{"kind": "look", "epoch": each, "confusion": [1, 0, 0, 1], "probabilities": [each / 4]} for each in (1, 2)]
    progress.add(looks)
    assert (progress.looked_before, progress.look) == tuple(looks)


def _look(epoch):
    return {"kind": "look", "epoch": epoch, "confusion": [1, 0, 0, 1], "probabilities": [epoch / 4]}


@pytest.mark.parametrize(("followed_again", "expected"), [("a.png", [1, 2]), ("b.png", [2])])
def test_progress_of_a_resumed_run_keeps_the_probabilities_of_the_same_images(followed_again, expected):
    """An epoch that is trained again counts once; probabilities of other images are dropped."""
    progress = RunProgress()
    followed = {"kind": "followed", "image_ids": ["a"], "paths": ["a.png"], "labels": [1]}
    progress.add([followed, *_epoch(1, 0.9), _look(1), *_epoch(2, 0.8), _look(2)])
    progress.add([{**followed, "paths": [followed_again]}, {"kind": "resumed", "epoch": 1}, *_epoch(2, 0.7), _look(2)])
    assert [look["epoch"] for look in progress.looks] == expected


def step(text, stage, time=0.0, **numbers):
    return {"kind": "step", "time": time, "text": text, "stage": stage, **numbers}


def shares(progress, events):
    found = []
    for event in events:
        progress.add([event])
        found.append(progress.share)
    return found


@pytest.mark.slow
def test_progress_of_a_real_run_rises_from_0_to_1(homes, drawn):
    """The bar never goes back, through all five stages in order; a long step carries its numbers."""
    said = []
    config = TrainConfig(data=str(drawn), name="m", weights="bundled-8bit", image_size=75, epochs=3)
    run(config, lambda kind, **values: said.append({"kind": kind, "time": 0.0, **values}))
    progress, stages = RunProgress(config.to_json()), []
    for event in said:
        progress.add([event])
        stages.append(progress.stage)
    assert list(dict.fromkeys(stages)) == list(progress.stages) == list(STAGES)
    found = shares(RunProgress(config.to_json()), said)
    assert found == sorted(found) and 0 <= found[0] < 0.1 and found[-1] == 1
    features = [event for event in said if event["kind"] == "features"]
    counts = [event["done"] for event in features]
    assert counts == sorted(counts) and len({event["total"] for event in features}) == 1, "the mirrored images, too"


def test_progress_of_fine_tuning_has_no_feature_stage():
    """Where augmentation changes images in each epoch, no features are extracted; the bar never goes back."""
    config = {"mode": "fine-tune", "augmentation": "full", "epochs": 3}
    events = [
        step("Reading the data set", "read"),
        step("Building the network", "read"),
        *(step("Reading the images", "read", done=done, total=2) for done in (0, 1, 2)),
        step("Preparing the first epoch", "train"),
        *(event for epoch in (1, 2, 3) for event in _epoch(epoch, 0.5)),
        {"kind": "kept", "epoch": 2},
        *(step("Running the model on all images", "evaluate", done=done, total=2) for done in (0, 1, 2)),
        step("Saving the model", "save"),
        {"kind": "end", "state": "finished", "seconds": 3},
    ]
    progress = RunProgress(config)
    assert progress.stages == ("read", "train", "evaluate", "save")
    found = shares(progress, events)
    assert found == sorted(found) and len(set(found)) > 12 and found[-1] == 1


def test_progress_of_a_long_step_has_numbers_and_time_left():
    """As far as the events tell it."""
    progress = RunProgress()
    progress.add([step("Running the model", "evaluate", 10.0, done=0, total=1593)])
    assert progress.seconds_left is None
    progress.add([step("Running the model", "evaluate", 18.0, done=531, total=1593)])
    assert progress.doing == "Running the model: 531 of 1,593"
    assert progress.seconds_left == 16.0


def test_progress_of_a_resumed_run_begins_at_0():
    """The bar of the interrupted run says nothing about this one."""
    progress = RunProgress({"epochs": 2})
    progress.add([step("Saving the model", "save"), {"kind": "end", "state": "stopped", "seconds": 1}])
    assert progress.share == 1
    progress.add([step("Reading the data set", "read")])
    assert progress.share < 0.1 and progress.stage == "read"


def test_progress_of_the_version_before_follows_its_steps():
    """They have a text alone; the other events tell the stage."""
    progress = RunProgress({"epochs": 3})
    old = [{"kind": "step", "text": "Building the network"}, *_epoch(1, 0.5), {"kind": "kept", "epoch": 1}]
    assert shares(progress, old) == sorted(shares(RunProgress({"epochs": 3}), old))
    assert progress.stage == "evaluate"
    progress.add([{"kind": "step", "text": "Looking at the images: 256 of 1,593"}])
    assert progress.doing == "Looking at the images: 256 of 1,593"
