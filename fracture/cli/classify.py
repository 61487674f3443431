"""Classify radiographs: a single file, or a folder of any size."""

import sys
import threading
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

import fracture
from fracture.cli.answers import print_notes, print_rows
from fracture.data.layouts import ENDINGS
from fracture.errors import FractureError
from fracture.files import JsonObject
from fracture.inference.batch.answering import AskedModel, Request, Study, StudyAnswer, load_models
from fracture.inference.batch.asking import answers_document, models_to_ask
from fracture.inference.batch.done import DoneStudies
from fracture.inference.batch.job import classify_studies
from fracture.inference.batch.listing import is_folder, list_studies
from fracture.inference.batch.results import ResultFile, open_results
from fracture.inference.batch.urls import is_url
from fracture.inference.classifier import Classifier
from fracture.parallel import cluster_address

MAX_PRINTED = 1000
"""Rows and sentences that are printed or kept for it where a file gets them all; of more, the counts are printed."""

LOGGED_EVERY = 60.0
"""Seconds between two states of the progress where stderr is no terminal."""


def classify(args: Namespace) -> JsonObject:
    """Classify files, each on its own or as views of one study, with a model or with the one that knows each best."""
    request = _request(args)
    models = load_models(request)
    found = _Found(keep_all=args.json or args.csv is None)
    with _opened(args.csv, _settings(args, request)) as file:
        known = file.done() if file else DoneStudies()
        found.known = len(known)
        with _progress(args, found.known) as on_files:
            for answer in _answers(args, request, known, found.empty_folder):
                found.add(answer)
                on_files(len(answer.study.files))
                if file:
                    file.add([answer])
        if file:
            file.finish()
    if not args.json:
        _print(args, models, found)
    _print_problems(args, found)
    return _document(models, found)


class _Found:
    """The answers, as far as they are kept for printing, and their counts."""

    def __init__(self, keep_all: bool) -> None:
        self._keep_all = keep_all
        self.answers: list[StudyAnswer] = []
        self.errors: list[str] = []
        self.notes: dict[str, JsonObject] = {}
        """A row of each kind that the notes below the answers explain."""
        self.known = 0
        """Studies that were answered before the job was interrupted."""
        self.studies = 0
        self.contested = 0
        self.failed = 0
        """Sentences, of files and of folders."""
        self.counts: Counter[str] = Counter()
        """Rows by their answer."""

    def add(self, answer: StudyAnswer) -> None:
        """Count an answer, and keep it where there are few."""
        self.studies += 1
        self.contested += answer.contested
        for row in answer.rows:
            self.counts[row["answer"]] += 1
            self.notes.setdefault(f"{row['model']} {row['status']} {row['probability'] is None}", row)
        for failure in answer.failures:
            self._add_error(failure.sentence)
        if self._keep_all or self.studies <= MAX_PRINTED:
            self.answers.append(answer)

    def empty_folder(self, folder: str) -> None:
        """Note a folder without an image."""
        self._add_error(f"{folder} holds no image: {', '.join(ENDINGS)}, or DICOM without ending.")

    def _add_error(self, sentence: str) -> None:
        self.failed += 1
        if self._keep_all or self.failed <= MAX_PRINTED:
            self.errors.append(sentence)

    @property
    def rows(self) -> list[JsonObject]:
        """All rows that were kept."""
        return [row for answer in self.answers for row in answer.rows]

    @property
    def complete(self) -> bool:
        """Whether every row was kept."""
        return len(self.answers) == self.studies


def _answers(
    args: Namespace, request: Request, known: DoneStudies, on_empty: Callable[[str], object]
) -> Iterator[StudyAnswer]:
    """The answers for all studies that are not known yet: in their order where they are not written as they come."""
    places = list(dict.fromkeys(args.files))
    listed = _listed(args, on_empty)
    studies: Iterator[Study] = (study for study in listed if study.name not in known) if len(known) else listed
    cluster = cluster_address(args.cluster)
    seen = [str(Path(place).resolve()) for place in places if not is_url(place)] if cluster else []
    if args.csv:
        yield from classify_studies(request, studies, args.workers, cluster, seen)
        return
    order: dict[str, int] = {}

    def numbered() -> Iterator[Study]:
        for study in studies:
            order.setdefault(study.name, len(order))
            yield study

    answers = classify_studies(request, numbered(), args.workers, cluster, seen)
    yield from sorted(answers, key=lambda answer: order[answer.study.name])


