"""Events, and what they add up to."""

from fracture.training.config import TrainConfig
from fracture.training.events import STAGES, EventLog, read_events
from fracture.training.pipeline import run
from fracture.training.runs.progress import MOST_STEPS, Progress


def test_each_read_gives_only_what_is_new(tmp_path):
    """A reader that remembers its offset never reads an event twice."""
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


def test_half_a_line_waits_and_a_damaged_one_is_passed_over(tmp_path):
    """A line being written is read when it is whole; garbage does not hide what follows."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "step", "text": "a"}\n\xff\xfe\n[1]\n{"kind": "st')
    events, offset = read_events(path)
    assert [event["text"] for event in events] == ["a"]
    with path.open("ab") as file:
        file.write(b'ep", "text": "b"}\n')
    assert [event["text"] for event in read_events(path, offset)[0]] == ["b"]


def test_a_missing_file_has_no_events(tmp_path):
    """A training that has not spoken yet is no error."""
    assert read_events(tmp_path / "none.jsonl") == ([], 0)


def test_progress_adds_up_the_events():
    """Curves, the kept epoch and the time left follow from the events alone."""
    progress = Progress()
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


def test_damaged_events_are_passed_over():
    """An event without its keys changes nothing, and what follows is still taken in."""
    progress = Progress()
    kinds = ("data", "features", "network", "epoch", "kept", "step", "end")
    progress.add([{"kind": kind, "time": 0} for kind in kinds])
    assert progress == Progress()
    progress.add([{"kind": "kept", "time": 0, "epoch": 3}])
    assert progress.kept_epoch == 3


def test_what_a_killed_process_left_of_a_line_is_cut_off(tmp_path):
    """Whoever goes on writing begins a line of its own."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "step", "text": "a"}\n{"kind": "st')
    log = EventLog(path)
    log("step", text="b")
    log.close()
    assert [event["text"] for event in read_events(path)[0]] == ["a", "b"]
    assert len(path.read_bytes().splitlines()) == 2


def test_an_interrupted_epoch_counts_once():
    """Gone on with, the curves go on from the last epoch that was kept; an end that was none is forgotten."""
    data = {"kind": "data", "images": 4, "training": 2, "validation": 2, "positives": 2, "label_names": ["a", "b"]}
    progress = Progress()
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


def test_the_points_within_epochs_are_bounded():
    """However long a training takes, a page draws no more than so many."""
    progress = Progress()
    progress.add(event for number in range(1, 4001) for event in _epoch(number, 0.5))
    assert len(progress.step_losses) <= MOST_STEPS
    assert progress.step_losses[0][0] == 0.5 and progress.step_losses[-1][0] == 4000


def test_what_is_followed_has_a_before_and_an_after():
    """By which a page says whether a probability rose."""
    progress = Progress()
    looks = [{"kind": "look", "epoch": each, "confusion": [1, 0, 0, 1], "probabilities": [each / 4]} for each in (1, 2)]
    progress.add(looks)
    assert (progress.looked_before, progress.look) == tuple(looks)


def step(text, stage, time=0.0, **numbers):
    return {"kind": "step", "time": time, "text": text, "stage": stage, **numbers}


def shares(progress, events):
    found = []
    for event in events:
        progress.add([event])
        found.append(progress.share)
    return found


def test_one_bar_goes_over_a_real_run(homes, drawn):
    """From 0 to 1 and never back, through all five stages in their order; a long step carries its numbers."""
    said = []
    config = TrainConfig(data=str(drawn), name="m", weights="bundled-8bit", image_size=75, epochs=3)
    run(config, lambda kind, **values: said.append({"kind": kind, "time": 0.0, **values}))
    progress, stages = Progress(config.to_json()), []
    for event in said:
        progress.add([event])
        stages.append(progress.stage)
    assert list(dict.fromkeys(stages)) == list(progress.stages) == list(STAGES)
    found = shares(Progress(config.to_json()), said)
    assert found == sorted(found) and 0 <= found[0] < 0.1 and found[-1] == 1
    features = [event for event in said if event["kind"] == "features"]
    counts = [event["done"] for event in features]
    assert counts == sorted(counts) and len({event["total"] for event in features}) == 1, "the mirrored images, too"


def test_fine_tuning_has_no_feature_stage_and_its_bar_never_goes_back():
    """Where images change from epoch to epoch there are no features to compute."""
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
    progress = Progress(config)
    assert progress.stages == ("read", "train", "evaluate", "save")
    found = shares(progress, events)
    assert found == sorted(found) and len(set(found)) > 12 and found[-1] == 1


def test_a_long_step_says_its_numbers_and_the_time_left():
    """As far as the events tell it."""
    progress = Progress()
    progress.add([step("Running the model", "evaluate", 10.0, done=0, total=1593)])
    assert progress.seconds_left is None
    progress.add([step("Running the model", "evaluate", 18.0, done=531, total=1593)])
    assert progress.doing == "Running the model: 531 of 1,593"
    assert progress.seconds_left == 16.0


def test_a_resumed_run_has_a_bar_of_its_own():
    """What the interrupted one had reached says nothing of how far this one is."""
    progress = Progress({"epochs": 2})
    progress.add([step("Saving the model", "save"), {"kind": "end", "state": "stopped", "seconds": 1}])
    assert progress.share == 1
    progress.add([step("Reading the data set", "read")])
    assert progress.share < 0.1 and progress.stage == "read"


def test_steps_of_a_former_version_can_still_be_followed():
    """They have a text alone; the other events tell the stage."""
    progress = Progress({"epochs": 3})
    old = [{"kind": "step", "text": "Building the network"}, *_epoch(1, 0.5), {"kind": "kept", "epoch": 1}]
    assert shares(progress, old) == sorted(shares(Progress({"epochs": 3}), old))
    assert progress.stage == "evaluate"
    progress.add([{"kind": "step", "text": "Looking at the images: 256 of 1,593"}])
    assert progress.doing == "Looking at the images: 256 of 1,593"
