"""Data sets of phantoms on disk."""

import errno
import json
import os
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from fracture.data.dataset import scan
from fracture.errors import DatasetError
from fracture.imaging.radiograph import load
from fracture.jobs import process as background
from fracture.phantoms import generate, job
from fracture.phantoms.generate import order_of, split_of, studies_of, write
from fracture.phantoms.job import Plan, find_drawing
from fracture.phantoms.records import read_rows, truth_words

PLAN = Plan(patients=4, seed=7, difficulty=0.25)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Four patients, drawn by two processes: read it only."""
    root = tmp_path_factory.mktemp("phantoms") / "set"
    assert write(root, PLAN, processes=2).state == "complete"
    return root


@pytest.fixture
def copied(drawn, tmp_path) -> Path:
    """The same four patients, to be changed."""
    return Path(shutil.copytree(drawn, tmp_path / "set"))


def images(root: Path) -> dict[str, Path]:
    """Those that a reader meets: what is being written lies in hidden folders."""
    found = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("image*.png"))}
    return {name: path for name, path in found.items() if "/." not in name}


def written(root: Path) -> dict[str, int]:
    return {name: path.stat().st_mtime_ns for name, path in images(root).items()}


def test_the_same_plan_draws_the_same_bytes(drawn, tmp_path, monkeypatch):
    """Neither the order of the patients nor the number of processes matters."""
    monkeypatch.setattr(generate, "order_of", lambda patients: list(range(patients, 0, -1)))
    write(tmp_path, PLAN, processes=1)
    again = {name: path.read_bytes() for name, path in images(tmp_path).items()}
    assert again == {name: path.read_bytes() for name, path in images(drawn).items()}
    assert (tmp_path / "truth.csv").read_bytes() == (drawn / "truth.csv").read_bytes()
    assert len(set(again.values())) == len(again)


def test_it_is_read_as_a_mura_tree_with_truth(drawn):
    """Whole patients are held out, labels are those of the folders, and boxes come with every abnormal image."""
    found = scan(drawn)
    assert found.layout == "MURA"
    assert found.synthetic
    assert dict(found.table.groupby("patient")["split"].first()) == {
        "patient00001": "train", "patient00002": "train", "patient00003": "train", "patient00004": "valid",
    }  # fmt: skip
    rows = {row["image"]: row for row in read_rows(drawn / "truth.csv")}
    assert set(rows) == set(found.table["image_id"]) == set(images(drawn))
    for image in found.table.itertuples():
        assert rows[image.image_id]["label"] == str(image.label)
        assert bool(rows[image.image_id]["fracture"] or rows[image.image_id]["hardware"]) == bool(image.label)
        assert bool(image.boxes) == bool(image.label)
        assert image.view == rows[image.image_id]["view"]
    assert set(found.table["label"]) == {0, 1}


def test_png_text_says_that_it_is_synthetic(drawn):
    """An image's text says that it is synthetic and how to generate it again, and reading it tells."""
    name, path = next(iter(images(drawn).items()))
    with Image.open(path) as image:
        assert image.mode == "L"
        assert image.size == (512, 512)
        assert image.info["Description"].startswith("Synthetic radiograph")
        said = {key: image.info[key] for key in ("seed", "patient", "study", "view", "difficulty")}
    row = next(row for row in read_rows(drawn / "truth.csv") if row["image"] == name)
    assert said == {"seed": "7", "difficulty": "0.25", **{key: row[key] for key in ("patient", "study", "view")}}
    assert load(path).synthetic


def test_truth_words_of_listed_images(drawn, tmp_path):
    """Images that are not listed have no words."""
    rows = read_rows(drawn / "truth.csv")
    words = truth_words([drawn / row["image"] for row in rows])
    for row, said in zip(rows, words, strict=True):
        assert said == "nothing abnormal" if row["label"] == "0" else row["fracture"] in said
    assert truth_words([drawn / "train" / "other.png"]) == [""]
    (tmp_path / "truth.csv").write_text("image,view,boxes,mask\na.png,AP,,\n")
    assert truth_words([tmp_path / "a.png"]) == [""]


def test_it_goes_on_where_it_stopped(copied):
    """What is on disk is not drawn again, whether truth.csv lists it or not; what is lacking or cut short is."""
    before, truth = written(copied), (copied / "truth.csv").read_bytes()
    lost, short, *_ = sorted({path.parent for path in images(copied).values()})
    shutil.rmtree(lost)
    next(short.glob("*.png")).write_bytes(b"\x89PNG\r\n\x1a\n cut short")
    (copied / "truth.csv").unlink()
    whole = next(path for path in sorted({path.parent for path in images(copied).values()}) if path != short)
    whole.rename(whole.with_name(f".{whole.name}"))  # as a process leaves it that is killed before it lists it
    (lost.with_name(".part1")).mkdir()
    status = json.loads((copied / "phantom.json").read_text())
    (copied / "phantom.json").write_text(json.dumps({**status, "done": 2}))
    assert find_drawing(copied).state == "interrupted"
    assert write(copied, PLAN, processes=2).state == "complete"
    redrawn = {name for name, at in written(copied).items() if before[name] != at}
    assert redrawn == {name for name in before if (copied / name).parent in (lost, short)}
    assert (copied / "truth.csv").read_bytes() == truth


