"""An evaluation on a data set as a background job: started from a page, or carried out by ``fracture evaluate``.

The job's folder is the result's, see :mod:`fracture.evaluation.external.results`.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fracture import demo
from fracture.demo import NOBODY, Policy
from fracture.documents import Whole
from fracture.errors import Cancelled, FractureError, ModelError
from fracture.evaluation.evaluate import Evaluation, evaluate_model
from fracture.evaluation.external.results import ExternalResult, Request, save_result, summarize
from fracture.jobs import process
from fracture.jobs.folder_job import FolderJob, FolderStatus
from fracture.registry.model_folder import model_folder, read_card

_log = logging.getLogger(__name__)


class EvaluationStatus(FolderStatus):
    """The file ``evaluation.json``."""

    model: str
    data: str
    split: str
    body_part: str | None = None
    done: Whole = 0
    """Images that the model has answered."""
    images: Whole = 0
    """All images; 0 until they are counted."""
    complete: bool = False

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

    def resumed(self, wanted: Self) -> Self:
        """From the beginning: the model or the images may have changed since."""
        return wanted

    @property
    def state(self) -> str:
        """``evaluating``, ``complete`` or ``interrupted``."""
        if self.working:
            return "evaluating"
        return "complete" if self.complete else "interrupted"

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done / self.images, 1.0) if self.images else 0.0


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


def _ignore(done: int, total: int) -> None:
    """Report no progress."""


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


def carry_out(request: Request, on_progress: Callable[[int, int], None] = _ignore) -> Evaluated:
    """Evaluate a model in this process, and store the result; a data home that is read-only stores none.

    Raises:
        Cancelled: somebody asked it to stop.
        ModelError: the model is missing or damaged, or the same evaluation is running.
        DatasetError: the data set can't be read.
    """
    folder = model_folder(request.model)
    read_card(folder)  # before anything is written for a model that isn't there
    place = _claim(request)
    with _give_up(request, place):
        evaluation = evaluate_model(
            request.model, str(request.data), request.split, request.body_part, _reporting(request, place, on_progress)
        )
        result = summarize(evaluation, folder, request.body_part)
    stored = place is not None and _store(place, result, evaluation)
    if place is not None:
        _write(place, EvaluationStatus.of(request, complete=stored, ended=True, **_all_done(evaluation)))
    return Evaluated(evaluation, result, place if stored else None)


def _all_done(evaluation: Evaluation) -> dict[str, int]:
    images = evaluation.images + len(evaluation.errors)
    return {"done": images, "images": images}


def _claim(request: Request) -> Path | None:
    """The job's folder, which is this process's from now on; None where it can't be written to."""
    place = request.folder
    try:
        EVALUATION.claim(place, EvaluationStatus.of(request))
    except OSError as error:
        _log.warning("%s cannot be written to: %s", place, error)
        return None
    return place


def _reporting(
    request: Request, place: Path | None, on_progress: Callable[[int, int], None]
) -> Callable[[int, int], None]:
    """Reports progress in the job's folder too, and raises Cancelled where somebody asked the job to stop."""
    identity = process.identity()
    stop = None if place is None else EVALUATION.stop_request(place)
    written = 0

    def report(done: int, total: int) -> None:
        nonlocal written
        on_progress(done, total)
        if place is None or stop is None:
            return
        if stop.exists():
            raise Cancelled
        # A hundred times in all: each write waits for the disk.
        if done - written >= total / 100:
            written = done
            _write(place, EvaluationStatus.of(request, done=done, images=total, **identity))

    return report


@contextlib.contextmanager
def _give_up(request: Request, place: Path | None) -> Iterator[None]:
    """Write down why an evaluation has ended without a result."""
    try:
        yield
    except BaseException as failure:
        if place is not None:
            reason = str(failure) if isinstance(failure, FractureError) else None
            _write(place, EvaluationStatus.of(request, error=reason, ended=True))
            EVALUATION.stop_request(place).unlink(missing_ok=True)
        raise


def _store(place: Path, result: ExternalResult, evaluation: Evaluation) -> bool:
    try:
        save_result(place, result, evaluation.predictions)
    except OSError as error:
        _log.warning("The result cannot be stored in %s: %s", place, error)
        return False
    return True


def _write(place: Path, status: EvaluationStatus) -> None:
    try:
        EVALUATION.write(place, status)
    except OSError as error:  # the evaluation itself goes on
        _log.warning("%s cannot be written to: %s", place, error)
