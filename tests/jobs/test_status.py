"""What a status file says of its job's process."""

import json
import subprocess
import sys
import time

import pytest

from fracture.files import write_json
from fracture.jobs import process
from fracture.jobs.status import DATA_STATUS, SECONDS_TO_START, JobStatus, data_job


@pytest.mark.parametrize(
    ("written", "working"),
    [
        ({}, True),
        ({"process_started": 1.0}, False),
        ({"pid": 2**22 + 1}, False),
        ({"pid": 2**50}, False),
        ({"pid": -1}, False),
        ({"booted": 1.0}, False),
        ({"ended": True}, False),
    ],
)
def test_working_by_the_identity_of_the_process(written, working):
    """A job works while its process runs; another process with the same number is not taken for it."""
    assert JobStatus.model_validate({**process.identity(), **written}).working == working


@pytest.mark.parametrize(("age", "working"), [(0, True), (SECONDS_TO_START + 1, False), (-SECONDS_TO_START - 1, False)])
def test_working_before_the_process_has_written_holds_for_a_while(age, working):
    """A process that was started counts as working until it has had time to write."""
    status = JobStatus(heartbeat=time.time() - age)
    assert status.working == working == status.awaited


def test_working_of_a_process_that_ended_is_false():
    """Also while its parent has not asked for its exit status."""
    code = "import json; from fracture.jobs.process import identity; print(json.dumps(identity()))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        status = JobStatus.model_validate(json.loads(child.stdout.read()))
    assert not status.working


def test_end_kills_the_process_that_wrote_the_status():
    """And does nothing the second time."""
    code = "import json; from fracture.jobs.process import identity; print(json.dumps(identity()), flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        status = JobStatus.model_validate(json.loads(child.stdout.readline()))
        assert status.working
        process.end(status)
        process.end(status)
    assert not status.working


@pytest.mark.parametrize(("age", "working"), [(0, True), (500, True), (700, False), (-700, False)])
def test_working_of_another_host_follows_the_heartbeat_alone(age, working):
    """Whatever runs here under the same process id."""
    written = {**process.identity(), "host": "another"}
    status = JobStatus.model_validate({**written, "heartbeat": time.time() - age})
    assert status.working == working == status.taken(starting=False)


def test_working_without_a_host_asks_for_the_process():
    """Versions before wrote none, and knew one host alone."""
    written = {key: value for key, value in process.identity().items() if key != "host"}
    status = JobStatus.model_validate(written)
    assert status.working and not status.taken(starting=False)


def test_end_kills_no_process_of_the_same_id_here(monkeypatch):
    """A process id of another host means nothing here."""
    monkeypatch.setenv(process.HOST_VARIABLE, "there")
    status = JobStatus.model_validate(process.identity())
    monkeypatch.setenv(process.HOST_VARIABLE, "here")
    process.end(status)
    assert status.elsewhere and not status.own and not process.alive(status)


@pytest.mark.parametrize("name", DATA_STATUS)
def test_status_names_the_host_until_the_job_has_ended(tmp_path, monkeypatch, name):
    """The keys of a file whose job has ended are those that every version knows."""
    monkeypatch.setenv(process.HOST_VARIABLE, "there")
    written = JobStatus.model_validate({**process.identity(), "heartbeat": time.time()})
    written.write(tmp_path / name)
    monkeypatch.setenv(process.HOST_VARIABLE, "here")
    assert data_job(tmp_path).elsewhere and data_job(tmp_path).working
    written.model_copy(update={"ended": True}).write(tmp_path / name)
    assert not data_job(tmp_path).working
    assert json.loads((tmp_path / name).read_text()).keys() == written.to_json().keys() - {"host"} | {"ended"}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": "7"}', '{"heartbeat": NaN}', '{"ended": 1}'])
def test_read_of_a_damaged_file_returns_none(tmp_path, content):
    """Wrong types are damage as well."""
    (tmp_path / "status.json").write_text(content)
    assert JobStatus.read(tmp_path / "status.json") is None


def test_write_leaves_out_what_was_never_set(tmp_path):
    """Former versions take a missing key, but no null in the place of a number."""
    JobStatus(heartbeat=5.0, error=None).write(tmp_path / "status.json")
    assert json.loads((tmp_path / "status.json").read_text()) == {"heartbeat": 5.0, "error": None}


@pytest.mark.parametrize(
    ("name", "written", "files", "complete"),
    [
        ("import.json", {"complete": False, "progress": {"files": 3}}, 3, False),
        ("import.json", {"complete": True, "progress": {"files": 6}}, 6, True),
        ("phantom.json", {"done": 1, "patients": 4, "images": 2}, 2, False),
        ("phantom.json", {"done": 4, "patients": 4, "images": 9}, 9, True),
    ],
)
def test_data_job_reads_every_kind_of_job(tmp_path, name, written, files, complete):
    """How many files it has brought, and whether these are all, whatever fills the folder."""
    write_json(tmp_path / name, {**written, **process.identity()})
    found = data_job(tmp_path)
    assert (found.files, found.complete, found.working) == (files, complete, True)


def test_data_job_of_another_folder_is_none(tmp_path):
    """A folder of images that nobody fills."""
    assert data_job(tmp_path) is None
