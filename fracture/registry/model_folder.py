"""A model folder on disk: the only place that knows its file names.

A training is a model folder in the making: the same place, the same files. Each file is written whole or not at all,
by :mod:`fracture.files`.
"""

import itertools
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd

from fracture import files, paths
from fracture.errors import ModelError
from fracture.paths import as_name, is_name
from fracture.registry.card import CARD
from fracture.shapes import misfit

BUNDLED = "fracatlas"
"""The folder name of the model that comes with the project."""

CARD_SCHEMA = 2
"""Version of the layout of ``card.json``; a reader refuses what it does not know."""

_NUMBER = re.compile(r"-\d+$")
"""That :func:`free_name` ends a name with."""


@dataclass(frozen=True)
class ModelFolder:
    """One model, or one training: its files by their meaning."""

    path: Path

    @property
    def name(self) -> str:
        """The model's name."""
        return self.path.name

    @property
    def card(self) -> Path:
        """Everything needed to use and to judge the model."""
        return self.path / "card.json"

    @property
    def keras_model(self) -> Path:
        """The trained Keras model; not there where a head was trained without Keras."""
        return self.path / "model.h5"

    @property
    def served_model(self) -> Path:
        """The LiteRT graph that answers."""
        return self.path / "model.tflite"

    @property
    def history(self) -> Path:
        """Metrics by epoch, ``{name: [values]}``."""
        return self.path / "history.json"

    @property
    def events(self) -> Path:
        """All that the training said, an object a line."""
        return self.path / "events.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The folder of the curves as TensorBoard reads them."""
        return self.path / "tensorboard"

    @property
    def checkpoint(self) -> Path:
        """Where a training stood at the end of an epoch: what it goes on from after an interruption."""
        return self.path / "checkpoint.npz"

    @property
    def predictions(self) -> Path:
        """The validation images' probabilities."""
        return self.path / "predictions.csv"

    @property
    def familiarity(self) -> Path:
        """The training images' features, by which an image is known or strange."""
        return self.path / "familiarity.npz"

    @property
    def backbone(self) -> Path:
        """The trained backbone's weights in 16 bits, for others to start from."""
        return self.path / "backbone.weights.h5"

    @property
    def note(self) -> Path:
        """What people wrote about it."""
        return self.path / "note.txt"

    @property
    def status(self) -> Path:
        """The training's state, process and heartbeat."""
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        """What the training process printed, for whoever looks into a failure."""
        return self.path / "train.log"

    @property
    def stop_request(self) -> Path:
        """Its presence asks the training to stop."""
        return self.path / "stop"

    @property
    def usable(self) -> bool:
        """Whether it can answer. The card is written last: where it is, the rest is whole."""
        return self.card.exists() and self.served_model.exists()

    @property
    def bundled(self) -> bool:
        """Whether it came with the project, and is not this machine's to delete."""
        return self.path == bundled_model().path

    @property
    def version(self) -> str:
        """Changes whenever the model does; a key for caches."""
        return f"{self.name} {[_state(path) for path in (self.card, self.served_model, self.predictions)]}"


def _state(path: Path) -> tuple[int, ...]:
    """Of a file; a time alone would not tell one from another that a clock set back, or a copy, gave the same."""
    with suppress(OSError):
        said = path.stat()
        return said.st_mtime_ns, said.st_size, said.st_ino
    return ()


def model_folder(name: str, root: Path | None = None) -> ModelFolder:
    """The folder of the model called ``name``, which need not exist.

    Raises:
        ModelError: the name could lead out of the models folder.
    """
    if not is_name(name):
        raise ModelError(
            f"A model's name has 1 to 64 letters, digits, dots, dashes and underscores. Received: {name[:80]!r}"
        )
    return ModelFolder((root or paths.models_home()) / name)


def bundled_model() -> ModelFolder:
    """The model that comes with the project, wherever models that are trained here lie."""
    return ModelFolder(paths.PROJECT / "models" / BUNDLED)


