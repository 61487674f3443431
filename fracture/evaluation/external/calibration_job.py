"""*Calibrate to my X-rays* as a background job: started from a page, or carried out by ``fracture calibrate``.

::

    <data home>/.calibrations/<model>/calibration.json

One job a model: its result is the model's adjustment, see :mod:`fracture.registry.adjustments`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field

from fracture import demo, paths
from fracture.data.layouts import walk
from fracture.demo import NOBODY, Policy
from fracture.documents import Finite, Moment
from fracture.errors import DatasetError, ModelError
from fracture.evaluation.external.familiarity import Familiarity, refit_familiarity
from fracture.inference.classifier import load_classifier
from fracture.jobs.folder_job import FolderJob
from fracture.jobs.progress import (
    ImageJobStatus,
    OnProgress,
    claim_folder,
    ignore_progress,
    recording_failure,
    report_in,
    write_status,
)
from fracture.registry.adjustments import save_adjustment
from fracture.registry.model_folder import model_folder, read_card

FOLDER = ".calibrations"
"""In the data home. A name with a dot: lists of data sets pass over it."""


class CalibrationStatus(ImageJobStatus):
    """The file ``calibration.json``."""

    model: str
    radiographs: str
    """The path of their folder."""
    made: Moment | None = None
    """When the adjustment was made that this job has ended with: another one may have replaced it since."""
    farthest: dict[str, Finite] = Field(default_factory=dict)
    """The farthest images by name, each with its distance in units of the model's own threshold."""
    unreadable: list[str] = Field(default_factory=list)
    """A sentence for each image that could not be read."""

    def conflict(self, wanted: Self) -> str | None:
        """Why the folder cannot take another request: it is one model's. Other radiographs take the place of these."""
        return None if self.model == wanted.model else f"a calibration of {self.model}. Received: {wanted.model}"


CALIBRATION = FolderJob(
    name="calibration",
    status=CalibrationStatus,
    error=ModelError,
    busy="is being written to",
    content="a calibration of the same model",
    kept="The model stays as it is.",
)


@dataclass(frozen=True)
class CalibrationRequest:
    """Which model on which radiographs."""

    model: str
    radiographs: Path
    """Their folder, absolute; they lie in it at any depth."""

    @property
    def folder(self) -> Path:
        """The job's folder, one for each model; it need not exist."""
        return job_folder(self.model)

    @property
    def status(self) -> CalibrationStatus:
        """The status that asks for it."""
        return CalibrationStatus(model=self.model, radiographs=str(self.radiographs))


def job_folder(model: str) -> Path:
    """The folder of a model's job."""
    return paths.data_home() / FOLDER / model


def find_calibration(model: str) -> CalibrationStatus | None:
    """How the job of a model stands; None where there is none."""
    return CALIBRATION.find(job_folder(model))


def start(request: CalibrationRequest, policy: Policy = NOBODY) -> None:
    """Start a calibration in a process of its own.

    Raises:
        PublicError: in a public demo.
        DatasetError: there is no such folder.
        ModelError: the model is being calibrated already, or the data home cannot be written to.
    """
    demo.refuse("adjustments")
    _check_folder(request.radiographs)
    command = ["calibrate", "--model", request.model, "--json", str(request.radiographs)]
    CALIBRATION.start(request.folder, request.status, command, policy)


def request_stop(model: str, policy: Policy = NOBODY) -> None:
    """Ask a model's calibration to stop after the image that it is at; the model stays as it was."""
    CALIBRATION.request_stop(job_folder(model), policy)


def carry_out(request: CalibrationRequest, on_progress: OnProgress = ignore_progress) -> Familiarity:
    """Choose a model's threshold on radiographs in this process, and store it.

    Raises:
        PublicError: in a public demo.
        Cancelled: somebody asked it to stop.
        DatasetError: there is no such folder, or it has too few radiographs.
        ModelError: the model is missing or damaged, has no out-of-distribution check, or is being calibrated already.
    """
    demo.refuse("adjustments")
    folder = model_folder(request.model)
    card = read_card(folder)  # before anything is written for a model that isn't there
    _check_folder(request.radiographs)
    wanted = request.status
    place = claim_folder(CALIBRATION, request.folder, wanted)
    with recording_failure(CALIBRATION, place, wanted):
        images = [request.radiographs / name for name in walk(request.radiographs)]
        report = report_in(CALIBRATION, place, wanted, on_progress)
        found = refit_familiarity(load_classifier(request.model), images, request.radiographs.resolve().name, report)
        save_adjustment(folder, card, found.fitted)
    write_status(CALIBRATION, place, _ended(wanted, found))
    return found


def _check_folder(radiographs: Path) -> None:
    if not radiographs.is_dir():
        raise DatasetError(f"The radiographs must lie in one folder. Received: {radiographs}, which is none.")


def _ended(wanted: CalibrationStatus, found: Familiarity) -> CalibrationStatus:
    images = found.fitted.images + len(found.errors)
    result = {"made": found.fitted.made, "farthest": dict(found.farthest), "unreadable": list(found.errors)}
    return wanted.model_copy(update={"done": images, "images": images, "complete": True, "ended": True, **result})
