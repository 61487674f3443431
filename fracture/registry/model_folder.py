"""A model folder on disk: the only module that knows its file names.

A run is a model folder in the making: the same place, the same files. Each file is written whole or not at all, by
:mod:`fracture.files`.

Nothing in a model folder is executed when a model is used: the card is JSON, the graph is LiteRT's, which knows only
its own operators, and arrays are read without pickle. But a folder may have come from elsewhere, and a file that was
damaged or replaced on the way could still give predictions, wrong ones. So the card records the SHA-256 of the files
that decide what the model predicts.
"""

import itertools
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from fracture import files, paths
from fracture.documents import Number, sentence
from fracture.errors import ModelError
from fracture.files import JsonObject, file_sha256
from fracture.paths import as_name, is_name
from fracture.registry.card import Card

SHIPPED_MODELS = ("fracatlas", "mura-humerus")
"""The folder names of the models that come with the project, the default one first."""

CARD_SCHEMA = 2
"""Version of the layout of ``card.json``; a card of another version is refused."""

_HISTORY = TypeAdapter(dict[str, list[Number]])

_NUMBER = re.compile(r"-\d+$")
"""The end of a name from :func:`free_name`."""


@dataclass(frozen=True)
class ModelFolder:
    """One model or run: its files by their meaning."""

    path: Path

    @property
    def name(self) -> str:
        """The model's name."""
        return self.path.name

    @property
    def card(self) -> Path:
        """Everything needed to use the model and to evaluate it: see :mod:`fracture.registry.card`."""
        return self.path / "card.json"

    @property
    def keras_model(self) -> Path:
        """The trained Keras model; missing where a head was trained without Keras."""
        return self.path / "model.h5"

    @property
    def served_model(self) -> Path:
        """The LiteRT graph that makes the predictions."""
        return self.path / "model.tflite"

    @property
    def history(self) -> Path:
        """Metrics by epoch, ``{name: [values]}``."""
        return self.path / "history.json"

    @property
    def events(self) -> Path:
        """The run's events, a JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def checkpoint(self) -> Path:
        """The state of the run at the end of an epoch, from which it is resumed."""
        return self.path / "checkpoint.npz"

    @property
    def predictions(self) -> Path:
        """The predictions for the validation images."""
        return self.path / "predictions.csv"

    @property
    def familiarity(self) -> Path:
        """Distances and thresholds of the out-of-distribution check."""
        return self.path / "familiarity.npz"

    @property
    def radiograph_check(self) -> Path:
        """What tells radiographs from other pictures; only the bundled model's folder has it, for all models."""
        return self.path / "radiograph_check.npz"

    @property
    def region_finder(self) -> Path:
        """The network that draws boxes, where the card names one."""
        return self.path / "regions.tflite"

    @property
    def dynamic_range(self) -> Path:
        """What differs of the graph on whose features heads train; only the bundled model's folder has it."""
        return self.path / "dynamic_range.npz"

    @property
    def backbone(self) -> Path:
        """The fine-tuned backbone's weights in 16 bits, for other runs to start from."""
        return self.path / "backbone.weights.h5"

    @property
    def note(self) -> Path:
        """The note that people wrote about it."""
        return self.path / "note.txt"

    @property
    def status(self) -> Path:
        """The run's state, process and heartbeat."""
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        """What the training process printed, to look into a failure."""
        return self.path / "train.log"

    @property
    def stop_request(self) -> Path:
        """An empty file; its presence asks the run to stop."""
        return self.path / "stop"

    @property
    def usable(self) -> bool:
        """Whether it can make predictions. The card is written last: where there is one, the rest is whole."""
        return self.card.exists() and self.served_model.exists()

    @property
    def bundled(self) -> bool:
        """Whether it is a model that comes with the project, which can't be renamed or deleted."""
        return self.name in SHIPPED_MODELS and self.path.parent == paths.shipped_home()

    @property
    def version(self) -> str:
        """A cache key: it changes whenever the model does."""
        states = [_state(path) for path in (self.card, self.served_model, self.predictions)]
        return f"{self.name} {states}"


def _state(path: Path) -> tuple[int, ...]:
    """Modification time, size and inode: a copy, or a clock that was set back, can give two files the same time."""
    with suppress(OSError):
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
    return ()


def model_folder(name: str, root: Path | None = None) -> ModelFolder:
    """The folder of the model called ``name``, which need not exist.

    ``root``: the models folder by default, or else where the models are that come with the project.

    Raises:
        ModelError: the name could lead out of the models folder.
    """
    if not is_name(name):
        raise ModelError(
            f"A model's name has 1 to 64 letters, digits, dots, dashes and underscores. Received: {name[:80]!r}"
        )
    folder = ModelFolder((root or paths.models_home()) / name)
    if root is None and name in SHIPPED_MODELS and not folder.path.exists():
        shipped = ModelFolder(paths.shipped_home() / name)
        return shipped if shipped.usable else folder
    return folder


def bundled_model() -> ModelFolder:
    """The model whose backbone is the weight source ``bundled``; no variable moves it."""
    return ModelFolder(paths.PROJECT / "models" / "fracatlas")


def shipped_models() -> list[ModelFolder]:
    """The models that come with the project and are here, in the order of :data:`SHIPPED_MODELS`."""
    folders = [ModelFolder(paths.shipped_home() / name) for name in SHIPPED_MODELS]
    return [folder for folder in folders if folder.usable]


def model_folders(root: Path | None = None) -> list[ModelFolder]:
    """All models and runs, the newest first; without a ``root`` also those that come with the project."""
    known = _folders_in(root or paths.models_home())
    if root is None:
        names = {folder.name for folder in known}
        known += [folder for folder in shipped_models() if folder.name not in names]
    return sorted(known, key=lambda folder: folder.path.stat().st_mtime, reverse=True)


