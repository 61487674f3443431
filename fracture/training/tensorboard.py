"""Learning curves as TensorBoard reads them, under the names that Keras's own callback gives them.

tensorboardX writes the event files without TensorFlow. Its ``SummaryWriter`` is not used: that writes in a thread of
its own, which dies silently when the disk is full and then blocks the run; ``EventsWriter`` below it raises.
"""

import logging
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.types_pb2 import DT_FLOAT
from tensorboardX.record_writer import masked_crc32c

from fracture.files import atomic_write
from fracture.training.events import Emit

WRITERS = ("train", "validation")

_NOT_METRICS = {"epoch", "epochs", "seconds"}

_HEADER_BYTES = 12  # of a record: the length in 8 bytes and its checksum in 4
_CHECKSUM_BYTES = 4

_log = logging.getLogger(__name__)


class TensorBoardWriter:
    """Passes on every event of a run, and writes the metrics of each epoch into event files.

    The step is the epoch, 1-based. When a run resumes, the epochs that it trains again are removed from the files
    first. Where the files can't be written the run continues without them, and its log says so once.

    Args:
        emit: receives every event.
        folder: gets a folder for each of :data:`WRITERS`.
    """

    def __init__(self, emit: Emit, folder: Path) -> None:
        self._emit = emit
        self._folder = folder
        self._writers: dict[str, EventsWriter] = {}
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
            _log.warning("The curves for TensorBoard end here: %s", error)
            self._close()

    def _write(self, values: dict[str, Any]) -> None:
        epoch = values["epoch"]
        if not self._writers:
            for part in WRITERS:
                self._writers[part] = _open_writer(self._folder / part, epoch)
        for name in sorted(values.keys() - _NOT_METRICS):
            part = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            self._writers[part].write_event(_scalar(tag, float(values[name]), epoch))
        for writer in self._writers.values():
            writer.flush()

    def _close(self) -> None:
        for writer in self._writers.values():
            with suppress(OSError):  # what is still in the buffer doesn't fit on the disk either
                writer.close()


def _scalar(tag: str, value: float, step: int) -> Event:
    """One point of a curve, as ``tf.summary.scalar`` writes it."""
    plugin = SummaryMetadata.PluginData(plugin_name="scalars")
    point = Summary.Value(
        tag=tag,
        metadata=SummaryMetadata(plugin_data=plugin),
        tensor=TensorProto(dtype=DT_FLOAT, float_val=[value], tensor_shape={}),
    )
    return Event(wall_time=time.time(), step=step, summary=Summary(value=[point]))


def _open_writer(folder: Path, epoch: int) -> EventsWriter:
    """A new event file for epochs from ``epoch`` on, which are removed from the other files of the folder."""
    for path in folder.glob("*.tfevents.*"):
        earlier = b"".join(record for step, record in _records(path) if step < epoch)
        _replace(path, earlier)
    folder.mkdir(parents=True, exist_ok=True)
    # EventsWriter's own file name counts seconds: two runs within one second would share a file.
    return EventsWriter(str(folder / "events"), f".{time.time_ns()}.v2")


def _replace(path: Path, content: bytes) -> None:
    atomic_write(path, lambda part: part.write_bytes(content))


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    """The step and the bytes of each whole record (TFRecord: length, checksum, data, checksum).

    The rest is skipped from the first record on that a kill or a full disk has cut off.
    """
    content = path.read_bytes()
    start = 0
    while start + _HEADER_BYTES <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        data_start = start + _HEADER_BYTES
        data = content[data_start : data_start + length]
        end = data_start + length + _CHECKSUM_BYTES
        if content[end - _CHECKSUM_BYTES : end] != struct.pack("<I", masked_crc32c(data)):
            return
        yield Event.FromString(data).step, content[start:end]
        start = end
