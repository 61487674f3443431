"""The curves of a training as TensorBoard reads them, under the names that Keras's own callback gives them."""

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from fracture.files import atomic_write
from fracture.training.event_files import header, records, scalar
from fracture.training.events import Emit

PARTS = ("train", "validation")

_PLAIN = {"epoch", "epochs", "seconds"}


class Curves:
    """Passes on what a training says, and writes the metrics of each epoch into event files.

    The step is the epoch, 1-based. What was written of epochs that are trained again after an interruption is taken
    away first. Where the files cannot be written the training goes on without them, and its log says so once.

    Args:
        emit: is told everything.
        folder: gets a folder for each of :data:`PARTS`.
    """

    def __init__(self, emit: Emit, folder: Path) -> None:
        self._emit, self._folder = emit, folder
        self._files: dict[str, Path] = {}
        self._failed = False

    def __call__(self, kind: str, **values: Any) -> None:
        """Pass on one event."""
        self._emit(kind, **values)
        if kind != "epoch" or self._failed:
            return
        try:
            self._write(values)
        except OSError as error:
            self._failed = True
            print(f"The curves for TensorBoard end here: {error}", file=sys.stderr)

    def _write(self, values: dict[str, Any]) -> None:
        if not self._files:
            self._files = {part: _begun(self._folder / part, values["epoch"]) for part in PARTS}
        said: dict[str, list[bytes]] = {part: [] for part in PARTS}
        for name in sorted(values.keys() - _PLAIN):
            part = "validation" if name.startswith("val_") else "train"
            said[part].append(scalar(f"epoch_{name.removeprefix('val_')}", float(values[name]), values["epoch"]))
        for part, path in self._files.items():
            with path.open("ab") as file:
                file.write(b"".join(said[part]))


def _begun(folder: Path, epoch: int) -> Path:
    """A file to write to from an epoch on: what others there hold of it and of later ones is taken away."""
    for path in folder.glob("*.tfevents.*"):
        kept = b"".join(record for step, record in records(path) if step < epoch)
        atomic_write(path, lambda part, kept=kept: part.write_bytes(kept))  # type: ignore[misc]
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}.v2"
    begun.write_bytes(header())
    return begun
