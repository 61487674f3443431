"""The page of a run, from what lies in the run's folder."""

import json
import re
import shutil
import time
from collections.abc import Callable

import pyarrow
import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.train import replay
from fracture.files import write_json
from fracture.jobs import process
from fracture.registry.model_folder import ModelFolder, model_folder, read_object
from fracture.training.config import TrainConfig
from fracture.training.events import EventLog
from fracture.training.runs import queue
from tests.pages.test_pages import alone, healthy, watching, words
from tests.support.widgets import by_key, keys_of

DATA = {"images": 20, "training": 12, "validation": 8, "positives": 9, "label_names": ["normal", "abnormal"]}


@pytest.fixture
def running(homes, drawn) -> ModelFolder:
    """A run of three epochs that is at work, in this process, and has said nothing yet."""
    folder = model_folder("first")
    folder.path.mkdir(parents=True)
    config = TrainConfig(data=str(drawn), name="first", weights="none", epochs=3).to_json()
    status = {"state": "running", "config": config, "started": time.time(), **process.identity()}
    write_json(folder.status, status)
    return folder


def say(folder: ModelFolder, *events: dict) -> None:
    log = EventLog(folder.events)
    for event in events:
        log(**event)
    log.close()


def look(epoch: int, *probabilities: float) -> dict:
    return {"kind": "look", "epoch": epoch, "confusion": [4, 0, 0, 4], "probabilities": list(probabilities)}


def test_followed_image_after_two_epochs_shows_probability_arrow_and_truth(running, drawn):
    """Each probability names its label; a sign, not color alone, marks correct and wrong."""
    paths = [str(path) for path in sorted(drawn.rglob("*.png"))[:2]]
    followed = {"kind": "followed", "image_ids": ["a", "b"], "paths": paths, "labels": [0, 1]}
    say(running, {"kind": "data", **DATA, "problems": []}, followed, look(1, 0.62, 0.4), look(2, 0.46, 0.4))
    said = words(healthy(alone("train").run()))
    assert re.findall(r"(\w+) \*\*(\d+%)\*\* (.)", said) == [("abnormal", "46%", "↓"), ("abnormal", "40%", "→")]
    assert re.findall(r":material/(\w+):\] truth: (\w+)", said) == [("check", "normal"), ("close", "abnormal")]


EPOCH = {"kind": "epoch", "epoch": 1, "epochs": 3, "seconds": 1.0, "loss": 0.5, "val_loss": 0.4}


@pytest.mark.parametrize(("held_out", "part"), [({}, "validation"), ({"selection": 5}, "selection")])
def test_run_names_the_images_that_choose_its_epoch(running, held_out, part):
    """The validation images, as events of earlier versions mean, or those that are held out."""
    say(running, {"kind": "data", **DATA, **held_out, "problems": []}, EPOCH, look(1, 0.6))
    said = words(healthy(alone("train").run()))
    assert f"best epoch, by lowest {part} loss" in said and f"All {part} images after epoch 1" in said
    assert ("5 selection images, held out of training" in said) == bool(held_out)
    assert ("the validation images are evaluated once" in said) == bool(held_out)


KEPT = {"kind": "kept", "epoch": 2}


def test_run_with_a_stop_request_is_shown_as_stopping(running):
    """Train, Models and Home show *stopping* until the run has ended."""
    say(running, {"kind": "data", **DATA, "problems": []})
    app = healthy(alone("train").run())
    assert badge(app) == "running"
    queue.request_stop(queue.find_run(running))
    app.run()
    assert badge(app) == "stopping" and "Stopping after this step" in words(app)
    say(running, KEPT, {"kind": "step", "text": "Making the served graph"})
    said = words(healthy(app.run()))
    assert badge(app) == "stopping"
    assert "Stopping: saving the best epoch (2)" in said and "Making the served graph" in said
    assert list(healthy(alone("models").run()).dataframe[0].value["State"]) == ["stopping"]
    home = healthy(alone("home").run())
    assert home.get("progress")[0].proto.text.startswith("Training: Stopping: saving the best epoch")
    write_json(running.status, {**read_object(running.status), "state": "stopped"})
    assert badge(healthy(watching("first"))) == "stopped"


@pytest.mark.parametrize("ended", [[{"kind": "end", "state": "stopped", "seconds": 4.0}], []])
def test_resumed_run_before_its_first_event_shows_the_first_stage(running, monkeypatch, ended):
    """Until its process reports, the page does not show the stage at which the run ended, by a stop or by a kill."""
    monkeypatch.setattr(queue, "_spawn", lambda _: None)
    say(running, {"kind": "data", **DATA, "problems": []}, KEPT, *SAVING, *ended)
    write_json(running.status, {**read_object(running.status), "state": "stopped", "pid": 0})
    app = healthy(watching("first"))
    healthy(app.button(key="resume first").click().run())
    [bar] = app.get("progress")
    assert badge(app) == "running" and bar.proto.text.startswith("0% of the run")
    assert "Starting" in words(app) and "Saving the model" not in words(app)
    say(running, {"kind": "step", "text": "Reading the data set", "stage": "read"})
    assert "Reading the data set" in words(healthy(app.run()))


