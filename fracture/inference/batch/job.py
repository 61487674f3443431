"""Classify any number of studies: a few in this process, many by workers.

>>> from fracture.inference.batch.answering import Request, ask
>>> from fracture.inference.batch.job import classify_studies
>>> from fracture.inference.batch.listing import list_studies
>>> from fracture.registry.model_folder import model_folder
>>> request = Request((ask(model_folder("first"), None),))
>>> for answer in classify_studies(request, list_studies(["scans"], together=False)):  # doctest: +SKIP
...     print(answer.study.name, answer.rows)
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from fracture import demo, parallel
from fracture.cluster import Need, lacks_path
from fracture.inference.batch.answering import (
    Failure,
    Request,
    Study,
    StudyAnswer,
    answer_studies,
    answer_study,
    lacks_model,
)

PROCESSES_FROM = 64
"""Studies from which on processes of this machine are started: fewer take less time than the start."""

PROCESS_MB = 500
"""Memory of a process with both models that come with the project."""

FIRST_CHUNK = 4
MAX_CHUNK = 512
CHUNK_SECONDS = 1.0
"""How long a worker is to be busy with a chunk: long beside the way there and back, short beside the job."""


class _Answered(NamedTuple):
    """The answers of a chunk, and the seconds that a worker needed."""

    answers: list[StudyAnswer]
    seconds: float


def classify_studies(
    request: Request,
    studies: Iterable[Study],
    processes: int | None = None,
    cluster: str | None = None,
    paths: Iterable[str] = (),
) -> Iterator[StudyAnswer]:
    """Answer studies: in their order in this process; in the order of completion by workers.

    Args:
        request: which models answer, and how.
        studies: listed as they are needed.
        processes: of this machine; 1 starts none. None: one a core where there are :data:`PROCESSES_FROM` studies.
        cluster: the address of a Dask scheduler, whose workers answer.
        paths: files and folders that each worker of a cluster must see.

    Raises:
        ModelError: a model is missing or damaged.
        WorkerError: the cluster does not answer, or a worker lacks something.
    """
    waiting = iter(studies)
    first = list(itertools.islice(waiting, PROCESSES_FROM))
    everything = itertools.chain(first, waiting)
    few = processes is None and len(first) < PROCESSES_FROM
    if cluster is None and (few or processes == 1):
        yield from (answer_study(request, study) for study in everything)
        return
    count = processes or parallel.default_processes(PROCESS_MB, demo.machine_memory_mb())
    needs: list[Need] = [partial(lacks_path, path) for path in paths]
    needs += [partial(lacks_model, model) for model in request.models]
    with parallel.open_workers(count, cluster, needs) as workers:
        yield from _by_workers(request, everything, workers)


def _by_workers(request: Request, studies: Iterable[Study], workers: parallel.Workers) -> Iterator[StudyAnswer]:
    chunks = _Chunks(studies)
    given_up: list[Study] = []
    for chunk, done in parallel.run_tasks(partial(_answer, request), chunks, workers, give_up=_nothing):
        chunks.learn(done)
        yield from done.answers
        if not done.answers:
            given_up += chunk
    # One study of a chunk has killed its workers: each is tried on its own.
    alone = ((study,) for study in given_up)
    for _, done in parallel.run_tasks(partial(_answer, request), alone, workers, give_up=_failed):
        yield from done.answers


class _Chunks:
    """Studies in chunks of about :data:`CHUNK_SECONDS`, by the time that earlier ones took."""

    def __init__(self, studies: Iterable[Study]) -> None:
        self._studies = iter(studies)
        self._files = FIRST_CHUNK

    def __iter__(self) -> Iterator[tuple[Study, ...]]:
        while chunk := tuple(self._next()):
            yield chunk

    def _next(self) -> Iterator[Study]:
        files = 0
        while files < self._files:
            study = next(self._studies, None)
            if study is None:
                return
            files += len(study.files)
            yield study

    def learn(self, done: _Answered) -> None:
        """Make the next chunks longer or shorter."""
        files = sum(len(answer.study.files) for answer in done.answers)
        if files:
            wanted = files * CHUNK_SECONDS / max(done.seconds, 1e-3)
            self._files = round(min(max(wanted, FIRST_CHUNK), MAX_CHUNK, 4 * self._files))


def _answer(request: Request, chunk: tuple[Study, ...]) -> _Answered:
    """Run by a worker."""
    started = time.monotonic()
    answers = answer_studies(request, chunk)
    return _Answered(answers, time.monotonic() - started)


def _nothing(_: tuple[Study, ...]) -> _Answered:
    """For a chunk whose workers were killed."""
    return _Answered([], 0.0)


def _failed(chunk: tuple[Study, ...]) -> _Answered:
    """For a study whose workers were killed: its files have no answer."""
    sentence = "Its worker was killed several times: the image may need more memory than there is."
    answers = []
    for study in chunk:
        failures = [Failure(file, f"{file}: {sentence}") for file in study.files]
        answers.append(StudyAnswer(study, [], failures))
    return _Answered(answers, 0.0)
