"""Events, and what they add up to."""

from fracture.learn.events import EventLog, read_events
from fracture.learn.progress import Progress


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
