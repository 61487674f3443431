"""An evaluation as a background job."""

import pytest

from fracture.errors import Cancelled, DatasetError, ModelError, PublicError
from fracture.evaluation.external import job
from fracture.evaluation.external.job import EVALUATION, carry_out, find_evaluation
from fracture.evaluation.external.results import read_result, request_evaluation
from tests.support.drawing import draw_mura
from tests.support.waiting import wait


@pytest.fixture
def request_(homes, make_model):
    make_model("m")
    draw_mura(homes / "data" / "other", train_patients=2, valid_patients=8, seed=4)
    return request_evaluation("m", "other")


def test_start_evaluates_in_a_process_of_its_own(request_):
    """Its status says how far it is, and then that it is complete; the result lies beside it."""
    job.start(request_)
    assert find_evaluation(request_).state == "evaluating"
    wait(lambda: find_evaluation(request_).ended)
    status = find_evaluation(request_)
    assert status.state == "complete" and status.share == 1 and status.error is None
    assert read_result(request_.folder).images == status.images


def test_carry_out_stops_when_asked_to(request_):
    """It ends without a result, and can be started again."""

    def stop(done: int, total: int) -> None:
        job.request_stop(request_)

    with pytest.raises(Cancelled):
        carry_out(request_, stop)
    assert find_evaluation(request_).state == "interrupted"
    assert carry_out(request_).place == request_.folder


def test_carry_out_of_what_another_process_evaluates_is_refused(request_, monkeypatch):
    """Two would write the same files."""
    job.start(request_)
    wait(lambda: find_evaluation(request_).pid is not None)
    if find_evaluation(request_).working:
        with pytest.raises(ModelError, match="is being evaluated into by another process"):
            carry_out(request_)
    wait(lambda: find_evaluation(request_).ended)


def test_carry_out_that_fails_writes_down_why(request_):
    """The sentence is for whoever looks at the job."""
    wrong = request_evaluation("m", "other", "test")
    with pytest.raises(DatasetError):
        carry_out(wrong)
    status = find_evaluation(wrong)
    assert status.state == "interrupted" and "split must be one of" in status.error


def test_carry_out_for_a_missing_model_writes_nothing(homes, drawn):
    """No folder is made for it."""
    with pytest.raises(ModelError, match="no finished model"):
        carry_out(request_evaluation("nobody", str(drawn)))
    assert not (homes / "data" / ".evaluations").exists()


def test_carry_out_without_a_writable_data_home_evaluates_all_the_same(request_, monkeypatch):
    """Nothing is stored then."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EVALUATION.__class__, "claim", full)
    evaluated = carry_out(request_)
    assert evaluated.place is None and evaluated.evaluation.images > 0


def test_start_is_off_in_a_public_demo(request_, monkeypatch):
    """Whoever asks."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError, match="evaluates no model"):
        job.start(request_)
