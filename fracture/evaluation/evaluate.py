"""Evaluate a model on one split of a data set: its served graph on every image, then metrics and localization.

>>> from fracture.evaluation.evaluate import evaluate_model
>>> evaluate_model("fracatlas", "data/fracatlas").metrics["image"]["auc"]  # doctest: +SKIP
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.cluster import lacks_path
from fracture.data.combine import with_labels
from fracture.data.dataset import Dataset, scan
from fracture.data.decisions import apply_decisions
from fracture.data.measurements import digests
from fracture.errors import DatasetError, ModelError, RadiographError
from fracture.evaluation.localization import localize
from fracture.evaluation.metrics import evaluate
from fracture.evaluation.recorded_files import record_files
from fracture.files import JsonObject
from fracture.imaging.radiograph import Radiograph, load
from fracture.inference.batch.answering import AskedModel, ask, lacks_model
from fracture.inference.classifier import Classifier
from fracture.parallel import HERE, Workplace, open_workers, run_tasks
from fracture.registry.model_folder import model_folder
from fracture.registry.validation import Level, Localization

CHUNK = 8
"""Images that a worker gets at once."""


@dataclass(frozen=True)
class Evaluation:
    """The result of a model on one split of a data set."""

    model: str
    data: Path
    """The data set's folder."""
    split: str
    model_labels: tuple[str, str]
    data_labels: tuple[str, str]
    """The data set's label names, in the model's words where they can be translated."""
    images: int
    """How many could be read."""
    trained_on: int
    """How many images of the split the model was trained on."""
    out_of_distribution: int
    """How many images are unlike the training images; the metrics include them."""
    metrics: dict[str, Level]
    localization: Localization | None
    errors: list[str]
    """A sentence for each image that could not be read."""
    warnings: list[str]
    """Sentences: why the metrics may not be what they seem, and what was recorded beside the model."""
    predictions: pd.DataFrame = field(repr=False, compare=False)
    """The rows of the data set's table that could be read, with ``sha256, logit, probability, in_distribution`` and
    ``trained_on``, whether the model was trained on the image."""

    def to_json(self) -> JsonObject:
        """The document of ``fracture evaluate --json``."""
        return {
            "model": self.model,
            "data": str(self.data),
            "split": self.split,
            "model_labels": list(self.model_labels),
            "data_labels": list(self.data_labels),
            "trained_on": self.trained_on,
            "errors": self.errors,
            "metrics": self.metrics,
            "localisation": self.localization,
            "refused": self.out_of_distribution,
        }


def _ignore(done: int, total: int) -> None:
    """Report no progress."""


def evaluate_model(
    model: str,
    data: str,
    split: str = "valid",
    body_part: str | None = None,
    on_progress: Callable[[int, int], None] = _ignore,
    *,
    by: Workplace = HERE,
) -> Evaluation:
    """Run a model on the images of a split, and measure its predictions with the model's own thresholds.

    Where these are the images that the model was validated on, and its recorded predictions don't say which files they
    belong to, that is added to them.

    Args:
        model: the model's name.
        data: the data set's folder, or its name in the data home.
        split: ``train``, ``valid``, ``test`` or ``all``.
        body_part: only images of this one.
        on_progress: called with the number of images done, and of all.
        by: which processes run the model.

    Raises:
        ModelError: the model is missing or damaged.
        WorkerError: the cluster does not answer, or a worker lacks something.
        DatasetError: the data set can't be read, the split is empty, or none of its images can be read.
    """
    asked = ask(model_folder(model), None)
    classifier = _classifier(asked, asked.folder.version)
    dataset = _with_labels_of(classifier, apply_decisions(scan(data, body_part)))
    table = _select_split(dataset, split)
    table = table.assign(sha256=digests(table["path"].tolist()))
    table = table.assign(trained_on=_trained_on(classifier, table))
    predictions, errors = _predict(asked, dataset, table, on_progress, by)
    if predictions.empty:
        raise DatasetError(f"No image of split {split} of {dataset.root} can be read. The first one: {errors[0]}")
    trained_on = int(table["trained_on"].sum())
    thresholds = classifier.card.thresholds
    called = predictions.assign(found=predictions["probability"] >= thresholds["balanced"])
    return Evaluation(
        model=model,
        data=dataset.root,
        split=split,
        model_labels=classifier.labels,
        data_labels=dataset.label_names,
        images=len(predictions),
        trained_on=trained_on,
        out_of_distribution=int((~predictions["in_distribution"]).sum()),
        metrics=evaluate(predictions, thresholds),
        localization=localize(called, partial(_heat, classifier)),
        errors=errors,
        warnings=[
            *_warnings(classifier, dataset, trained_on, len(table)),
            *_record_files(classifier, dataset, predictions),
        ],
        predictions=predictions,
    )