def _listed(args: Namespace, on_empty: Callable[[str], object] = id) -> Iterator[Study]:
    return list_studies(list(dict.fromkeys(args.files)), together=args.study, on_empty=on_empty)


@contextmanager
def _opened(path: Path | None, settings: JsonObject) -> Iterator[ResultFile | None]:
    """The file for results, which keeps what it has when the command is interrupted."""
    if path is None:
        yield None
        return
    file = open_results(path, settings)
    try:
        yield file
    except KeyboardInterrupt:
        print("\nInterrupted. The same command resumes it.", file=sys.stderr)
        raise
    finally:
        file.close()


@contextmanager
def _progress(args: Namespace, known: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr with rate and time left, and the function that is told how many files were answered."""
    folders = any(is_folder(place) for place in args.files)
    quiet = args.json or not (folders or len(args.files) >= 5)
    # In the log of a job there is a line each minute, and none of a short one.
    pause = 0.1 if sys.stderr.isatty() else LOGGED_EVERY
    delay = 0.0 if sys.stderr.isatty() else LOGGED_EVERY
    with tqdm(desc="Classifying", unit="image", initial=known, disable=quiet, mininterval=pause, delay=delay) as bar:
        if not quiet and not any(is_url(place) for place in args.files):
            # Listed a second time, beside the work: a total is what a time left is computed from.
            threading.Thread(target=_count, args=[args, bar], daemon=True).start()
        yield bar.update


def _count(args: Namespace, bar: "tqdm[None]") -> None:
    total = 0
    with suppress(FractureError):  # the job itself says so
        for study in _listed(args):
            total += len(study.files)
        bar.total = total


def _settings(args: Namespace, request: Request) -> JsonObject:
    """What the results of a job depend on: an interrupted one is resumed with the same alone."""
    models = [f"{model.name} {model.sha256} {model.adjustments}" for model in request.models]
    return {
        "version of fracture": fracture.__version__,
        "choice of models": models,
        "list of files": [place if is_url(place) else str(Path(place).absolute()) for place in args.files],
        "--study": args.study,
        "--frame": request.frame,
        "--invert": request.invert,
        "--threshold": request.threshold,
        "--all-models": request.all_models,
        "--answer-unlike": request.answer_unlike,
    }


def _request(args: Namespace) -> Request:
    return Request(
        models=tuple(_models_to_ask(args)),
        frame=args.frame,
        invert=args.invert,
        threshold=args.threshold,
        all_models=args.all_models,
        answer_unlike=args.answer_unlike,
    )


def _models_to_ask(args: Namespace) -> list[AskedModel]:
    """The models that answer; sentences about them go to stderr."""
    return models_to_ask(
        args.model,
        args.also_ask or [],
        unadjusted=args.unadjusted,
        on_problem=_say,
        on_default=id if args.json else _say,
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _print(args: Namespace, models: Sequence[Classifier], found: _Found) -> None:
    """The answers for people: each row, or the counts where there are very many of them in a file."""
    if found.complete:
        print_rows(models, found.rows)
    else:
        counts = ", ".join(f"{count:,} {answer}" for answer, count in found.counts.most_common())
        print(f"{found.studies:,} answered: {counts}.")
    if found.known:
        print(f"{found.known:,} were answered before; {args.csv} has all of them.")
    if found.notes:
        print()
        print_notes(models, list(found.notes.values()))


def _print_problems(args: Namespace, found: _Found) -> None:
    if found.contested and not args.all_models:
        print(
            f"For {found.contested:,} of {found.studies:,} it can't be told which model knows them best; their answers "
            "are by the closer one. --all-models prints both.",
            file=sys.stderr,
        )
    for sentence in found.errors:
        print(sentence, file=sys.stderr)
    if found.failed > len(found.errors):
        print(f"{found.failed:,} in all have no answer; the column error of {args.csv} says why.", file=sys.stderr)


def _document(models: Sequence[Classifier], found: _Found) -> JsonObject:
    document = answers_document(models, found.rows, found.errors)
    if found.known:
        document["answered_before"] = found.known
    return document
