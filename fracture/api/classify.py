"""Classify uploaded files: the answer is the document that ``fracture classify --json`` prints for them."""

import logging
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fracture.api.options import FILES, Options
from fracture.api.refusals import RefusalError
from fracture.errors import FractureError
from fracture.files import JsonObject
from fracture.imaging.limits import MAX_FILE_MB, MAX_UPLOADS
from fracture.inference.batch.answering import Request, StudyAnswer, Upload, answer_uploads, load_models
from fracture.inference.batch.asking import answers_document, models_to_ask
from fracture.paths import sanitize_name

_log = logging.getLogger(__name__)


class ReceivedFile(NamedTuple):
    """An uploaded file, which waits on the disk until it is read."""

    name: str
    size: int
    """Bytes."""
    read: Callable[[], bytes]

    def upload(self) -> Upload:
        """The file in memory."""
        return Upload(sanitize_name(self.name), self.read())


def check_files(files: Sequence[ReceivedFile]) -> None:
    """Raises RefusalError where there is no file, or one is too large."""
    if not files:
        raise RefusalError(f"The field {FILES} must have one or more uploaded files. Received: none.")
    for file in files:
        if file.size > MAX_FILE_MB * 2**20:
            size = f"{file.size / 2**20:,.0f} MB"
            raise RefusalError(f"A file may have {MAX_FILE_MB} MB. Received: {size}; use fracture classify.", 413)


def classify_files(files: Sequence[ReceivedFile], options: Options) -> JsonObject:
    """Answer files, each on its own or as the views of one study; run by a thread.

    Raises:
        RefusalError: there are too many files for the models that are asked, or the program has a defect.
        FractureError: a model is missing or damaged.
    """
    try:
        return _classify(files, options)
    except FractureError:
        raise
    except Exception as error:  # noqa: BLE001  its words may quote an upload: not logged
        place = "".join(traceback.format_tb(error.__traceback__))
        _log.error("A request to the REST interface failed by %s:\n%s", type(error).__name__, place)
        raise RefusalError("The server has failed at this request; its log says where.", 500) from None


def _classify(files: Sequence[ReceivedFile], options: Options) -> JsonObject:
    request = Request(
        models=tuple(models_to_ask(options.model, on_problem=_log.warning)),
        frame=options.frame,
        invert=options.invert,
        threshold=options.threshold,
        all_models=options.all_models,
        answer_unlike=options.answer_unlike,
    )
    most = MAX_UPLOADS // len(request.models)
    if len(files) > most:
        raise RefusalError(f"A request may have {most} files. Received: {len(files)}; send several requests.", 413)
    models = load_models(request)
    answers = _answers(request, files, options.study)
    rows = [row for answer in answers for row in answer.rows]
    errors = [failure.sentence for answer in answers for failure in answer.failures]
    return answers_document(models, rows, errors)


def _answers(request: Request, files: Sequence[ReceivedFile], together: bool) -> list[StudyAnswer]:
    if together:
        uploads = [file.upload() for file in files]
        return [answer_uploads(request, str(Path(uploads[0].name).parent), uploads)]
    answers = []
    for file in files:
        upload = file.upload()
        answers.append(answer_uploads(request, upload.name, [upload]))
    return answers