def model_folders(root: Path | None = None) -> list[ModelFolder]:
    """All models and trainings, the newest first."""
    root = root or paths.models_home()
    if not root.is_dir():
        return []
    folders = [ModelFolder(path) for path in root.iterdir() if path.is_dir() and is_name(path.name)]
    known = [folder for folder in folders if folder.card.exists() or folder.status.exists()]
    return sorted(known, key=lambda folder: folder.path.stat().st_mtime, reverse=True)


def usable_models(root: Path | None = None) -> list[ModelFolder]:
    """The models that can answer, the newest first."""
    return [folder for folder in model_folders(root) if folder.usable]


def free_name(stem: str, root: Path | None = None, ending: str = "") -> str:
    """A name that no model has yet: ``stem-1``, ``stem-2``, ...; what a name may not hold becomes a dash.

    ``root``: where else it must be free. ``ending``: of a file's name, such as ``.zip``.
    """
    clean = as_name(stem, "model", max_length=56)
    root = root or paths.models_home()
    names = (f"{clean}-{number}{ending}" for number in itertools.count(1))
    return next(name for name in names if not (root / name).exists())


def next_name(name: str) -> str:
    """The next free name like one that is taken: ``humerus-1`` becomes ``humerus-2``, ``mine`` becomes ``mine-1``."""
    return free_name(_NUMBER.sub("", name))


def read_card(folder: ModelFolder) -> dict[str, Any]:
    """The card of a finished model.

    Raises:
        ModelError: there is no such model, it is not finished, or its card is damaged or of another version.
    """
    if not folder.card.exists():
        names = ", ".join(model.name for model in usable_models(folder.path.parent)) or "none yet"
        raise ModelError(f"There is no finished model called {folder.name!r}. Models: {names}.")
    card = read_json(folder.card)
    if card.get("schema") != CARD_SCHEMA:
        raise ModelError(
            f"The card of model {folder.name!r} must have schema {CARD_SCHEMA}. Received: {card.get('schema')!r}. "
            "Train the model again with this version."
        )
    if wrong := misfit(card, CARD):
        raise ModelError(f"The card of model {folder.name!r} is damaged: {wrong}. Train the model again, or delete it.")
    return {**card, "name": folder.name}  # which counts, whatever the card was called when it was written


def read_predictions(folder: ModelFolder) -> pd.DataFrame:
    """The validation images' ``image_id, study, group, body_part, label, logit, probability, data, sha256``.

    ``logit``: the mean over the image and its mirror image; ``data``: the name of the data set; ``sha256``: of the
    image's file, "" where that was not recorded.

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
        table = pd.read_csv(folder.predictions, dtype=types, keep_default_na=False)
        if "sha256" not in table:  # a file of before
            table["sha256"] = ""
        return table[list(types)]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder.predictions.name} of model {folder.name!r} is missing or damaged.") from error


def read_json(path: Path) -> dict[str, Any]:
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
    return cast(dict[str, Any], values)


def delete(folder: ModelFolder) -> None:
    """Remove a model folder: renamed first, so that nobody meets half of it.

    Raises:
        ModelError: it cannot be removed, or came with the project.
    """
    if folder.bundled:
        raise ModelError(f"Model {folder.name!r} comes with the project and stays. Models trained here can be deleted.")
    try:
        files.remove_folder(folder.path)
    except OSError as error:
        raise ModelError(f"Model {folder.name!r} cannot be deleted: {error.strerror}.") from error


def write_zip(folder: ModelFolder, target: Path) -> None:
    """The folder's files as one zip, without what only a training needs; weights hardly compress: they are stored."""
    own = (folder.checkpoint, folder.status, folder.log, folder.stop_request)  # of this machine, with its paths
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.path.rglob("*")):
            place = path.relative_to(folder.path)
            if path.is_file() and not any(part.startswith(".") for part in place.parts) and path not in own:
                archive.write(path, f"{folder.name}/{place.as_posix()}")
