"""Files that are damaged: a sentence about the one, and the others stay usable."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from fracture.cli.main import main
from fracture.errors import ModelError
from fracture.files import MAX_JSON_BYTES, read_json, write_json
from fracture.importers.job import find_import
from fracture.paths import PROJECT
from fracture.phantoms.job import find_phantom_job
from fracture.registry.model_folder import model_folder, read_card
from fracture.training.events import read_events
from fracture.training.runs import queue
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.run import ENDED
from tests.faults.damage import BYTES, as_json, damage, write, wrong_values
from tests.pages.test_pages import words

ASKED = {
    "train": ({"run": ["bad"]}, {}),
    "comparison": ({"runs": ["bad", "good"]}, {}),
    "models": ({"model": ["bad"]}, {}),
    "classify": ({"model": ["bad"]}, {}),
    "playground": ({}, {"features": "bad"}),
    "shortcuts": ({}, {}),
    "home": ({}, {}),
    "data": ({}, {}),
}
"""Each page, asked for the damaged model: its address, and what was chosen on it."""

FILES = {"comparison": "models"}
"""The page's file, where it is another word."""


def show(page: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "pages" / f"{FILES.get(page, page)}.py"), default_timeout=60)
    address, chosen = ASKED[page]
    for name, value in address.items():
        app.query_params[name] = value
    for name, value in {"routed": True, **chosen}.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture
def bad(homes, make_model):
    make_model("good")
    return make_model("bad")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "how", "pages", "said"),
    [
        ("card.json", "cut", ("home", "models", "classify", "shortcuts"), "bad/card.json cannot be read"),
        ("card.json", "deep", ("data", "comparison", "train"), "nested too deeply"),
        ("card.json", "a folder", ("models", "classify", "comparison"), "bad/card.json cannot be read"),
        ("status.json", "garbage", ("train", "comparison", "playground"), "of this run is damaged"),
        ("events.jsonl", "a folder", ("train", "comparison"), ""),
        ("events.jsonl", "zeros", ("train",), ""),
        ("history.json", "a list", ("comparison",), ""),
        ("predictions.csv", "garbage", ("models", "comparison", "data"), "missing or damaged"),
        ("familiarity.npz", "cut", ("classify",), "familiarity.npz is not the file"),
        ("model.tflite", "empty", ("classify", "shortcuts"), "model.tflite is not the file"),
    ],
)
def test_every_page_draws_beside_a_damaged_file(bad, file, how, pages, said):
    """No page breaks off; the damaged one is said to be so where it is asked for, and the other one can be chosen."""
    damage(bad.path / file, how)
    shown = {page: show(page) for page in pages}
    everything = "\n".join(words(app) + str([frame.value for frame in app.dataframe]) for app in shown.values())
    assert said in everything.replace("\\", "")
    for page, key in {"train": "run", "models": "runs", "classify": "model"}.items():
        if page in shown:
            app = shown[page]
            app.query_params.clear()
            if page == "models":
                app.multiselect(key=key).set_value(["good"]).run()
            else:
                app.selectbox(key=key).set_value("good").run()
            assert not app.exception and not app.error, words(app)


def test_a_card_of_wrong_types_is_refused_in_words(homes, trained):
    """Whatever stands at any of its first places: a sentence that names the model, or a card that can be used."""
    whole, folder = read_json(trained.card), model_folder("bad")
    folder.path.mkdir()
    refused = 0
    for where, said in wrong_values({**whole, "libraries": {}}, 2):
        write(folder.card, as_json(said))
        try:
            card = read_card(folder)
            assert [type(word) for word in card.labels] == [str, str], where
        except ModelError as error:
            refused += 1
            assert "'bad'" in str(error), where
    assert refused > 100


def test_a_file_that_is_far_too_large_is_not_read(tmp_path):
    """It would take the memory that others need."""
    with (tmp_path / "card.json").open("wb") as file:
        file.truncate(MAX_JSON_BYTES + 1)
    with pytest.raises(ValueError, match="at most"):
        read_json(tmp_path / "card.json")


