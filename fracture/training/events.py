"""The events of a run, as JSON lines: the one channel between a run and the page or terminal that shows it.

An event is a flat dict with ``kind`` and ``time`` (seconds since the epoch); the other keys depend on the kind:

============  ===================================================================================
kind          keys
============  ===================================================================================
data          images, training, validation, selection (training images that are held out), positives, label_names,
              problems (list of sentences)
weights       source, sha256
features      done, total (images, the mirrored ones among them), cached, seconds_left (None while unknown)
network       layers, parameters, trainable, rows (see :func:`fracture.training.backbone.network.describe_network`)
followed      image_ids, paths, labels, sha256s of the few images whose probabilities ``look`` has: of those that
              choose the epoch
steps         epoch (1-based), done, total (images), images_a_second, seconds_left (of the epoch), learning_rate,
              loss (mean of the steps since the event before)
epoch         epoch (1-based), epochs, seconds, learning_rate, and the metrics of ``history.json``
look          epoch (1-based), confusion (the cells of :data:`fracture.evaluation.metrics.CONFUSION` for the
              images that choose the epoch, at a probability of one half), probabilities (of the followed images)
resumed       epoch: done before the interruption
kept          epoch (1-based) whose weights the model keeps
step          text: names a step that has no event of its own; stage: one of :data:`STAGES`; where it takes long, done,
              total (the version before had the text alone)
evaluation    metrics (see :mod:`fracture.evaluation.metrics`)
end           state (finished, stopped or failed), seconds, error (a sentence, failed only)
============  ===================================================================================
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fracture.files import JsonObject

if TYPE_CHECKING:
    import pandas as pd

MAX_READ_BYTES = 64 * 2**20
"""Of events that are read at a time: the events of a day-long run are a hundredth of that."""

Event = JsonObject
Emit = Callable[..., None]
"""``emit(kind, **values)``; a notebook may pass one that appends to a list."""

Usable = Callable[["pd.DataFrame"], None]
"""Gets the rows of the images that could be read; raises where they are not enough to train on."""

STAGES = ("read", "features", "train", "evaluate", "save")
"""Of a run, in order. There is no stage ``features`` where no block of the backbone is frozen, or where each image has
many variants."""

SECONDS_APART = 0.5
"""Between two events that report progress."""


class CountedStep:
    """Reports the progress of a long step, twice a second at most, and at its beginning and end."""

    def __init__(self, emit: Emit, stage: str, text: str, total: int) -> None:
        self._emit = emit
        self._stage = stage
        self._text = text
        self._total = total
        self._reported = 0.0
        self.reach(0)

    def reach(self, done: int) -> None:
        """So many are done."""
        now = time.monotonic()
        # The first and the last are always reported, so that a bar begins at 0 and ends at 1.
        if done in (0, self._total) or now - self._reported >= SECONDS_APART:
            self._reported = now
            self._emit("step", stage=self._stage, text=self._text, done=done, total=self._total)


class EventLog:
    """Appends events to a file, each flushed as it happens, so that a reader or a crash loses nothing."""

    def __init__(self, path: Path) -> None:
        _cut_torn_line(path)
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, kind: str, **values: Any) -> None:
        """Write one event."""
        self._file.write(json.dumps({"kind": kind, "time": time.time(), **values}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _cut_torn_line(path: Path) -> None:
    """Remove the last line where a process was killed while it wrote it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events after byte ``offset``, and the offset for the next call: only new events are read.

    A last line that is still being written waits for the next call; a damaged line is skipped.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(MAX_READ_BYTES)
    except OSError:  # not there yet, or not readable: then there are no curves
        return [], 0
    whole_lines = data[: data.rfind(b"\n") + 1]
    if len(data) == MAX_READ_BYTES and not whole_lines:
        whole_lines = data  # a line that long is damage: skip it
    events = [_parse(line) for line in whole_lines.splitlines()]
    return [event for event in events if event is not None], offset + len(whole_lines)


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "kind" in event else None
