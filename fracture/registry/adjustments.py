"""Adjustments of a model to other radiographs than those of its training, in a file of their own.

``<data home>/.adjustments/<model>.json`` holds up to two: the temperature and the thresholds refitted on a labeled data
set, and the threshold of the out-of-distribution check refitted on unlabeled radiographs. No file of the model folder
changes: deleting this one file undoes both.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from fracture import demo, paths
from fracture.documents import Document, Finite, Moment, Whole, sentence
from fracture.errors import ModelError
from fracture.estimate import Estimate
from fracture.files import file_sha256, read_json, write_json
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import Metrics

FOLDER = ".adjustments"
"""In the data home. A name with a dot: lists of data sets pass over it."""

Part = Literal["recalibration", "familiarity"]
"""The names of the two adjustments."""

_FITTED = ("balanced", "high_sensitivity", "high_specificity")


def _check_fitted(thresholds: dict[str, float]) -> dict[str, float]:
    missing = [name for name in _FITTED if name not in thresholds]
    if missing:
        raise PydanticCustomError("lacks", "must hold {names}", {"names": ", ".join(missing)})
    return thresholds


class Recalibration(Document):
    """Temperature and thresholds, refitted on a labeled data set."""

    data: str
    """The data set's name in the data home, or its path."""
    split: str
    body_part: str | None = None
    made: Moment
    images: Whole
    groups: Whole
    left_out: Whole = 0
    """Images of the split that the model was trained on: nothing is fitted on them."""
    folds: Whole
    temperature: Annotated[Finite, Field(gt=0)]
    thresholds: Annotated[dict[str, Finite], AfterValidator(_check_fitted)]
    before: Metrics
    """With the card's temperature and thresholds, on the same images."""
    after: Metrics
    """Each image with the temperature and the thresholds that were fitted on the other folds."""
    brier_difference: Estimate
    """Brier score after minus before, paired by image: below 0 the probabilities have become better."""


class FamiliarityThreshold(Document):
    """The threshold of the out-of-distribution check, refitted on unlabeled radiographs."""

    source: str
    """The folder of the radiographs."""
    made: Moment
    images: Whole
    left_out: Whole = 0
    """Copies of others, and images that the model was trained on."""
    threshold: Annotated[Finite, Field(gt=0)]
    threshold_before: Finite
    refused_before: Whole
    """How many of the images the model's own threshold refuses."""
    refused_after: Whole
    """How many are refused by thresholds that were chosen without them, by cross-fitting."""


class Adjustments(Document):
    """The file of one model."""

    model_sha256: str
    """Of the served graph: adjustments of a model that had the same name don't apply."""
    recalibration: Recalibration | None = None
    familiarity: FamiliarityThreshold | None = None

    @property
    def described(self) -> str:
        """What was adjusted and on which data, as one sentence."""
        parts = []
        if self.recalibration is not None:
            parts.append(f"recalibrated on {self.recalibration.data}")
        if self.familiarity is not None:
            parts.append(f"out-of-distribution check adjusted to {self.familiarity.source}")
        return f"This model is adjusted: {' and '.join(parts)}." if parts else ""


def adjustments_file(model: str) -> Path:
    """The file with the adjustments of a model, which need not exist."""
    return paths.data_home() / FOLDER / f"{model}.json"


def find_adjustments(folder: ModelFolder, card: Card) -> Adjustments | None:
    """The adjustments of a model; None where it has none, and in a public demo.

    Raises:
        ModelError: the file is damaged, or of another model; the model answers without it.
    """
    path = adjustments_file(folder.name)
    if demo.is_public() or not path.exists():
        return None
    try:
        found = Adjustments.model_validate(read_json(path))
    except ValidationError as error:
        raise _unusable(path, f"is damaged: {sentence(error)}") from error
    except (OSError, ValueError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    if found.model_sha256 != graph_sha256(folder, card):
        raise _unusable(path, f"is of another model that was called {folder.name!r}")
    return found


def _unusable(path: Path, problem: str) -> ModelError:
    return ModelError(f"{path} {problem}. The model answers as its card says; delete the file, or adjust it again.")


def graph_sha256(folder: ModelFolder, card: Card) -> str:
    """The SHA-256 of the served graph: from the card, or of the file where the card has none."""
    return card.files.get(folder.served_model.name) or file_sha256(folder.served_model)


def save_adjustment(folder: ModelFolder, card: Card, value: Recalibration | FamiliarityThreshold) -> Adjustments:
    """Add an adjustment to a model's file, in the place of the one before; a damaged file is replaced.

    Raises:
        PublicError: in a public demo.
        ModelError: the file cannot be written.
    """
    demo.refuse("adjustments")
    part: Part = "recalibration" if isinstance(value, Recalibration) else "familiarity"
    changed = _usable(folder, card).model_copy(update={part: value})
    _write(adjustments_file(folder.name), changed)
    return changed


def undo_adjustment(folder: ModelFolder, card: Card, part: Part) -> bool:
    """Remove an adjustment; the last one goes with its file, and so does a damaged file.

    Returns:
        Whether there was something to undo.

    Raises:
        PublicError: in a public demo.
        ModelError: the file cannot be written.
    """
    demo.refuse("adjustments")
    path = adjustments_file(folder.name)
    if not path.exists():
        return False
    before = _usable(folder, card)
    rest = before.model_copy(update={part: None})
    if not rest.described:
        _delete(path)
        return True
    _write(path, rest)
    return rest != before


def _usable(folder: ModelFolder, card: Card) -> Adjustments:
    """The adjustments that are there; none in the place of a damaged file."""
    try:
        found = find_adjustments(folder, card)
    except ModelError:
        found = None
    return found or Adjustments(model_sha256=graph_sha256(folder, card))


def _write(path: Path, adjustments: Adjustments) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, adjustments.model_dump())
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror}. Choose a data home that can.") from error


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path} cannot be deleted: {error.strerror}. Delete it by hand.") from error
