"""The status of an import, and how an import starts, stops and resumes."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fracture.errors import Cancelled, FetchError
from fracture.importers import job
from fracture.importers.download import Progress
from fracture.importers.job import IMPORT, ImportStatus, Order, carry_out, find_import, request_stop, start
from fracture.jobs import process

ORDER = Order("kaggle", {"dataset": "a/b", "body_part": "XR_HAND"})
HALF = Progress(files=3, total_files=6, bytes=300, seconds_left=2.5)


def nothing(progress):
    pass


def half_done(hear, should_stop):
    hear(HALF)


def stopped(hear, should_stop):
    raise Cancelled


def status(root: Path) -> dict:
    return json.loads((root / "import.json").read_text())


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"source": "kaggle", "choices": 3}'])
def test_find_import_without_a_whole_status_returns_none(tmp_path, content):
    """An empty folder, or one with a damaged status, holds no import."""
    if content is not None:
        (tmp_path / "import.json").write_text(content)
    assert find_import(tmp_path) is None


def test_find_import_in_a_missing_folder_returns_none(tmp_path):
    """Nor can it be stopped, which is no error."""
    assert find_import(tmp_path / "missing") is None
    request_stop(tmp_path / "missing")


def test_carry_out_writes_the_status_that_find_import_reads(tmp_path):
    """While the import works and afterwards."""
    seen = []

    def work(hear, should_stop):
        seen.append(find_import(tmp_path))
        hear(HALF)
        seen.append(find_import(tmp_path))

    ended = carry_out(tmp_path, ORDER, work, nothing)
    assert [found.state for found in seen] == ["importing", "importing"]
    assert seen[1].progress == HALF and seen[1].share == 0.5
    assert ended == find_import(tmp_path)
    assert (ended.state, ended.order, ended.error, ended.active) == ("complete", ORDER, None, False)
    assert ended.progress == replace(HALF, seconds_left=None)


def test_carry_out_writes_the_keys_that_former_versions_read(tmp_path):
    """Former versions take a missing key, but no null in the place of a process id."""
    seen = []

    def work(hear, should_stop):
        hear(HALF)
        seen.append(status(tmp_path))

    carry_out(tmp_path, ORDER, work, nothing)
    payload = {"source", "choices", "how", "progress", "complete", "error", "heartbeat"}
    assert seen[0].keys() == payload | process.identity().keys()
    assert status(tmp_path).keys() == payload | {"ended"}
    assert status(tmp_path)["progress"].keys() == vars(HALF).keys()


def test_carry_out_when_asked_to_stop_can_be_resumed(tmp_path):
    """The request is removed, what is there is kept, and the next run completes it."""

    def work(hear, should_stop):
        hear(HALF)
        assert not should_stop()
        request_stop(tmp_path)
        if should_stop():
            raise Cancelled

    interrupted = carry_out(tmp_path, ORDER, work, nothing)
    assert (interrupted.state, interrupted.error) == ("interrupted", None)
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
def test_carry_out_that_fails_records_why(tmp_path, failure, raised, words):
    """The status file has the reason in a sentence until the import is resumed."""

    def work(hear, should_stop):
        hear(HALF)
        raise failure

    with pytest.raises(raised):
        carry_out(tmp_path, ORDER, work, nothing)
    found = find_import(tmp_path)
    assert (found.state, found.error) == ("interrupted", words)
    assert found.progress.files == 3
    assert carry_out(tmp_path, ORDER, half_done, nothing).error is None


def test_carry_out_in_a_foreign_folder_is_refused(tmp_path):
    """A folder with other files, or a path that is no folder, is left alone; hidden files do not count."""
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


def test_carry_out_another_order_is_refused(tmp_path):
    """A folder holds one import; options that make no difference to it do not count."""
    carry_out(tmp_path, ORDER, half_done, nothing)
    before = status(tmp_path)
    with pytest.raises(FetchError, match=r"body part XR_HAND\)\. Received: .*body part all"):
        carry_out(tmp_path, Order("kaggle", {"dataset": "a/b", "body_part": "all"}), half_done, nothing)
    assert status(tmp_path) == before
    assert carry_out(tmp_path, replace(ORDER, how={"whole": True}), half_done, nothing).state == "complete"


def test_carry_out_beside_another_process_is_refused(tmp_path):
    """A folder that another process imports into is not touched."""
    carry_out(tmp_path, ORDER, half_done, nothing)
    parent = {"pid": 1, "process_started": psutil.Process(1).create_time(), "ended": False}
    (tmp_path / "import.json").write_text(json.dumps({**status(tmp_path), **parent}))
    for begin in (lambda: carry_out(tmp_path, ORDER, half_done, nothing), lambda: start(tmp_path, ORDER)):
        with pytest.raises(FetchError, match="is being imported into by another process"):
            begin()


def test_claim_for_a_process_about_to_start_leaves_the_folder_to_it(tmp_path):
    """Nobody else may start another one; a request to stop that came meanwhile holds."""
    wanted = ImportStatus.of(ORDER, Progress())
    IMPORT.claim(tmp_path, wanted, starting=True)
    assert find_import(tmp_path).state == "importing"
    with pytest.raises(FetchError, match="another process"):
        IMPORT.claim(tmp_path, wanted, starting=True)
    request_stop(tmp_path)
    IMPORT.claim(tmp_path, wanted)
    assert job.stop_request(tmp_path).exists()
    assert status(tmp_path)["pid"] == process.identity()["pid"]


def test_claim_after_an_interruption_removes_an_old_request_to_stop(tmp_path):
    """It was meant for a process that has ended."""
    carry_out(tmp_path, ORDER, stopped, nothing)
    request_stop(tmp_path)
    IMPORT.claim(tmp_path, ImportStatus.of(ORDER, Progress()))
    assert not job.stop_request(tmp_path).exists()


def test_order_options_are_those_of_its_command():
    """A flag for what is true, nothing for what is false."""
    order = Order("fracatlas", {"images": 200, "seed": 1}, {"whole": True})
    assert order.options() == ["--images", "200", "--seed", "1", "--whole"]
    assert replace(order, how={"whole": False}).options() == ["--images", "200", "--seed", "1"]
    assert order.words() == "fracatlas (images 200, seed 1)"
