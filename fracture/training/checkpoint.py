"""Where a training stood at the end of an epoch, in one file: what it needs to go on as if nothing had happened."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RunError
from fracture.files import atomic_write

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """The end of an epoch."""

    epoch: int
    """Epochs done."""
    history: dict[str, list[float]]
    kept_epoch: int
    """1-based; the best so far."""
    best: float
    """By what it was the best."""
    best_weights: Arrays = field(repr=False)
    variables: Arrays = field(repr=False)
    """Of the model and its optimizer: weights, states of random generators, moments, steps."""


class Memory:
    """The newest checkpoint of a training, in a file; without a file nothing is kept.

    Args:
        path: of the file.
        belongs_to: what it must be equal in to be gone on from, such as the data's fingerprint: a word -> its value.
    """

    def __init__(self, path: Path | None = None, belongs_to: dict[str, str] | None = None) -> None:
        self._path, self._belongs_to = path, belongs_to or {}

    def last(self) -> Checkpoint | None:
        """The newest checkpoint; None where there is none.

        Raises:
            RunError: it is damaged, or of other data or weights than these.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as file:
                said = json.loads(file["said"].item())
                belonged = said.pop("belongs_to")
                best_weights, variables = _numbered(file, "best_weights"), _numbered(file, "variables")
            found = Checkpoint(**said, best_weights=best_weights, variables=variables)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise RunError(f"{self._path.name} of this training is damaged; start a new training.") from error
        if changed := [word for word, value in self._belongs_to.items() if belonged.get(word) != value]:
            raise RunError(
                f"Since this training stood still, its {' and '.join(changed)} changed: what it learns from now on "
                "could not be compared with what it has learned. Start a new training."
            )
        return found

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in the former one's place, whole or not at all. Raises OSError, as for a full disk."""
        if self._path is None:
            return
        said = {name: getattr(checkpoint, name) for name in ("epoch", "history", "kept_epoch", "best")}
        arrays = {
            f"{name} {number}": array
            for name in ("best_weights", "variables")
            for number, array in enumerate(getattr(checkpoint, name))
        }
        text = json.dumps({**said, "belongs_to": self._belongs_to})
        atomic_write(self._path, lambda part: _save(part, text, arrays))

    def forget(self) -> None:
        """Remove it: the training has come to its end."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


NONE = Memory()
"""Of a training that nobody will go on with."""


def _save(path: Path, said: str, arrays: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, said=np.array(said), **arrays)


def _numbered(file: Any, name: str) -> Arrays:
    count = sum(each.startswith(f"{name} ") for each in file.files)
    return [file[f"{name} {number}"] for number in range(count)]


def variables_of(model: Any) -> list[Any]:
    """All that training changes: of the model, and of its optimizer, which is built where it was not."""
    if not model.optimizer.built:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
    frozen = {id(each) for each in model.non_trainable_weights}
    return [each for each in model.variables if id(each) not in frozen] + list(model.optimizer.variables)


def assign(variables: Sequence[Any], values: Arrays) -> None:
    """Give the variables their values back. Raises RunError where they are others."""
    if [tuple(each.shape) for each in variables] != [value.shape for value in values]:
        raise RunError("The checkpoint of this training is of another network; start a new training.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