def test_a_status_of_wrong_types_is_a_run_all_the_same(homes, trained):
    """It can be listed, drawn and resumed, or is said to be damaged; where there is a card, the run has finished."""
    folder, whole = model_folder("bad"), read_json(trained.status)
    folder.path.mkdir()
    for state in ("running", "finished", "queued"):
        for where, said in wrong_values({**whole, "state": state}, 2):
            write(folder.status, as_json(said))
            run = queue.find_run(folder)
            assert run is not None and run.state in ("queued", "running", *ENDED), where
            assert isinstance(run.started, float | int) and isinstance(run.config, dict), where
    write(folder.status, b"{")
    write(folder.card, trained.card.read_bytes())
    found = queue.find_run(folder)
    assert (found.state, found.config["epochs"]) == ("finished", 3)
    assert "status.json of this run is damaged" in found.error


def test_events_of_wrong_types_are_passed_over(trained, tmp_path):
    """Each kind of event, wrong at each place: the others are counted, and what is shown can be."""
    lines = trained.events.read_text().splitlines()
    kinds = {json.loads(line)["kind"]: line for line in lines}
    for kind, line in kinds.items():
        for where, said in wrong_values(json.loads(line), 2):
            progress = RunProgress()
            progress.add([said] if "kind" in said else [])
            progress.add(json.loads(each) for each in lines)
            assert progress.epoch == 3, f"{kind} {where}"
            assert progress.share_of_epoch <= 1 and (progress.seconds_left or 0) >= 0
    for how, content in BYTES.items():
        write(tmp_path / "events.jsonl", content(trained.events.read_bytes()))
        assert isinstance(read_events(tmp_path / "events.jsonl")[0], list), how


@pytest.mark.parametrize(("name", "find"), [("import.json", find_import), ("phantom.json", find_phantom_job)])
def test_find_job_with_wrong_types_in_its_status_returns_none_or_a_job(tmp_path, name, find):
    """Whatever a status file says, the job can be shown and resumed, or there is none."""
    progress = {"files": 3, "total_files": 6, "bytes": 300, "total_bytes": None, "seconds_left": 2.5, "note": None}
    said = {"source": "kaggle", "choices": {"a": 1}, "how": {}, "progress": progress, "complete": False, "error": None}
    said |= {"patients": 4, "seed": 1, "difficulty": 0.2, "done": 1, "images": 3, "pid": 1, "process_started": 1.0}
    write_json(tmp_path / name, said)
    assert find(tmp_path).state == "interrupted"
    for where, wrong in wrong_values(said, 2):
        write(tmp_path / name, as_json(wrong))
        found = find(tmp_path)
        assert found is None or found.state in ("importing", "generating", "complete", "interrupted"), where


@pytest.mark.parametrize(
    ("file", "how", "command", "said"),
    [
        ("card.json", "deep", ["classify", "IMAGE", "--model", "bad"], "nested too deeply"),
        ("model.tflite", "garbage", ["evaluate", "--model", "bad", "--data", "DATA"], "model.tflite is not the file"),
        ("familiarity.npz", "zeros", ["classify", "IMAGE", "--model", "bad"], "familiarity.npz is not the file"),
        ("curation.csv", "garbage", ["dataset", "DATA"], "cannot be read as a table"),
    ],
)
def test_the_command_line_says_what_is_damaged(bad, home_with_data, capsys, file, how, command, said):
    """Exit status 1, one sentence, and no traceback; the others are listed."""
    data = home_with_data / "data" / "drawn"
    (data / "curation.csv").write_text("time,image_id,decision,reason\n")
    damage((data if file == "curation.csv" else bad.path) / file, how)
    places = {"IMAGE": str(next(data.rglob("*.png"))), "DATA": str(data)}
    assert main([places.get(word, word) for word in command]) == 1
    told = capsys.readouterr()
    assert said in told.err and "Traceback" not in told.err
    assert main(["models"]) == 0
    assert "good" in capsys.readouterr().out
