"""What an evaluation of a model on a data set found, as a document below the data home.

::

    <data home>/.evaluations/<model>/<data set>-<hash of the request>/result.json, predictions.csv

A model folder is never written to. Results of a model that had the same name before are passed over.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from fracture import paths
from fracture.data.dataset import existing_folder
from fracture.documents import Document, Moment, Whole, sentence
from fracture.errors import ModelError
from fracture.estimate import Estimate
from fracture.evaluation.evaluate import Evaluation
from fracture.evaluation.metrics import area, mean
from fracture.files import atomic_write, read_json, write_json
from fracture.registry.adjustments import graph_sha256
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder, model_folder, read_card, read_predictions
from fracture.registry.validation import Localization, Metrics

FOLDER = ".evaluations"
"""In the data home. A name with a dot: lists of data sets pass over it."""

RESULT = "result.json"
PREDICTIONS = "predictions.csv"

_COLUMNS = ("image_id", "study", "group", "body_part", "label", "logit", "probability", "in_distribution", "trained_on")
"""Of the stored predictions: what recalibration needs."""


@dataclass(frozen=True)
class Request:
    """Which model on which images."""

    model: str
    data: Path
    """The data set's folder."""
    split: str = "valid"
    body_part: str | None = None

    @property
    def folder(self) -> Path:
        """The folder of the result, the same for the same request; it need not exist."""
        asked = f"{self.data}\n{self.split}\n{self.body_part or ''}"
        name = paths.as_name(self.data.name, "data", max_length=50)
        ending = hashlib.sha256(asked.encode(errors="surrogateescape")).hexdigest()[:8]
        return paths.data_home() / FOLDER / self.model / f"{name}-{ending}"

    @property
    def data_name(self) -> str:
        """The data set's name in the data home, or its path."""
        return paths.short(str(self.data))


def request_evaluation(model: str, data: str, split: str = "valid", body_part: str | None = None) -> Request:
    """The request for a data set by its name or path.

    Raises:
        ModelError: no model can have this name.
        DatasetError: there is no such folder.
    """
    return Request(model_folder(model).name, existing_folder(data), split, body_part)


class ExternalResult(Document):
    """The file :data:`RESULT`."""

    model: str
    model_sha256: str
    """Of the served graph."""
    data: str
    split: str
    body_part: str | None
    evaluated: Moment
    images: Whole
    unreadable: Whole
    trained_on: Whole
    validated_on: Whole
    """Images that the card's own figures are of, known by their files."""
    out_of_distribution: Whole
    model_labels: list[str]
    data_labels: list[str]
    prevalence: Estimate
    """The share of positive images."""
    auc_in_distribution: Estimate
    """Of the images in distribution alone."""
    new_body_parts: dict[str, Whole]
    """The number of images by body parts that the model's validation images don't show."""
    auc_known_body_parts: Estimate
    """Of the images of the other body parts."""
    metrics: Metrics
    localization: Localization | None


def summarize(evaluation: Evaluation, folder: ModelFolder, body_part: str | None) -> ExternalResult:
    """The document of an evaluation. Raises ModelError where the model's recorded predictions are damaged."""
    card = read_card(folder)
    own = read_predictions(folder)
    predictions = evaluation.predictions
    is_new = ~predictions["body_part"].map(_plain_part).isin({_plain_part(part) for part in own["body_part"]})
    is_new &= predictions["body_part"] != ""
    new_parts = predictions.loc[is_new, "body_part"].value_counts()
    own_files = set(own["sha256"]) - {""}
    return ExternalResult(
        model=folder.name,
        model_sha256=graph_sha256(folder, card),
        data=paths.short(str(evaluation.data)),
        split=evaluation.split,
        body_part=body_part,
        evaluated=time.time(),
        images=evaluation.images,
        unreadable=len(evaluation.errors),
        trained_on=int(predictions["trained_on"].sum()),
        validated_on=int(predictions["sha256"].isin(own_files).sum()),
        out_of_distribution=evaluation.out_of_distribution,
        model_labels=list(evaluation.model_labels),
        data_labels=list(evaluation.data_labels),
        prevalence=mean(predictions["label"].to_numpy(float), predictions["group"]),
        auc_in_distribution=_auc(predictions[predictions["in_distribution"]]),
        new_body_parts={str(name): int(count) for name, count in new_parts.items()},
        auc_known_body_parts=_auc(predictions[~is_new]),
        metrics=evaluation.metrics,
        localization=evaluation.localization,
    )