SAVING = [{"kind": "step", "text": "Saving the model", "stage": "save"}]


def badge(app: AppTest) -> str:
    """The state of the run that is shown."""
    found = re.search(r":[a-z]+-badge\[(\w+)\]", words(app))
    assert found, words(app)
    return found[1]


def test_active_run_in_the_middle_shows_its_stages_and_one_bar(running):
    """The stages are marked as done, current or pending, and one bar shows the share of the run."""
    say(running, {"kind": "data", **DATA, "problems": []})
    numbers = {"stage": "evaluate", "text": "Running the model on all images", "total": 1593}
    say(running, KEPT, {"kind": "step", **numbers, "done": 0}, {"kind": "step", **numbers, "done": 512})
    app = healthy(alone("train").run())
    said = words(app)
    assert "Running the model on all images: 512 of 1,593" in said
    assert steps(said) == [
        ("check_circle", "Read images"),
        ("check_circle", "Extract features"),
        ("check_circle", "Train"),
        ("arrow_circle_right", "Evaluate"),
        ("circle", "Export"),
    ]
    bars = app.get("progress")
    assert len(bars) == 1 and re.match(r"\d+% of the run", bars[0].proto.text)


def steps(said: str) -> list[tuple[str, str]]:
    """The icon and the title of each step of a run."""
    said = said.replace("\u00a0", " ")
    return re.findall(r":material/(check_circle|arrow_circle_right|circle|cancel):\]? \**(\w+(?: \w+)?)", said)


def test_fine_tuning_warms_up_in_its_first_epoch(running):
    """Where augmentation leaves no features to extract, the step before *Train* is the warm-up."""
    status = read_object(running.status)
    config = {**status["config"], "mode": "fine-tune", "augmentation": "full"}
    write_json(running.status, {**status, "config": config})
    say(running, {"kind": "data", **DATA, "problems": []}, {"kind": "step", "stage": "train", "text": "Preparing"})
    app = healthy(alone("train").run())
    assert ("arrow_circle_right", "Warm up") in steps(words(app))
    assert not [title for _, title in steps(words(app)) if title == "Extract features"]
    say(running, EPOCH)
    assert ("arrow_circle_right", "Train") in steps(words(healthy(app.run())))


def test_run_that_failed_marks_the_step_it_reached(running):
    """The steps before it are done, those after it are not."""
    say(running, {"kind": "data", **DATA, "problems": []}, EPOCH)
    write_json(running.status, {**read_object(running.status), "state": "failed", "error": "No space left."})
    app = watching("first")
    assert not app.exception and [error.value for error in app.error] == ["No space left."]
    assert ("cancel", "Train") in steps(words(app)) and ("circle", "Evaluate") in steps(words(app))


@pytest.mark.parametrize("usable", [False, True])
def test_resumed_run_that_fails_at_once_is_at_its_first_stage(running, make_model, usable):
    """Its last events are of the time before; a model that it made when it was stopped does not hide the failure."""
    say(running, {"kind": "data", **DATA, "problems": []}, EPOCH, KEPT, *SAVING)
    if usable:
        shutil.copy(make_model("other").card, running.card)
        shutil.copy(model_folder("other").served_model, running.served_model)
    failed = {"state": "failed", "error": "No space left.", "queued": time.time() + 60}
    write_json(running.status, {**read_object(running.status), **failed})
    found = steps(words(watching("first")))
    assert found[0] == ("cancel", "Read images") and {icon for icon, _ in found[1:]} == {"circle"}


def test_live_run_before_its_first_epoch_has_both_charts(running):
    """Empty axes hold the place of the curves, so that nothing moves when they come."""
    app = healthy(alone("train").run())
    assert len(app.get("vega_lite_chart")) == 2
    say(running, {"kind": "data", **DATA, "problems": []}, EPOCH)
    assert len(healthy(app.run()).get("vega_lite_chart")) == 2


@pytest.fixture
def ended(running, drawn) -> ModelFolder:
    """A run of three epochs that was stopped after them; two of its images are followed."""
    paths = [str(path) for path in sorted(drawn.rglob("*.png"))[:2]]
    followed = {"kind": "followed", "image_ids": ["a", "b"], "paths": paths, "labels": [0, 1]}
    say(running, {"kind": "data", **DATA, "problems": []}, followed)
    for number, loss in ((1, 0.6), (2, 0.4), (3, 0.5)):
        epoch = {**EPOCH, "epoch": number, "loss": loss, "val_loss": loss, "accuracy": 0.5, "val_accuracy": 0.5}
        say(running, epoch, look(number, loss, 0.9))
    say(running, {"kind": "kept", "epoch": 2})
    write_json(running.status, {**read_object(running.status), "state": "stopped"})
    return running


def lines(app: AppTest) -> dict[str, int]:
    """The lines of the chart of the loss, and how many epochs each has."""
    chart = app.get("vega_lite_chart")[0].proto
    assert json.loads(chart.spec)["title"]["text"] == "Loss"
    data = pyarrow.ipc.open_stream(chart.data.data).read_pandas()
    return {part: len(rows) for part, rows in data.groupby("part")}


