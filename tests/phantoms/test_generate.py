"""Data sets of phantoms on disk."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from fracture import cluster
from fracture.data.dataset import scan
from fracture.errors import DatasetError, WorkerError
from fracture.imaging.radiograph import load
from fracture.jobs import process
from fracture.phantoms import generate, job
from fracture.phantoms.generate import order_of, split_of, studies_of, write
from fracture.phantoms.job import PhantomJob, find_phantom_job
from fracture.phantoms.plan import HARDWARE_SHARE, Plan
from fracture.phantoms.records import read_rows, truth_words
from tests.support.clusters import kill_a_dask_worker, kill_a_worker, start_cluster

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


@pytest.mark.slow
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
        said = {key: image.info[key] for key in ("seed", "patient", "study", "view", "difficulty", "hardware_share")}
    row = next(row for row in read_rows(drawn / "truth.csv") if row["image"] == name)
    plan = {"seed": "7", "difficulty": "0.25", "hardware_share": "0.3"}
    assert said == {**plan, **{key: row[key] for key in ("patient", "study", "view")}}
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


@pytest.mark.slow
def test_write_into_an_interrupted_set_draws_only_what_is_missing(copied):
    """Whole studies on disk are kept, whether truth.csv lists them or not; missing and damaged ones are drawn."""
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
    assert find_phantom_job(copied).state == "interrupted"
    assert write(copied, PLAN, processes=2).state == "complete"
    redrawn = {name for name, at in written(copied).items() if before[name] != at}
    assert redrawn == {name for name in before if (copied / name).parent in (lost, short)}
    assert (copied / "truth.csv").read_bytes() == truth


@pytest.mark.slow
def test_write_with_a_killed_process_draws_the_same_bytes(drawn, tmp_path):
    """The patients of a process that was killed with ``kill -9`` are drawn by another one."""
    killed = []

    def kill_one(state):
        if state.images and not killed:
            killed.append(kill_a_worker())

    write(tmp_path, PLAN, kill_one, processes=2)
    again = {name: path.read_bytes() for name, path in images(tmp_path).items()}
    assert killed and again == {name: path.read_bytes() for name, path in images(drawn).items()}
    assert (tmp_path / "truth.csv").read_bytes() == (drawn / "truth.csv").read_bytes()


@pytest.mark.slow
def test_write_on_a_cluster_with_a_killed_worker_draws_the_same_bytes(drawn, tmp_path):
    """Its patients are drawn by another worker."""
    killed = []
    root = tmp_path / "phantoms"
    with start_cluster(tmp_path, workers=2) as address:

        def kill_one(state):
            if state.images and not killed:
                killed.append(kill_a_dask_worker(address))

        assert write(root, PLAN, kill_one, cluster=address).state == "complete"
    again = {name: path.read_bytes() for name, path in images(root).items()}
    assert killed and again == {name: path.read_bytes() for name, path in images(drawn).items()}
    assert (root / "truth.csv").read_bytes() == (drawn / "truth.csv").read_bytes()


def test_write_on_a_cluster_that_does_not_answer_is_a_sentence(tmp_path, monkeypatch):
    """Which the folder's status has as well."""
    pytest.importorskip("distributed", reason="needs the extra: pip install 'fracture[cluster]'")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(WorkerError, match="must be the address of a Dask scheduler"):
        write(tmp_path, PLAN, cluster="tcp://127.0.0.1:9")
    assert "must be the address of a Dask scheduler" in find_phantom_job(tmp_path).error


def test_write_into_a_complete_set_changes_nothing(copied):
    """The same command again draws nothing."""
    before = written(copied)
    assert write(copied, PLAN).images == len(before)
    assert written(copied) == before


@pytest.mark.slow
def test_write_when_asked_to_stop_leaves_whole_studies(tmp_path):
    """At any moment truth.csv lists exactly the images on disk; a stopped set can be resumed."""
    seen = []

    def say(state):
        rows = read_rows(tmp_path / "truth.csv")
        assert {row["image"] for row in rows} == set(images(tmp_path))
        assert find_phantom_job(tmp_path).images == len(rows) == state.images
        seen.append(state.images)
        if state.images:
            job.request_stop(tmp_path)

    stopped = write(tmp_path, Plan(patients=30, seed=1), say, processes=2)
    assert seen[0] == 0
    assert stopped.state == find_phantom_job(tmp_path).state == "interrupted"
    assert 0 < stopped.done < 30
    assert scan(tmp_path).synthetic


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(patients=5, seed=7, difficulty=0.25), "Received: 5 patients"),
        (Plan(patients=4, seed=8, difficulty=0.25), "seed 8"),
        (Plan(patients=4, seed=7, difficulty=0.5), "difficulty 0.5"),
        (Plan(patients=4, seed=7, difficulty=0.25, hardware_share=0.5), "hardware share 0.5"),
        (Plan(patients=4, seed=7, difficulty=0.25, hardware_share=None), "hardware share former"),
    ],
)
def test_write_with_other_settings_is_refused(copied, plan, words):
    """A folder holds the phantoms of one plan; another plan does not touch it."""
    before = written(copied)
    with pytest.raises(DatasetError, match=words):
        write(copied, plan)
    assert written(copied) == before


