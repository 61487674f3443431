"""Computes the features of a run's images again: what the process of :mod:`fracture.experiments.features_job` does.

The server imports no module that reaches Keras, and so not this one.
"""

from fracture.data.combine import load_combined
from fracture.experiments.features_job import FEATURES_JOB, FeaturesStatus, job_folder
from fracture.experiments.workbench import config_of
from fracture.jobs.progress import (
    OnProgress,
    claim_folder,
    ignore_progress,
    recording_failure,
    report_in,
    write_status,
)
from fracture.training.backbone.features import FeatureProgress, Preparation, compute_features
from fracture.training.pipeline import make_learner
from fracture.training.runs.run import Run
from fracture.training.weights import check_available, find_weights


def extract_features(run: Run, on_progress: OnProgress = ignore_progress, cluster: str | None = None) -> int:
    """Compute the features that are missing in the cache; returns how many images have features then.

    ``cluster``: the address of a Dask scheduler, whose workers compute them.

    Raises:
        Cancelled: somebody asked it to stop; the features computed until then are in the cache.
        FractureError: data set or weights are gone, or the same job is running.
    """
    wanted = FeaturesStatus(run=run.name)
    place = claim_folder(FEATURES_JOB, job_folder(run), wanted)
    with recording_failure(FEATURES_JOB, place, wanted):
        report = report_in(FEATURES_JOB, place, wanted, on_progress)
        total, readable = _compute(run, report, cluster)
    ended = wanted.model_copy(update={"done": total, "images": total, "complete": True, "ended": True})
    write_status(FEATURES_JOB, place, ended)
    return readable


def _compute(run: Run, report: OnProgress, cluster: str | None) -> tuple[int, int]:
    """The number of images, and of those with features."""
    config = config_of(run)
    weights = find_weights(config)
    check_available(weights)
    paths = load_combined(config.data, config.also, config.body_part).table["path"].tolist()

    def emit(_kind: str, *, done: int, total: int, **_others: object) -> None:
        report(done, total)

    _, readable = compute_features(
        paths,
        make_learner(config, weights, cluster).forward,
        weights,
        Preparation(config.image_size, config.fit, weights.input_range),
        progress=FeatureProgress(emit, len(paths)),
        should_stop=lambda: False,  # the report raises Cancelled
    )
    return len(paths), int(readable.sum())