def test_replay_slider_shows_the_run_as_it_was_after_an_epoch(ended):
    """Curves, the best epoch, the followed images and their confusion matrix are those of the chosen epoch."""
    app = healthy(watching("first"))
    assert lines(app) == {"Training": 3, "Validation": 3, "Best epoch": 1}
    assert "abnormal **50%**" in words(app) and "after epoch 3" in words(app)
    healthy(by_key(app.slider, "replayed epoch").set_value(1).run())
    assert lines(app) == {"Training": 1, "Validation": 1, "Best epoch": 1}
    assert "abnormal **60%**" in words(app) and "after epoch 1" in words(app)


@pytest.fixture
def pass_seconds(monkeypatch) -> Callable[[float], None]:
    """Moves the clock of a replay, which stands still otherwise."""
    now = [1000.0]
    monkeypatch.setattr(replay, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_replay_plays_from_the_first_epoch_to_the_last_and_ends(ended, pass_seconds):
    """After its time each epoch gives way to the next; after the last one the page no longer repeats itself."""
    app = healthy(watching("first"))
    healthy(by_key(app.button, "play").click().run())
    seen = [len_of_curve(app)]
    while app.session_state["replayed run"]:
        pass_seconds(replay.SECONDS_PER_FRAME)
        healthy(app.run())
        seen.append(len_of_curve(app))
    assert seen == [1, 2, 3]
    assert keys_of(healthy(app.run()).button, "play") and len_of_curve(app) == 3


def len_of_curve(app: AppTest) -> int:
    return lines(app)["Validation"]


def test_replay_moves_on_by_time_and_not_by_a_click_elsewhere(ended, pass_seconds):
    """A page that is drawn anew within a frame's time shows the same epoch; one that is late skips none."""
    app = healthy(watching("first"))
    healthy(by_key(app.button, "play").click().run())
    for _ in range(3):
        pass_seconds(0.1)
        assert len_of_curve(healthy(app.run())) == 1
    pass_seconds(10 * replay.SECONDS_PER_FRAME)
    assert len_of_curve(healthy(app.run())) == 2


def test_replay_keeps_the_specification_of_its_charts(ended, pass_seconds):
    """Only the data change from epoch to epoch, the alternative text neither: else the browser mounts a new chart."""
    app = healthy(watching("first"))
    healthy(by_key(app.button, "play").click().run())
    seen = set()
    for _ in range(3):
        seen.add(tuple((each.proto.spec, each.proto.alt) for each in app.get("vega_lite_chart")))
        pass_seconds(replay.SECONDS_PER_FRAME)
        healthy(app.run())
    assert len(seen) == 1 and len(seen.pop()) == 4


def test_replay_at_half_speed_takes_twice_the_time(ended, pass_seconds):
    """The visitor chooses the speed while it plays."""
    app = healthy(watching("first"))
    healthy(by_key(app.button, "play").click().run())
    healthy(by_key(app.segmented_control, "replay speed").set_value(0.5).run())
    pass_seconds(replay.SECONDS_PER_FRAME)
    assert len_of_curve(healthy(app.run())) == 1
    pass_seconds(replay.SECONDS_PER_FRAME)
    assert len_of_curve(healthy(app.run())) == 2


@pytest.mark.usefixtures("pass_seconds")
def test_replay_that_is_paused_stays_and_goes_on_from_there(ended):
    """Pause keeps the epoch; Replay goes on with the next one."""
    app = healthy(watching("first"))
    healthy(by_key(app.button, "play").click().run())
    assert len_of_curve(app) == 1
    healthy(by_key(app.button, "pause").click().run())
    assert len_of_curve(healthy(app.run())) == 1
    healthy(by_key(app.button, "play").click().run())
    assert len_of_curve(app) == 2


@pytest.mark.usefixtures("pass_seconds")
def test_replay_in_a_presentation_goes_by_steps_and_pauses_at_each(ended):
    """The next epoch after the last is the first; a step while the replay plays ends the playing."""
    app = watching("first")
    app.session_state["presenting"] = True
    healthy(app.run()).button(key="next_step").click().run()
    assert len_of_curve(healthy(app)) == 1
    healthy(by_key(app.button, "play").click().run())
    healthy(app.button(key="next_step").click().run())
    assert app.session_state["replayed run"] == "" and len_of_curve(app) == 3


def test_log_of_a_run_has_its_epochs_and_the_lines_of_its_process(ended):
    """The table marks the kept epoch; both are read when the log is opened."""
    ended.log.write_text("INFO: a line of the process")
    app = healthy(watching("first"))
    assert not app.dataframe
    app.session_state["log first"] = True
    table = healthy(app.run()).dataframe[0].value
    assert list(table["Best"]) == ["", "★", ""] and list(table["Loss, validation"]) == [0.6, 0.4, 0.5]
    assert app.code[0].value == "INFO: a line of the process"