def test_a_complete_set_is_left_as_it_is(copied):
    """The same command again draws nothing."""
    before = written(copied)
    assert write(copied, PLAN).images == len(before)
    assert written(copied) == before


def test_a_reader_meets_whole_states_only(tmp_path):
    """At any moment truth.csv lists exactly the images that are there; a request to stop leaves a set to go on with."""
    seen = []

    def say(state):
        rows = read_rows(tmp_path / "truth.csv")
        assert {row["image"] for row in rows} == set(images(tmp_path))
        assert find_drawing(tmp_path).images == len(rows) == state.images
        seen.append(state.images)
        if state.images:
            job.request_stop(tmp_path)

    stopped = write(tmp_path, Plan(patients=30, seed=1), say, processes=2)
    assert seen[0] == 0
    assert stopped.state == find_drawing(tmp_path).state == "interrupted"
    assert 0 < stopped.done < 30
    assert scan(tmp_path).synthetic


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(patients=5, seed=7, difficulty=0.25), "Received: 5 patients"),
        (Plan(patients=4, seed=8, difficulty=0.25), "seed 8"),
        (Plan(patients=4, seed=7, difficulty=0.5), "difficulty 0.5"),
    ],
)
def test_other_settings_are_refused(copied, plan, words):
    """A folder holds one drawing, and is not touched by another."""
    before = written(copied)
    with pytest.raises(DatasetError, match=words):
        write(copied, plan)
    assert written(copied) == before


def test_other_folders_are_refused(tmp_path):
    """Anything that is in the folder already, or that is no folder, is left alone."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"must be empty.*notes\.txt"):
        write(tmp_path, PLAN)
    with pytest.raises(DatasetError, match="cannot be written to"):
        write(tmp_path / "notes.txt", PLAN)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    """The reason is said, and kept for whoever looks at the folder later."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(generate, "_draw", full)
    with pytest.raises(DatasetError, match="No space left on device"):
        write(tmp_path, PLAN)
    assert find_drawing(tmp_path).state == "interrupted"
    assert find_drawing(tmp_path).error == "No space left on device"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"patients": 1}, "patients must be 2 to 20000. Received: 1"),
        ({"patients": 20_001}, "patients must be"),
        ({"seed": -1}, "seed must be 0 to 2147483648. Received: -1"),
        ({"difficulty": 1.01}, "difficulty must be 0 to 1. Received: 1.01"),
        ({"difficulty": float("nan")}, "difficulty must be 0 to 1. Received: nan"),
    ],
)
def test_a_plan_has_limits(values, words):
    """What is out of range is said with what was allowed."""
    with pytest.raises(DatasetError, match=words):
        Plan(**values)


def test_split_of_last_fifth_is_valid():
    """The last fifth is held out, at least one; the first ones in order come from both splits."""
    assert [split_of(patient, 10) for patient in range(1, 11)] == ["train"] * 8 + ["valid"] * 2
    assert [split_of(patient, 2) for patient in (1, 2)] == ["train", "valid"]
    order = order_of(200)
    assert sorted(order) == list(range(1, 201))
    assert {split_of(patient, 200) for patient in order[:8]} == {"train", "valid"}
    several = sum(studies_of(1, patient) == 2 for patient in range(1, 1001))
    assert 50 < several < 110


def test_a_process_that_is_gone_is_noticed(tmp_path):
    """A drawing goes on as long as its process lives, or has only just been started."""
    me, soon = background.identity(), time.time()
    states = [
        ({**me, "heartbeat": soon}, "drawing"),
        ({**me, "process_started": me["process_started"] - 60, "heartbeat": soon}, "interrupted"),
        ({**me, "heartbeat": soon, "ended": True}, "interrupted"),
        ({"heartbeat": soon}, "drawing"),
        ({"heartbeat": soon - 60}, "interrupted"),
    ]
    assert find_drawing(tmp_path) is None
    for process, state in states:
        said = {"patients": 4, "seed": 7, "difficulty": 0.25, "done": 1, "images": 2, **process}
        (tmp_path / "phantom.json").write_text(json.dumps(said))
        assert find_drawing(tmp_path).state == state
    (tmp_path / "phantom.json").write_text("{")
    assert find_drawing(tmp_path) is None


def test_one_is_drawn_at_a_time(tmp_path):
    """A folder that another process draws into is not drawn into, nor is one started beside it."""
    status = {"patients": 4, "seed": 7, "difficulty": 0.25, "renderer": job.RENDERER, "done": 1, "images": 2}
    parent = {"pid": 1, "process_started": background.psutil.Process(1).create_time()}
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "phantom.json").write_text(json.dumps({**status, **parent}))
    for begin in (lambda: write(tmp_path / "busy", PLAN), lambda: job.start(tmp_path / "other", PLAN)):
        with pytest.raises(DatasetError, match="busy is being drawn by another process"):
            begin()
    assert not (tmp_path / "other").exists()
