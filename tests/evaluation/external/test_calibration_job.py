"""A calibration to one's own radiographs as a background job."""

import pytest

from fracture.errors import Cancelled, DatasetError, ModelError, PublicError
from fracture.evaluation.external import calibration_job
from fracture.evaluation.external.calibration_job import CalibrationRequest, carry_out, find_calibration
from fracture.inference.classifier import load_classifier
from fracture.registry.adjustments import find_adjustments
from fracture.registry.model_folder import read_card
from tests.evaluation.external.test_familiarity import draw_images
from tests.support.waiting import wait


@pytest.fixture
def model(make_model):
    return make_model("m")


@pytest.fixture
def request_(model, tmp_path):
    draw_images(tmp_path / "mine", 60, brightness=80)
    return CalibrationRequest("m", tmp_path / "mine")


def test_start_calibrates_in_a_process_of_its_own(model, request_):
    """It ends with the model's adjustment, and names the farthest images for a person to check."""
    calibration_job.start(request_)
    assert find_calibration("m").working
    wait(lambda: find_calibration("m").ended)
    status = find_calibration("m")
    fitted = find_adjustments(model, read_card(model)).familiarity
    assert status.complete and status.share == 1 and status.error is None and len(status.farthest) == 5
    assert status.made == fitted.made and fitted.images == 60 and fitted.refused_before > 30 > fitted.refused_after


def test_carry_out_stops_when_asked_to(model, request_):
    """The model stays as it was."""

    def stop(done: int, total: int) -> None:
        calibration_job.request_stop("m")

    with pytest.raises(Cancelled):
        carry_out(request_, stop)
    status = find_calibration("m")
    assert status.ended and not status.complete and status.error is None
    assert find_adjustments(model, read_card(model)) is None


def test_carry_out_again_takes_other_radiographs(model, request_, tmp_path):
    """The newer ones replace the adjustment."""
    carry_out(request_)
    draw_images(tmp_path / "others", 50)
    carry_out(CalibrationRequest("m", tmp_path / "others"))
    assert find_adjustments(model, read_card(model)).familiarity.source == "others"
    assert find_calibration("m").radiographs == str(tmp_path / "others")


def test_carry_out_with_too_few_radiographs_writes_down_why(model, tmp_path):
    """No image is classified for it."""
    draw_images(tmp_path / "few", 49)
    seen = []
    with pytest.raises(DatasetError, match="At least 50 different radiographs"):
        carry_out(CalibrationRequest("m", tmp_path / "few"), lambda *progress: seen.append(progress))
    assert "Received: 49 such ones among the 49 images in few" in find_calibration("m").error and not seen


def test_carry_out_for_a_model_without_the_check_writes_down_why(model, request_):
    """There is no threshold to calibrate."""
    model.familiarity.unlink()
    assert load_classifier("m").ood_detector is None
    with pytest.raises(ModelError, match="no out-of-distribution check"):
        carry_out(request_)
    assert "no out-of-distribution check" in find_calibration("m").error


def test_start_without_a_folder_of_radiographs_says_so(model, tmp_path):
    """Nothing is written then."""
    with pytest.raises(DatasetError, match="must lie in one folder"):
        calibration_job.start(CalibrationRequest("m", tmp_path / "gone"))
    assert find_calibration("m") is None


def test_start_is_off_in_a_public_demo(request_, monkeypatch):
    """Whoever asks."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError, match="recalibrates no model"):
        calibration_job.start(request_)
    with pytest.raises(PublicError, match="recalibrates no model"):
        carry_out(request_)
