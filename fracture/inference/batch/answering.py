"""What a worker does: load the models once, and answer studies.

The same functions answer a single file in the process of the command line.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from fracture import paths
from fracture.errors import FractureError, RadiographError
from fracture.files import JsonObject
from fracture.imaging.radiograph import Radiograph, check_visible, load, read
from fracture.imaging.viewing.changes import PictureChanges, change
from fracture.inference.automatic import choose_models, match_model
from fracture.inference.batch.urls import is_url, name_in, read_url
from fracture.inference.classifier import Classifier, FirstPass
from fracture.inference.radiograph_check import RadiographScreen, load_screen
from fracture.inference.report import rows
from fracture.inference.unusual import explain
from fracture.paths import sanitize_name
from fracture.registry.adjustments import Adjustments, graph_sha256
from fracture.registry.model_folder import ModelFolder, model_folder, read_card

_loading = threading.Lock()

Opening = Callable[[], Radiograph]
"""Reads and decodes a file. Raises RadiographError where it can't."""


class Study(NamedTuple):
    """Files that are answered together: a file on its own, or the views of a study."""

    name: str
    files: tuple[str, ...]
    """Paths or URLs."""


@dataclass(frozen=True)
class AskedModel:
    """A model by its name, under which each worker finds it in its own folder of models."""

    name: str
    sha256: str
    """Of the served graph: another model of the same name would answer otherwise."""
    shipped: bool = False
    """Whether it is the one that comes with the project, whatever is in the folder of models."""
    adjustments: str = ""
    """As JSON; they are of the machine that asks. Empty for none."""

    @property
    def folder(self) -> ModelFolder:
        """Where it is on this machine."""
        if self.shipped:
            return ModelFolder(paths.shipped_home() / self.name)
        return model_folder(self.name)


@dataclass(frozen=True)
class Request:
    """Which models answer, and how."""

    models: tuple[AskedModel, ...]
    """Of several, the one that knows a study best answers."""
    frame: int = 1
    """Of DICOM files with several, from 1."""
    invert: bool = False
    threshold: float | None = None
    """A probability at or above it is positive; None takes the thresholds of the card."""
    all_models: bool = False
    """Whether both models answer where it can't be told which of them knows a study better."""
    answer_unlike: bool = False


class Upload(NamedTuple):
    """A file in memory. Its name is shown, and never opened: it may look like a path or a URL."""

    name: str
    content: bytes


class Failure(NamedTuple):
    """A file without an answer."""

    file: str
    sentence: str


class StudyAnswer(NamedTuple):
    """The answer for a study."""

    study: Study
    rows: list[JsonObject]
    """As :func:`fracture.inference.report.rows` gives them; none where no file can be read."""
    failures: list[Failure]
    contested: bool = False
    """Whether it can't be told which of two models knows the study better."""


def load_models(request: Request) -> tuple[Classifier, ...]:
    """The models of a request, loaded once in a process. Raises ModelError where one is missing or damaged."""
    return _loaded(request.models)[0]


def lacks_model(asked: AskedModel) -> str:
    """A need of :mod:`fracture.cluster`: the worker must have the same model."""
    fix = "Copy the model's folder there, or let FRACTURE_MODELS name a folder that both machines see."
    try:
        folder = asked.folder
        found = graph_sha256(folder, read_card(folder)) if folder.usable else ""
    except (FractureError, OSError):
        found = ""
    if not found:
        return f"has no model {asked.name!r}. {fix}"
    return "" if found == asked.sha256 else f"has another model that is called {asked.name!r}. {fix}"


def ask(folder: ModelFolder, adjustments: Adjustments | None, *, shipped: bool = False) -> AskedModel:
    """The model in a folder, as a worker is asked for it. Raises ModelError where it is missing or damaged."""
    sha256 = graph_sha256(folder, read_card(folder)) if folder.usable else ""
    return AskedModel(folder.name, sha256, shipped, adjustments.model_dump_json() if adjustments else "")


