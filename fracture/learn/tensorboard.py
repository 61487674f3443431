"""The curves of a training as TensorBoard reads them, under the names that Keras's own callback gives them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from fracture.files import write_beside
from fracture.learn.events import Emit

PARTS = ("train", "validation")

_PLAIN = {"epoch", "epochs", "seconds"}
_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
    data_class="DATA_CLASS_SCALAR",
)
"""What tf.summary.scalar would write: that needs the package tensorboard, and nothing else here does."""


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
        self._writers: dict[str, Any] = {}
        self._failed = False

    def __call__(self, kind: str, **values: Any) -> None:
        """Pass on one event."""
        self._emit(kind, **values)
        if kind != "epoch" or self._failed:
            return
        try:
            self._write(values)
        except (OSError, tf.errors.OpError) as error:
            self._failed = True
            print(f"The curves for TensorBoard end here: {error}", file=sys.stderr)

    def _write(self, values: dict[str, Any]) -> None:
        if not self._writers:
            self._writers = {part: _opened(self._folder / part, values["epoch"]) for part in PARTS}
        for name in sorted(values.keys() - _PLAIN):
            writer = self._writers["validation" if name.startswith("val_") else "train"]
            with writer.as_default(values["epoch"]):
                tf.summary.write(f"epoch_{name.removeprefix('val_')}", tf.constant(float(values[name])), None, _SCALAR)
        for writer in self._writers.values():
            writer.flush()


def _opened(folder: Path, epoch: int) -> Any:
    """A writer that goes on at an epoch: what the files there hold of it and of later ones is taken away."""
    for path in folder.glob("*.tfevents.*"):
        records = list(_before(path, epoch))
        write_beside(path, lambda part, records=records: _save(part, records))  # type: ignore[misc]
    return tf.summary.create_file_writer(str(folder))


def _before(path: Path, epoch: int) -> Iterator[bytes]:
    """The records of a file, up to where a kill or a full disk has torn it, of the epochs before one."""
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            if tf.compat.v1.Event.FromString(record).step < epoch:
                yield record
    except tf.errors.DataLossError:
        return


def _save(path: Path, records: list[bytes]) -> None:
    with tf.io.TFRecordWriter(str(path)) as file:
        for record in records:
            file.write(record)
