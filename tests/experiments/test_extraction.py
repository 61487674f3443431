"""What the process of a features job does."""

import pytest

from fracture.errors import Cancelled, FractureError
from fracture.experiments.extraction import extract_features
from fracture.experiments.features_job import FEATURES_JOB, find_features_job, job_folder
from fracture.experiments.workbench import open_bench
from fracture.training.runs.queue import find_run


@pytest.fixture
def run(homes, make_model):
    """A finished run whose features the cache has lost."""
    return find_run(make_model("first"))


def test_extract_features_fills_the_cache_and_reports(run):
    """The bench opens afterwards, and the status says that all is done."""
    reported = []
    images = extract_features(run, lambda done, total: reported.append((done, total)))
    assert open_bench(run).features.shape == (images, 2048)
    assert reported[-1] == (images, images)
    status = find_features_job(run)
    assert status.complete and status.ended and status.share == 1.0


def test_extract_features_when_stopped_says_so(run):
    """The request is obeyed, and the next job does not find it."""

    def stop(done, total):
        FEATURES_JOB.stop_request(job_folder(run)).touch()

    with pytest.raises(Cancelled):
        extract_features(run, stop)
    assert not FEATURES_JOB.stop_request(job_folder(run)).exists()
    assert find_features_job(run).ended and not find_features_job(run).complete


def test_extract_features_without_the_data_records_why(run):
    """The status has the sentence, for the page."""
    run.config["data"] = "/nowhere"
    with pytest.raises(FractureError):
        extract_features(run)
    assert find_features_job(run).error