def _plain_part(name: str) -> str:
    """MURA's ``XR_HUMERUS`` and another data set's ``humerus`` are one body part."""
    return name.lower().removeprefix("xr_")


def _auc(table: pd.DataFrame) -> Estimate:
    if table.empty:
        return {"value": None, "low": None, "high": None}
    return area(table["label"].to_numpy(), table["probability"].to_numpy(float), table["group"])


def save_result(place: Path, result: ExternalResult, predictions: pd.DataFrame) -> None:
    """Write both files into a folder that exists. Raises OSError."""
    rows = predictions[list(_COLUMNS)]
    atomic_write(place / PREDICTIONS, lambda part: rows.to_csv(part, index=False))
    write_json(place / RESULT, result.model_dump())  # last: where there is a result, the predictions are its own


def read_result(place: Path) -> ExternalResult:
    """The result in a folder. Raises ModelError where it is missing or damaged."""
    path = place / RESULT
    try:
        return ExternalResult.model_validate(read_json(path))
    except ValidationError as error:
        raise ModelError(f"{path} is damaged: {sentence(error)}. Evaluate the model again.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Evaluate the model again.") from error


def read_external_predictions(place: Path) -> pd.DataFrame:
    """The stored predictions of an evaluation. Raises ModelError where they are missing or damaged."""
    path = place / PREDICTIONS
    texts = dict.fromkeys(("image_id", "study", "group", "body_part"), "str")
    numbers = {"label": "int64", "logit": "float64", "probability": "float64"}
    flags = dict.fromkeys(("in_distribution", "trained_on"), "bool")
    try:
        table = pd.read_csv(path, dtype={**texts, **numbers, **flags}, keep_default_na=False)
        return table[list(_COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is missing or damaged. Evaluate the model again.") from error


def results_matrix(folders: Sequence[ModelFolder]) -> pd.DataFrame:
    """All stored results of these models as they are now, a row a result, the newest first of each data set.

    Returns:
        ``model, data, split, body_part, images, positives, refused, auc, low, high, evaluated``; ``refused`` is the
        share that is out of distribution.
    """
    rows = [_matrix_row(result) for folder in folders for result in stored_results(folder)]
    columns = ["model", "data", "split", "body_part", "images", "positives", "refused", "auc", "low", "high"]
    table = pd.DataFrame(rows, columns=[*columns, "evaluated"])
    return table.sort_values(["data", "evaluated"], ascending=[True, False], ignore_index=True)


def stored_results(folder: ModelFolder) -> list[ExternalResult]:
    """The readable results of a model, of its present served graph."""
    home = paths.data_home() / FOLDER / folder.name
    if not home.is_dir() or not folder.usable:
        return []
    sha256 = _sha256_or_none(folder)
    found = []
    for place in sorted(home.iterdir()):
        try:
            result = read_result(place)
        except ModelError:  # unfinished or damaged: evaluating again replaces it
            continue
        if result.model_sha256 == sha256:
            found.append(result)
    return found


def _sha256_or_none(folder: ModelFolder) -> str | None:
    try:
        card: Card = read_card(folder)
        return graph_sha256(folder, card)
    except (ModelError, OSError):
        return None


def _matrix_row(result: ExternalResult) -> dict[str, object]:
    image = result.metrics["image"]
    return {
        "model": result.model,
        "data": result.data,
        "split": result.split,
        "body_part": result.body_part or "",
        "images": result.images,
        "positives": image["positives"],
        "refused": result.out_of_distribution / result.images,
        "auc": image["auc"]["value"],
        "low": image["auc"]["low"],
        "high": image["auc"]["high"],
        "evaluated": result.evaluated,
    }