def answer_study(request: Request, study: Study) -> StudyAnswer:
    """Answer a study from those of its files that can be read."""
    return _answer(request, study, [(file, partial(_load_image, file, request.frame)) for file in study.files])


def answer_uploads(request: Request, name: str, uploads: Sequence[Upload]) -> StudyAnswer:
    """Answer a study from those of its files in memory that can be read, as :func:`answer_study` does."""
    study = Study(name, tuple(upload.name for upload in uploads))
    return _answer(request, study, [(upload.name, partial(_read_upload, upload, request.frame)) for upload in uploads])


def _answer(request: Request, study: Study, files: Sequence[tuple[str, Opening]]) -> StudyAnswer:
    models, screen = _loaded(request.models)
    failures: list[Failure] = []
    images = _readable(request, files, failures)
    if not images:
        return StudyAnswer(study, [], failures)
    answered = _answers(images, models, screen)
    lines: list[JsonObject] = []
    for model, passes in answered if request.all_models else answered[:1]:
        views = [model.complete(each, request.threshold) for each in passes]
        answer = model.answer(views, request.threshold, answer_unlike=request.answer_unlike)
        explanations = []
        for view, (_, image) in zip(views, images, strict=True):
            explanations.append(explain(view, model.ood_detector, image.pixels))
        lines += rows(study.name, answer, model.name, explanations)
    return StudyAnswer(study, lines, failures, contested=len(answered) > 1)


def answer_studies(request: Request, studies: Sequence[Study]) -> list[StudyAnswer]:
    """Answer the studies of a chunk."""
    return [answer_study(request, study) for study in studies]


def _loaded(asked: tuple[AskedModel, ...]) -> tuple[tuple[Classifier, ...], RadiographScreen | None]:
    versions = tuple(each.folder.version for each in asked)
    with _loading:  # the threads of a worker share the models
        return _load(asked, versions, paths.shipped_home())


@lru_cache(maxsize=1)
def _load(
    asked: tuple[AskedModel, ...], _versions: tuple[str, ...], _shipped: Path
) -> tuple[tuple[Classifier, ...], RadiographScreen | None]:
    """The models, and the check whether images are radiographs; loaded again when their files change."""
    models = []
    for each in asked:
        adjustments = Adjustments.model_validate_json(each.adjustments) if each.adjustments else None
        models.append(Classifier(each.folder, adjustments))
    return tuple(models), load_screen(models)


def _answers(
    images: list[tuple[str, Radiograph]], models: Sequence[Classifier], screen: RadiographScreen | None
) -> list[tuple[Classifier, list[FirstPass]]]:
    """The models that answer for a study, the best match first, each with its first passes over the images."""
    seen = [{model.name: model.first_pass(name, image) for model in models} for name, image in images]
    if screen is not None:
        seen = [screen.mark(passes, image) for (_, image), passes in zip(images, seen, strict=True)]
    by_model = {model.name: [passes[model.name] for passes in seen] for model in models}
    chosen = choose_models([match_model(model, by_model[model.name]) for model in models])
    return [(match.model, by_model[match.model.name]) for match in chosen]


def _readable(
    request: Request, files: Sequence[tuple[str, Opening]], failures: list[Failure]
) -> list[tuple[str, Radiograph]]:
    """The changed images that can be read and show something, by file; ``failures`` gets each other."""
    images = []
    changes = PictureChanges(invert=request.invert)
    for file, opening in files:
        try:
            image = change(opening(), changes)
            check_visible(image, sanitize_name(name_in(file)))
        except RadiographError as error:
            failures.append(Failure(file, str(error)))
        else:
            images.append((file, image))
    return images


def _load_image(file: str, frame: int) -> Radiograph:
    if is_url(file):
        return read(read_url(file), name_in(file), frame)
    return load(Path(file), frame)


def _read_upload(upload: Upload, frame: int) -> Radiograph:
    return read(upload.content, name_in(upload.name), frame)
