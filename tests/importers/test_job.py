"""How an import stands, whoever does it."""

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fracture.errors import Cancelled, FetchError
from fracture.importers import job
from fracture.importers.download import Progress
from fracture.importers.job import Order, carry_out, claim, find_import, request_stop, start
from fracture.jobs import process as background

ORDER = Order("kaggle", {"dataset": "a/b", "body_part": "XR_HAND"})
HALF = Progress(files=3, total_files=6, bytes=300, seconds_left=2.5)


def nothing(progress):
    pass


def half_done(hear, should_stop):
    hear(HALF)


def status(root: Path) -> dict:
    return json.loads((root / "import.json").read_text())


def test_find_import_without_a_valid_status_is_none(tmp_path):
    """A missing folder, an empty one or a damaged status is no import."""
    for content in (None, "", "{", "[]", "{}", '{"source": "kaggle", "choices": 3}'):
        if content is not None:
            (tmp_path / "import.json").write_text(content)
        assert find_import(tmp_path) is None
    assert find_import(tmp_path / "missing") is None
    request_stop(tmp_path / "missing")


def test_find_import_during_and_after_the_work_reads_the_status(tmp_path):
    """The state and the progress are read from the disk during the work and after it."""
    seen = []

    def work(hear, should_stop):
        seen.append(find_import(tmp_path))
        hear(HALF)
        seen.append(find_import(tmp_path))

    ended = carry_out(tmp_path, ORDER, work, nothing)
    assert [found.state for found in seen] == ["importing", "importing"]
    assert seen[1].progress == HALF
    assert ended == find_import(tmp_path)
    assert (ended.state, ended.order, ended.error, ended.active) == ("complete", ORDER, None, False)
    assert ended.progress == replace(HALF, seconds_left=None)


def test_carry_out_with_a_stop_request_is_interrupted(tmp_path):
    """A stop keeps what is there, the request is deleted, and a second run completes the import."""

    def work(hear, should_stop):
        hear(HALF)
        assert not should_stop()
        request_stop(tmp_path)
        if should_stop():
            raise Cancelled

    stopped = carry_out(tmp_path, ORDER, work, nothing)
    assert (stopped.state, stopped.error) == ("interrupted", None)
    assert not job.stop_request(tmp_path).exists()
    assert carry_out(tmp_path, ORDER, half_done, nothing).state == "complete"


@pytest.mark.parametrize(
    ("failure", "raised", "words"),
    [
        (FetchError("Kaggle is closed."), FetchError, "Kaggle is closed."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), FetchError, "No space left on device."),
        (KeyError("defect"), KeyError, "The import broke off: KeyError."),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_carry_out_after_a_failure_stores_the_reason(tmp_path, failure, raised, words):
    """The reason is stored in the status, and the next run deletes it."""

    def work(hear, should_stop):
        hear(HALF)
        raise failure

    with pytest.raises(raised):
        carry_out(tmp_path, ORDER, work, nothing)
    found = find_import(tmp_path)
    assert (found.state, found.error) == ("interrupted", words)
    assert found.progress.files == 3
    assert carry_out(tmp_path, ORDER, half_done, nothing).error is None


def test_carry_out_in_a_folder_with_other_files_raises(tmp_path):
    """A folder with other files, or a file, is refused and left alone; hidden files are ignored."""
    (tmp_path / ".hidden").touch()
    carry_out(tmp_path, ORDER, half_done, nothing)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    for begin in (lambda root: carry_out(root, ORDER, half_done, nothing), lambda root: start(root, ORDER)):
        with pytest.raises(FetchError, match=r"must be empty.*notes\.txt"):
            begin(tmp_path / "other")
        with pytest.raises(FetchError, match="cannot be written to"):
            begin(tmp_path / "other" / "notes.txt")
    assert [path.name for path in (tmp_path / "other").iterdir() if not path.name.startswith(".")] == ["notes.txt"]


def test_carry_out_with_another_order_raises(tmp_path):
    """A folder holds one import; options that do not change the result are ignored."""
    carry_out(tmp_path, ORDER, half_done, nothing)
    before = status(tmp_path)
    with pytest.raises(FetchError, match=r"body part XR_HAND\)\. Received: .*body part all"):
        carry_out(tmp_path, Order("kaggle", {"dataset": "a/b", "body_part": "all"}), half_done, nothing)
    assert status(tmp_path) == before
    assert carry_out(tmp_path, replace(ORDER, how={"whole": True}), half_done, nothing).state == "complete"


def test_claim_of_a_folder_in_use_raises(tmp_path):
    """A folder that another process imports into is refused, also while that process is starting."""
    carry_out(tmp_path, ORDER, half_done, nothing)
    parent = {"pid": 1, "process_started": psutil.Process(1).create_time(), "ended": False}
    (tmp_path / "import.json").write_text(json.dumps({**status(tmp_path), **parent}))
    for begin in (lambda: carry_out(tmp_path, ORDER, half_done, nothing), lambda: start(tmp_path, ORDER)):
        with pytest.raises(FetchError, match="is being imported into by another process"):
            begin()
    other = tmp_path / "other"
    claim(other, ORDER, waiting=True)
    assert find_import(other).state == "importing"
    with pytest.raises(FetchError, match="another process"):
        claim(other, ORDER, waiting=True)
    request_stop(other)
    claim(other, ORDER)
    assert job.stop_request(other).exists()  # asked for since the start: it holds
    assert status(other)["pid"] == background.identity()["pid"]


def test_find_import_of_a_dead_process_is_interrupted(tmp_path):
    """An import is running as long as its process lives, or was started a moment ago."""

    def stopped(hear, should_stop):
        raise Cancelled

    carry_out(tmp_path, ORDER, stopped, nothing)
    said = {name: value for name, value in status(tmp_path).items() if name not in ("ended", "pid", "process_started")}
    me, soon = background.identity(), time.time()
    for process, state in [
        (me, "importing"),
        ({**me, "process_started": me["process_started"] - 60}, "interrupted"),
        ({**me, "ended": True}, "interrupted"),
        ({"heartbeat": soon}, "importing"),
        ({"heartbeat": soon - 60}, "interrupted"),
    ]:
        (tmp_path / "import.json").write_text(json.dumps({**said, "heartbeat": soon, **process}))
        assert find_import(tmp_path).state == state


def test_order_options_become_flags():
    """A true option becomes a flag, and a false one nothing."""
    order = Order("fracatlas", {"images": 200, "seed": 1}, {"whole": True})
    assert order.options() == ["--images", "200", "--seed", "1", "--whole"]
    assert replace(order, how={"whole": False}).options() == ["--images", "200", "--seed", "1"]
    assert order.words() == "fracatlas (images 200, seed 1)"
