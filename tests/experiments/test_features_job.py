"""Features that are missing in the cache, computed again by a process of its own."""

import shutil

import pytest

from fracture.errors import PublicError, RunError
from fracture.experiments import features_job
from fracture.experiments.features_job import FEATURES_JOB, FeaturesStatus, find_features_job, job_folder
from fracture.experiments.workbench import open_bench
from fracture.jobs import process
from fracture.training.runs.queue import find_run
from tests.support.waiting import wait


@pytest.fixture
def run(homes, make_model):
    """A finished run whose features the cache has lost."""
    return find_run(make_model("first"))


def test_start_computes_the_features(run):
    """A process computes them; then the bench opens."""
    features_job.start(run)
    wait(lambda: find_features_job("first").ended)
    assert find_features_job("first").complete
    assert open_bench(run).missing == 0


def test_start_beside_another_job_is_refused(run, monkeypatch):
    """Two would share the cores."""
    job_folder("other").mkdir(parents=True)
    status = FeaturesStatus(run="other", **process.identity())
    FEATURES_JOB.write(job_folder("other"), status)
    with pytest.raises(RunError, match="'other' are being computed"):
        features_job.start(run)


def test_start_in_a_public_demo_keeps_its_limits(run, monkeypatch):
    """More images than a run of the demo may have are refused."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    monkeypatch.setattr(features_job, "load_combined", lambda *_: Many())
    with pytest.raises(PublicError, match="images must be at most"):
        features_job.start(run, features_job.Policy("somebody"))
    with pytest.raises(PublicError, match="visitors"):
        features_job.start(run)
    assert find_features_job("first") is None


class Many:
    table = range(100_000)


def test_start_without_the_data_is_one_sentence(run):
    """The folder of the run's data set was deleted."""
    from fracture.errors import DatasetError

    run.config["data"] = str(job_folder("gone"))
    shutil.rmtree(job_folder("gone"), ignore_errors=True)
    with pytest.raises(DatasetError):
        features_job.start(run)


def test_request_stop_leaves_a_file(run):
    """The process looks for it after each batch."""
    job_folder("first").mkdir(parents=True)
    features_job.request_stop("first")
    assert FEATURES_JOB.stop_request(job_folder("first")).exists()
