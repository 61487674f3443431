"""What a process does that carries out a job over many images."""

import pytest

from fracture.errors import Cancelled, ModelError
from fracture.evaluation.external.calibration_job import CALIBRATION, CalibrationStatus
from fracture.jobs.progress import claim_folder, ignore_progress, recording_failure, report_in

WANTED = CalibrationStatus(model="m", radiographs="/x")


def test_report_in_a_claimed_folder_writes_how_far_the_job_is(tmp_path):
    """And by whom, so that others can tell whether it is alive."""
    place = claim_folder(CALIBRATION, tmp_path / "job", WANTED)
    seen = []
    report = report_in(CALIBRATION, place, WANTED, lambda *progress: seen.append(progress))
    report(1, 4)
    status = CALIBRATION.find(tmp_path / "job")
    assert status.share == 0.25 and status.working and status.pid is not None and seen == [(1, 4)]


def test_report_in_a_folder_with_a_stop_request_is_cancelled(tmp_path):
    """The job ends there, and the request with it."""
    place = claim_folder(CALIBRATION, tmp_path, WANTED)
    report = report_in(CALIBRATION, place, WANTED, ignore_progress)
    CALIBRATION.stop_request(tmp_path).touch()
    with pytest.raises(Cancelled), recording_failure(CALIBRATION, place, WANTED):
        report(1, 4)
    assert CALIBRATION.find(tmp_path).ended and not CALIBRATION.stop_request(tmp_path).exists()


def test_claim_folder_below_a_file_reports_nowhere(tmp_path):
    """The job itself goes on, and fails by its own error only."""
    (tmp_path / "file").touch()
    place = claim_folder(CALIBRATION, tmp_path / "file" / "job", WANTED)
    assert place is None
    with pytest.raises(ModelError, match="no check"), recording_failure(CALIBRATION, place, WANTED):
        report_in(CALIBRATION, place, WANTED, ignore_progress)(1, 1)
        raise ModelError("no check")


def test_recording_failure_writes_down_the_sentence(tmp_path):
    """For whoever looks at the job."""
    place = claim_folder(CALIBRATION, tmp_path, WANTED)
    with pytest.raises(ModelError), recording_failure(CALIBRATION, place, WANTED):
        raise ModelError("There is no model.")
    status = CALIBRATION.find(tmp_path)
    assert status.error == "There is no model." and status.ended and not status.working
