"""An evaluation on a data set as a background job: started from a page, or carried out by ``fracture evaluate``.

The job's folder is the result's, see :mod:`fracture.evaluation.external.results`.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fracture import demo
from fracture.demo import NOBODY, Policy
from fracture.errors import ModelError
from fracture.evaluation.evaluate import Evaluation, evaluate_model
from fracture.evaluation.external.results import ExternalResult, Request, save_result, summarize
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
from fracture.parallel import HERE, Workplace
from fracture.registry.model_folder import model_folder, read_card

_log = logging.getLogger(__name__)


class EvaluationStatus(ImageJobStatus):
    """The file ``evaluation.json``."""

    model: str
    data: str
    split: str
    body_part: str | None = None

    @classmethod
    def of(cls, request: Request, **more: Any) -> Self:
        """The status of a request. ``more``: how far it is, and the process that writes it."""
        asked = {"model": request.model, "data": str(request.data), "split": request.split}
        return cls.model_validate({**asked, "body_part": request.body_part, **more})

    def conflict(self, wanted: Self) -> str | None:
        """Why the folder of this request cannot take another one."""
        if self._asked == wanted._asked:
            return None
        return f"an evaluation of {self._asked}. Received: {wanted._asked}"

    @property
    def _asked(self) -> str:
        return f"{self.model} on {self.data}, split {self.split}, body part {self.body_part or 'any'}"

    @property
    def state(self) -> str:
        """``evaluating``, ``complete`` or ``interrupted``."""
        if self.working:
            return "evaluating"
        return "complete" if self.complete else "interrupted"


EVALUATION = FolderJob(
    name="evaluation",
    status=EvaluationStatus,
    error=ModelError,
    busy="is being evaluated into",
    content="an evaluation of the same model on the same images",
    kept="The result is not stored.",
)


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, and its document as it is stored."""

    evaluation: Evaluation
    result: ExternalResult
    place: Path | None
    """The folder of the result; None where it could not be stored."""


def find_evaluation(request: Request) -> EvaluationStatus | None:
    """How the job of a request stands; None where there is none."""
    return EVALUATION.find(request.folder)


def start(request: Request, policy: Policy = NOBODY) -> None:
    """Start an evaluation in a process of its own.

    Raises:
        PublicError: in a public demo.
        ModelError: the same evaluation is running, or the data home cannot be written to.
    """
    demo.refuse("evaluations")
    command = ["evaluate", "--model", request.model, "--data", str(request.data), "--split", request.split, "--json"]
    if request.body_part:
        command += ["--body-part", request.body_part]
    EVALUATION.start(request.folder, EvaluationStatus.of(request), command, policy)


def request_stop(request: Request, policy: Policy = NOBODY) -> None:
    """Ask an evaluation to stop after the image that it is at."""
    EVALUATION.request_stop(request.folder, policy)


def carry_out(request: Request, on_progress: OnProgress = ignore_progress, by: Workplace = HERE) -> Evaluated:
    """Evaluate a model, and store the result; a data home that is read-only stores none.

    Raises:
        Cancelled: somebody asked it to stop.
        ModelError: the model is missing or damaged, or the same evaluation is running.
        DatasetError: the data set can't be read.
    """
    folder = model_folder(request.model)
    read_card(folder)  # before anything is written for a model that isn't there
    wanted = EvaluationStatus.of(request)
    place = claim_folder(EVALUATION, request.folder, wanted)
    with recording_failure(EVALUATION, place, wanted):
        report = report_in(EVALUATION, place, wanted, on_progress)
        evaluation = evaluate_model(request.model, str(request.data), request.split, request.body_part, report, by=by)
        result = summarize(evaluation, folder, request.body_part)
    stored = place is not None and _store(place, result, evaluation)
    ended = EvaluationStatus.of(request, complete=stored, ended=True, **_all_done(evaluation))
    write_status(EVALUATION, place, ended)
    return Evaluated(evaluation, result, place if stored else None)


def _all_done(evaluation: Evaluation) -> dict[str, int]:
    images = evaluation.images + len(evaluation.errors)
    return {"done": images, "images": images}


def _store(place: Path, result: ExternalResult, evaluation: Evaluation) -> bool:
    try:
        save_result(place, result, evaluation.predictions)
    except OSError as error:
        _log.warning("The result cannot be stored in %s: %s", place, error)
        return False
    return True