def _folders_in(root: Path) -> list[ModelFolder]:
    if not root.is_dir():
        return []
    folders = [ModelFolder(path) for path in root.iterdir() if path.is_dir() and is_name(path.name)]
    return [folder for folder in folders if folder.card.exists() or folder.status.exists()]


def usable_models(root: Path | None = None) -> list[ModelFolder]:
    """The models that can make predictions, the newest first."""
    return [folder for folder in model_folders(root) if folder.usable]


def free_name(stem: str, root: Path | None = None, ending: str = "") -> str:
    """The first free name of ``stem-1``, ``stem-2``, ...; characters that a name must not hold become dashes.

    Args:
        stem: the beginning of the name.
        root: the folder in which the name must be free; the models folder by default.
        ending: of a file's name, such as ``.zip``.
    """
    clean = as_name(stem, "model", max_length=56)
    root = root or paths.models_home()
    names = (f"{clean}-{number}{ending}" for number in itertools.count(1))
    return next(name for name in names if not (root / name).exists())


def next_name(name: str) -> str:
    """The free name that follows one that is taken: ``humerus-2`` after ``humerus-1``, ``mine-1`` after ``mine``."""
    return free_name(_NUMBER.sub("", name))


def read_card(folder: ModelFolder) -> Card:
    """The card of a finished model. Its name is the folder's, whatever the card was called when it was written.

    Raises:
        ModelError: there is no such model, it is not finished, or its card is damaged or of another version.
    """
    if not folder.card.exists():
        names = ", ".join(model.name for model in usable_models(folder.path.parent)) or "none yet"
        raise ModelError(f"There is no finished model called {folder.name!r}. Models: {names}.")
    document = read_object(folder.card)
    schema = document.get("schema")
    if schema != CARD_SCHEMA:
        raise ModelError(
            f"The card of model {folder.name!r} must have schema {CARD_SCHEMA}. Received: {schema!r}. "
            "Train the model again with this version."
        )
    try:
        return Card.from_json({**document, "name": folder.name})
    except ValidationError as error:
        raise ModelError(
            f"The card of model {folder.name!r} is damaged: {sentence(error)}. Train the model again, or delete it."
        ) from error


def read_predictions(folder: ModelFolder) -> pd.DataFrame:
    """The validation images' ``image_id, study, group, body_part, label, logit, probability, data, sha256``.

    ``logit`` is the mean over the image and its mirror image, ``data`` the name of the data set, ``sha256`` the hash of
    the image's file, "" where it was not recorded.

    Raises:
        ModelError: the file is missing or damaged.
    """
    types: dict[str, type[str] | str] = {
        "image_id": str,
        "study": str,
        "group": str,
        "body_part": str,
        "label": "int64",
        "logit": "float64",
        "probability": "float64",
        "data": str,
        "sha256": str,
    }
    try:
        # Without keep_default_na=False a patient called NA would be a missing value.
        table = pd.read_csv(folder.predictions, dtype=types, keep_default_na=False)
        if "sha256" not in table:  # written by an earlier version
            table["sha256"] = ""
        return table[list(types)]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder.predictions.name} of model {folder.name!r} is missing or damaged.") from error


def read_history(folder: ModelFolder) -> dict[str, list[float]]:
    """The metrics by epoch, ``{name: [values]}``.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        return _HISTORY.validate_python(read_object(folder.history))
    except ValidationError as error:
        raise ModelError(f"{folder.history.name} of model {folder.name!r} is damaged: {sentence(error)}.") from error


def read_object(path: Path) -> JsonObject:
    """A JSON object from a file.

    Raises:
        ModelError: the file is missing, damaged, or no object.
    """
    try:
        values = files.read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path.parent.name}/{path.name} must hold a JSON object.")
    return cast(JsonObject, values)


def delete_folder(folder: ModelFolder) -> None:
    """Delete a model folder. It is renamed first, so that no process sees half of it.

    Raises:
        ModelError: it cannot be deleted, or comes with the project.
    """
    if folder.bundled:
        raise ModelError(f"Model {folder.name!r} comes with the project and stays. Models trained here can be deleted.")
    try:
        files.remove_folder(folder.path)
    except OSError as error:
        raise ModelError(f"Model {folder.name!r} cannot be deleted: {error.strerror}.") from error


def write_zip(folder: ModelFolder, target: Path) -> None:
    """Write a zip of the folder, without the files that only a run on this machine needs.

    The files are stored, not compressed: weights hardly get smaller.
    """
    # Hidden files are this machine's, too, such as the mark of a demo's visitor.
    local_files = (folder.checkpoint, folder.status, folder.log, folder.stop_request)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.path.rglob("*")):
            inside = path.relative_to(folder.path)
            hidden = any(part.startswith(".") for part in inside.parts)
            if path.is_file() and not hidden and path not in local_files:
                archive.write(path, f"{folder.name}/{inside.as_posix()}")


def file_hashes(folder: ModelFolder) -> dict[str, str]:
    """The SHA-256 of the files that decide what the model predicts, by file name, for the card."""
    return {path.name: file_sha256(path) for path in (folder.served_model, folder.familiarity) if path.exists()}


def check_files(folder: ModelFolder, card: Card) -> None:
    """Compare the hashes of the files with those in the card. Cards of earlier versions hold none: nothing is checked.

    Raises:
        ModelError: a file is not the one that the card was written with.
    """
    for name, sha256 in file_hashes(folder).items():
        if card.files.get(name, sha256) != sha256:
            raise ModelError(
                f"{folder.name}/{name} is not the file that the model's card was written with: it was damaged or "
                "replaced. Copy the whole folder again, or train the model again."
            )
