"""The state of a run at the end of an epoch, in one file: what it needs to resume as if nothing had happened."""

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

_ARRAYS = ("best_weights", "variables")
_VALUES = ("epoch", "history", "kept_epoch", "best")


@dataclass(frozen=True)
class Checkpoint:
    """The end of an epoch."""

    epoch: int
    """Epochs done."""
    history: dict[str, list[float]]
    kept_epoch: int
    """1-based; the best so far."""
    best: float
    """Score of the best epoch; larger is better."""
    best_weights: Arrays = field(repr=False)
    variables: Arrays = field(repr=False)
    """Of the model and its optimizer: weights, states of random generators, moments, steps."""


class Checkpointer:
    """Saves and loads the newest checkpoint of a run in one file; without a path it does nothing.

    Args:
        path: of the file.
        belongs_to: what must be unchanged for the run to resume, such as the data set's fingerprint: name -> value.
    """

    def __init__(self, path: Path | None = None, belongs_to: dict[str, str] | None = None) -> None:
        self._path = path
        self._belongs_to = belongs_to or {}

    def load(self) -> Checkpoint | None:
        """The newest checkpoint; None where there is none.

        Raises:
            RunError: it is damaged, or of other data or weights.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            checkpoint, belonged_to = _read(self._path)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise RunError(f"{self._path.name} of this run is damaged; start a new run.") from error
        changed = [name for name, value in self._belongs_to.items() if belonged_to.get(name) != value]
        if changed:
            raise RunError(
                f"Since this run was interrupted, its {' and '.join(changed)} changed: epochs from now on could not be "
                "compared with the epochs before. Start a new run."
            )
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the file, whole or not at all. Raises OSError, as for a full disk."""
        if self._path is None:
            return
        values = {name: getattr(checkpoint, name) for name in _VALUES}
        text = json.dumps({**values, "belongs_to": self._belongs_to})
        arrays = {}
        for name in _ARRAYS:
            for number, array in enumerate(getattr(checkpoint, name)):
                arrays[f"{name} {number}"] = array
        atomic_write(self._path, lambda part: _write(part, text, arrays))

    def delete(self) -> None:
        """Delete the file: the run has finished."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


NO_CHECKPOINTS = Checkpointer()
"""For a run that is never resumed."""


def _read(path: Path) -> tuple[Checkpoint, dict[str, str]]:
    # A pickle could run code, and a folder of a run may come from elsewhere.
    with np.load(path, allow_pickle=False) as file:
        values = json.loads(file["said"].item())
        best_weights = _numbered(file, "best_weights")
        variables = _numbered(file, "variables")
    belongs_to = values.pop("belongs_to")
    return Checkpoint(**values, best_weights=best_weights, variables=variables), belongs_to


def _write(path: Path, text: str, arrays: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, said=np.array(text), **arrays)


def _numbered(file: Any, name: str) -> Arrays:
    count = sum(each.startswith(f"{name} ") for each in file.files)
    return [file[f"{name} {number}"] for number in range(count)]


def training_state(model: Any) -> list[Any]:
    """The variables of a compiled Keras model that training changes, and those of its optimizer.

    Frozen weights are left out: the run reads them from their own file, and they are most of the network.
    """
    optimizer = model.optimizer
    if not optimizer.built:
        # Keras builds it at the first step; its variables are needed before that when a run resumes.
        with model.distribute_strategy.scope():
            optimizer.build(model.trainable_variables)
    frozen = {id(variable) for variable in model.non_trainable_weights}
    changing = [variable for variable in model.variables if id(variable) not in frozen]
    return [*changing, *optimizer.variables]


def restore_state(variables: Sequence[Any], values: Arrays) -> None:
    """Assign saved values to the variables. Raises RunError where their shapes differ."""
    if [tuple(each.shape) for each in variables] != [value.shape for value in values]:
        raise RunError("The checkpoint of this run is of another network; start a new run.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