def _with_labels_of(classifier: Classifier, dataset: Dataset) -> Dataset:
    """The data set with the model's labels where they mean the same; otherwise with its own, and a warning later."""
    with contextlib.suppress(DatasetError):
        return with_labels(dataset, classifier.labels)
    return dataset


def _select_split(dataset: Dataset, split: str) -> pd.DataFrame:
    table = dataset.table if split == "all" else dataset.table[dataset.table["split"] == split]
    if table.empty:
        splits = ", ".join(sorted(dataset.table["split"].unique()))
        raise DatasetError(f"split must be one of {splits}, or all, in {dataset.root}. Received: {split}")
    return table


class _Prediction(NamedTuple):
    """What a model says about one image."""

    logit: float
    probability: float
    in_distribution: bool


def _predict(
    asked: AskedModel, dataset: Dataset, table: pd.DataFrame, on_progress: Callable[[int, int], None], by: Workplace
) -> tuple[pd.DataFrame, list[str]]:
    """The readable rows with ``logit, probability, in_distribution``, and a sentence for each other row."""
    paths = table["path"].tolist()
    size = 1 if by == HERE else CHUNK
    chunks = [range(start, min(start + size, len(paths))) for start in range(0, len(paths), size)]
    items = [(chunk, paths[chunk.start : chunk.stop]) for chunk in chunks]
    found: list[_Prediction | str] = [""] * len(paths)
    done = 0
    needs = [partial(lacks_path, str(dataset.root)), partial(lacks_model, asked)]
    with open_workers(by.processes, by.cluster, needs) as workers:
        for (chunk, _), predicted in run_tasks(partial(_predict_chunk, asked), items, workers):
            found[chunk.start : chunk.stop] = predicted
            done += len(chunk)
            on_progress(done, len(paths))
    readable = [each for each in found if isinstance(each, _Prediction)]
    rows = table[[isinstance(each, _Prediction) for each in found]]
    columns = pd.DataFrame(readable, rows.index, list(_Prediction._fields))
    kinds = {"logit": np.float64, "probability": np.float64, "in_distribution": np.bool_}
    return rows.assign(**columns.astype(kinds)), [each for each in found if isinstance(each, str)]


def _predict_chunk(asked: AskedModel, chunk: tuple[range, list[str]]) -> list[_Prediction | str]:
    """Run by a worker: a prediction for each image, or the sentence that says why there is none."""
    classifier = _classifier(asked, asked.folder.version)
    return [_predict_image(classifier, path) for path in chunk[1]]


def _predict_image(classifier: Classifier, path: str) -> _Prediction | str:
    try:
        view = classifier.view(path, load(Path(path)))
    except RadiographError as error:
        return str(error)
    # The classifier averages the logits of the image and its mirror image, too. None: the model has no check.
    return _Prediction(float(np.mean(view.logits)), view.probability, view.known is not False)


@lru_cache(maxsize=1)
def _classifier(asked: AskedModel, _version: str) -> Classifier:
    """The model, loaded once in a process, and again when its files change."""
    return Classifier(asked.folder)


def _heat(classifier: Classifier, image: Radiograph, width: int, height: int) -> NDArray[np.float32]:
    return classifier.heat(classifier.view("", image), width, height)


def _trained_on(classifier: Classifier, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the model was trained on each image (N,)."""
    if classifier.ood_detector is None:
        return np.zeros(len(table), np.bool_)
    return classifier.ood_detector.trained_on(table["image_id"].tolist(), table["sha256"].tolist())


def _warnings(classifier: Classifier, dataset: Dataset, trained_on: int, images: int) -> Iterator[str]:
    """Why the metrics may not be what they seem."""
    yield from filter(None, (mapping.describe() for mapping in dataset.label_mappings))
    if dataset.excluded or dataset.relabelled:
        yield (
            f"By decision, {dataset.excluded:,} images of this data set are excluded and {dataset.relabelled:,} have "
            "another label."
        )
    if dataset.label_names != classifier.labels:
        yield (
            f"The labels differ: the model predicts {_quote(classifier.labels)}, the data set says "
            f"{_quote(dataset.label_names)}."
        )
    if trained_on:
        yield (
            f"The model was trained on {trained_on:,} of these {images:,} images (data leakage): the metrics are too "
            "optimistic."
        )


def _quote(labels: tuple[str, str]) -> str:
    return f"{labels[0]!r} and {labels[1]!r}"


def _record_files(classifier: Classifier, dataset: Dataset, predictions: pd.DataFrame) -> Iterator[str]:
    """Record which files the model's own predictions belong to; what was done, or why it was not, in a sentence."""
    folder = model_folder(classifier.name)
    try:
        added = record_files(folder, classifier.card, dataset, predictions)
    except (ModelError, OSError) as error:  # the metrics don't depend on it
        yield str(error)
        return
    if added:
        yield f"{folder.predictions.name} now records which files {added:,} predictions belong to."
