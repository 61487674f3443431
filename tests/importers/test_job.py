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


def test_there_may_be_none(tmp_path):
    """No folder, an empty one, or a damaged status: no import."""
    for content in (None, "", "{", "[]", "{}", '{"source": "kaggle", "choices": 3}'):
        if content is not None:
            (tmp_path / "import.json").write_text(content)
        assert find_import(tmp_path) is None
    assert find_import(tmp_path / "missing") is None
    request_stop(tmp_path / "missing")


def test_it_is_found_while_it_goes_on_and_afterwards(tmp_path):
    """As whoever does it says, by what lies on disk."""
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


def test_a_wish_to_stop_is_heard(tmp_path):
    """What is there is kept, the wish is forgotten, and the next run goes on."""

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
def test_why_it_gave_up_is_noted(tmp_path, failure, raised, words):
    """For whoever looks at the folder later; the next run forgets it."""

    def work(hear, should_stop):
        hear(HALF)
        raise failure

    with pytest.raises(raised):
        carry_out(tmp_path, ORDER, work, nothing)
    found = find_import(tmp_path)
    assert (found.state, found.error) == ("interrupted", words)
    assert found.progress.files == 3
    assert carry_out(tmp_path, ORDER, half_done, nothing).error is None


def test_other_folders_are_refused(tmp_path):
    """Anything that is in the folder already, or that is no folder, is left alone; what is hidden does not count."""
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


def test_another_order_is_refused(tmp_path):
    """A folder holds one import; what makes no difference to it does not count."""
    carry_out(tmp_path, ORDER, half_done, nothing)
    before = status(tmp_path)
    with pytest.raises(FetchError, match=r"body part XR_HAND\)\. Received: .*body part all"):
        carry_out(tmp_path, Order("kaggle", {"dataset": "a/b", "body_part": "all"}), half_done, nothing)
    assert status(tmp_path) == before
    assert carry_out(tmp_path, replace(ORDER, how={"whole": True}), half_done, nothing).state == "complete"


def test_one_process_imports_at_a_time(tmp_path):
    """A folder that another process imports into is not touched; nor is one about to be, but by the process itself."""
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


def test_a_process_that_is_gone_is_noticed(tmp_path):
    """An import goes on as long as its process lives, or has only just been started."""

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


def test_an_order_becomes_options():
    """Of the command that does it: a flag for what is true, nothing for what is false."""
    order = Order("fracatlas", {"images": 200, "seed": 1}, {"whole": True})
    assert order.options() == ["--images", "200", "--seed", "1", "--whole"]
    assert replace(order, how={"whole": False}).options() == ["--images", "200", "--seed", "1"]
    assert order.words() == "fracatlas (images 200, seed 1)"
