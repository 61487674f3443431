"""Features that are no longer in the cache, computed again as a background job.

The page that needs them starts the job; :mod:`fracture.experiments.extraction` is what its process does.
"""

from pathlib import Path
from typing import Self

from fracture.data.combine import load_combined
from fracture.demo import NOBODY, Policy, refuse
from fracture.errors import RunError
from fracture.experiments.workbench import config_of
from fracture.jobs import process
from fracture.jobs.folder_job import FolderJob
from fracture.jobs.progress import ImageJobStatus
from fracture.paths import cache_home
from fracture.training.runs.run import Run


class FeaturesStatus(ImageJobStatus):
    """The file ``features.json``."""

    run: str

    def conflict(self, wanted: Self) -> str | None:
        """None: the folder has the run's name."""
        return None if self.run == wanted.run else f"the features job of {self.run}. Received: {wanted.run}"


FEATURES_JOB = FolderJob(
    name="features",
    status=FeaturesStatus,
    error=RunError,
    busy="is in use",
    content="a features job",
    kept="The features computed until then are in the cache.",
)


def job_folder(run: Run) -> Path:
    """The folder of a run's job, which holds its status alone: the features are in the cache of all runs.

    Another run may get the name of one that was deleted: the job of that one says nothing about it.
    """
    return cache_home() / "feature-jobs" / f"{run.name}-{run.started:.0f}"


def find_features_job(run: Run) -> FeaturesStatus | None:
    """How the job of a run stands; None where there is none."""
    return FEATURES_JOB.find(job_folder(run))


def start(run: Run, policy: Policy = NOBODY) -> None:
    """Compute the features of a run's images in a process of its own; one at a time, since two share the cores.

    Raises:
        RunError: the features of a run are being computed, or the cache cannot be written to.
        DatasetError: the data set is gone, or can't be read.
        PublicError: a public demo computes none: the job would run beside the one run that a small machine can bear.
    """
    refuse("features")
    config = config_of(run)
    load_combined(config.data, config.also, config.body_part)  # what is gone is said at once, and not by the process
    root = job_folder(run)
    with FEATURES_JOB.disk_errors(root):
        busy = FEATURES_JOB.active_in(root.parent)
        if busy is not None:
            status = FEATURES_JOB.find(busy)
            name = status.run if status else busy.name
            raise RunError(f"The features of {name!r} are being computed. Wait until that ends, or stop it.")
        FEATURES_JOB.claim(root, FeaturesStatus(run=run.name), starting=True)
        policy.sign(root)
        process.spawn(["-m", "fracture", "features", "--model", run.name, "--json"], FEATURES_JOB.log(root))


def request_stop(run: Run, policy: Policy = NOBODY) -> None:
    """Ask the job of a run to stop after the images that it is at."""
    FEATURES_JOB.request_stop(job_folder(run), policy)
