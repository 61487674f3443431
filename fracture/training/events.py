"""What a training says, as JSON lines: the one channel between a training and whoever watches it.

An event is a flat dict with ``kind`` and ``time`` (seconds since the epoch); the other keys depend on the kind:

============  ===================================================================================
kind          keys
============  ===================================================================================
data          images, training, validation, positives, label_names, problems (list of sentences)
weights       source, sha256
features      done, total (images, the mirrored ones among them), cached, seconds_left (None until it can be told)
network       layers, parameters, trainable, rows (see :func:`fracture.training.backbone.network.describe`)
followed      image_ids, paths, labels, sha256s of the few validation images whose probabilities ``look`` says
steps         epoch (1-based), done, total (images), images_a_second, seconds_left (of the epoch), learning_rate,
              loss (mean of the steps since it was said last)
epoch         epoch (1-based), epochs, seconds, learning_rate, and the metrics of ``history.json``
look          epoch (1-based), confusion (the cells of :data:`fracture.evaluation.metrics.CONFUSION` for the
              validation images at a probability of one half), probabilities (of those that are followed)
resumed       epoch: done before an interruption, after which it goes on
kept          epoch (1-based) whose weights the model keeps
step          text: what is being done that has no event of its own; stage: one of :data:`STAGES`; where it takes
              long, done, total (the former version had the text alone)
evaluation    metrics (see :mod:`fracture.evaluation.metrics`)
end           state (finished, stopped or failed), seconds, error (a sentence, failed only)
============  ===================================================================================
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 64 * 2**20
"""Bytes that are read at a time: a day's training says a hundredth of that."""

Event = dict[str, Any]
Emit = Callable[..., None]
"""``emit(kind, **values)``; a notebook may pass one that appends to a list."""

Usable = Callable[["pd.DataFrame"], None]
"""Raises where the images that could be read are not enough to train on."""

STAGES = ("read", "features", "train", "evaluate", "save")
"""Of a run, in their order; where no block of the backbone is frozen, or each image has many variants, there are no
features."""

SECONDS_APART = 0.5
"""Between two events that say how far something is."""


class CountedStep:
    """A step that takes long: says how far it is, twice a second at most, from its beginning to its end."""

    def __init__(self, emit: Emit, stage: str, text: str, total: int) -> None:
        self._emit, self._stage, self._text, self._total = emit, stage, text, total
        self._said = 0.0
        self.reach(0)

    def reach(self, done: int) -> None:
        """So many are done."""
        now = time.monotonic()
        if done in (0, self._total) or now - self._said >= SECONDS_APART:
            self._said = now
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
    """Take away what a process that was killed while it wrote has left of a line."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events after byte ``offset``, and the offset to go on from: only what is new is read.

    A last line that is still being written waits for the next call; a damaged line is passed over.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(AT_ONCE)
    except OSError:  # not there yet, or none that can be read: curves less
        return [], 0
    whole = data if len(data) == AT_ONCE and b"\n" not in data else data[: data.rfind(b"\n") + 1]
    return [event for line in whole.splitlines() if (event := _parse(line)) is not None], offset + len(whole)


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "kind" in event else None