def test_write_into_a_foreign_folder_is_refused(tmp_path):
    """A folder with other files, or a path that is no folder, is left alone."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"must be empty.*notes\.txt"):
        write(tmp_path, PLAN)
    with pytest.raises(DatasetError, match="cannot be written to"):
        write(tmp_path / "notes.txt", PLAN)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_write_on_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    """The error says why, and the status file records it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(generate, "_generate", full)
    with pytest.raises(DatasetError, match="No space left on device"):
        write(tmp_path, PLAN)
    assert find_phantom_job(tmp_path).state == "interrupted"
    assert find_phantom_job(tmp_path).error == "No space left on device"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"patients": 1}, "patients must be 2 to 20000. Received: 1"),
        ({"patients": 20_001}, "patients must be"),
        ({"seed": -1}, "seed must be 0 to 2147483648. Received: -1"),
        ({"difficulty": 1.01}, "difficulty must be 0 to 1. Received: 1.01"),
        ({"difficulty": float("nan")}, "difficulty must be 0 to 1. Received: nan"),
        ({"hardware_share": -0.1}, "hardware_share must be 0 to 1. Received: -0.1"),
        ({"hardware_share": float("nan")}, "hardware_share must be 0 to 1. Received: nan"),
    ],
)
def test_plan_out_of_range_is_refused(values, words):
    """The error says what is allowed and what came."""
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


@pytest.mark.parametrize(
    ("writer", "state"),
    [
        ({}, "generating"),
        ({"process_started": 1.0}, "interrupted"),
        ({"ended": True}, "interrupted"),
        ({"done": 4}, "complete"),
    ],
)
def test_find_phantom_job_by_what_its_process_wrote_returns_its_state(tmp_path, writer, state):
    """Phantoms are being generated as long as their process runs and some are missing."""
    status = {"patients": 4, "seed": 7, "difficulty": 0.25, "done": 1, "images": 2, **process.identity(), **writer}
    (tmp_path / "phantom.json").write_text(json.dumps(status))
    assert find_phantom_job(tmp_path).state == state


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"patients": -1, "seed": 1}'])
def test_find_phantom_job_without_a_whole_status_returns_none(tmp_path, content):
    """A folder without a status, or with a damaged one, is no folder of phantoms."""
    if content is not None:
        (tmp_path / "phantom.json").write_text(content)
    assert find_phantom_job(tmp_path) is None


def test_save_and_find_phantom_job_agree_on_the_file(tmp_path):
    """The keys of phantom.json are those that former versions read and write."""
    running = PhantomJob(tmp_path, PLAN, 1, 2, working=True, seconds_left=30.5)
    job.save(running, **process.identity())
    assert find_phantom_job(tmp_path) == running
    keys = {"patients", "seed", "difficulty", "renderer", "done", "images", "seconds_left", "error", "heartbeat"}
    keys |= process.identity().keys()
    status = json.loads((tmp_path / "phantom.json").read_text())
    assert status.keys() == keys | {"hardware_share"}
    job.save(replace(running, plan=replace(PLAN, hardware_share=None)), **process.identity())
    former = json.loads((tmp_path / "phantom.json").read_text())
    assert former.keys() == keys
    assert (former["renderer"], status["renderer"]) == (job.FORMER_RENDERER, job.RENDERER)


def test_find_phantom_job_of_a_file_without_hardware_share_returns_the_former_rule(tmp_path):
    """A file that was written before the field means the rule of its time, not today's default."""
    status = {"patients": 4, "seed": 7, "difficulty": 0.25, "renderer": 1, "done": 4, "images": 9}
    (tmp_path / "phantom.json").write_text(json.dumps(status))
    assert find_phantom_job(tmp_path).plan == Plan(4, 7, 0.25, hardware_share=None)
    assert Plan(4, 7, 0.25).hardware_share == HARDWARE_SHARE


def test_write_beside_another_process_is_refused(tmp_path):
    """A folder that another process fills is left alone, and no job is started beside it."""
    status = {"patients": 4, "seed": 7, "difficulty": 0.25, "renderer": job.RENDERER, "done": 1, "images": 2}
    parent = {"pid": 1, "process_started": psutil.Process(1).create_time()}
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "phantom.json").write_text(json.dumps({**status, **parent}))
    for begin in (lambda: write(tmp_path / "busy", PLAN), lambda: job.start(tmp_path / "other", PLAN)):
        with pytest.raises(DatasetError, match="busy is being generated by another process"):
            begin()
    assert not (tmp_path / "other").exists()
