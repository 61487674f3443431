"""Features that are missing in the cache, computed again by a process of its own."""

import shutil
from dataclasses import replace

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
    wait(lambda: find_features_job(run).ended)
    assert find_features_job(run).complete
    assert open_bench(run).missing == 0


def test_start_beside_another_job_is_refused(run, monkeypatch):
    """Two would share the cores."""
    root = job_folder(run).with_name("other")
    root.mkdir(parents=True)
    FEATURES_JOB.write(root, FeaturesStatus(run="other", **process.identity()))
    with pytest.raises(RunError, match="'other' are being computed"):
        features_job.start(run)


def test_start_in_a_public_demo_is_refused(run, monkeypatch):
    """It would load TensorFlow beside a run, without a limit of its time."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError, match="computes no lost features"):
        features_job.start(run, features_job.Policy("somebody"))
    assert find_features_job(run) is None


def test_job_of_a_deleted_run_is_not_that_of_another_with_its_name(run):
    """A run of the same name that began at another time has a job of its own."""
    assert job_folder(run) != job_folder(replace(run, started=run.started + 60))


def test_start_without_the_data_is_one_sentence(run):
    """The folder of the run's data set was deleted."""
    from fracture.errors import DatasetError

    gone = job_folder(run).with_name("gone")
    run.config["data"] = str(gone)
    shutil.rmtree(gone, ignore_errors=True)
    with pytest.raises(DatasetError):
        features_job.start(run)


def test_request_stop_leaves_a_file(run):
    """The process looks for it after each batch."""
    job_folder(run).mkdir(parents=True)
    features_job.request_stop(run)
    assert FEATURES_JOB.stop_request(job_folder(run)).exists()
