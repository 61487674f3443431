"""A training's events -> how it stands: what a page or a notebook draws."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from fracture.learn.events import Event

SHOWN = {
    "data": {"images", "training", "validation", "positives", "label_names", "problems"},
    "features": {"done", "total", "cached", "seconds_left"},
    "steps": {"epoch", "done", "total", "images_a_second", "seconds_left"},
    "followed": {"image_ids", "paths", "labels"},
    "look": {"epoch", "confusion", "probabilities"},
    "network": {"layers", "parameters", "trainable", "rows"},
    "end": {"state", "seconds"},
}
"""The events that are shown as they are, and the keys that each must have for that."""

_NO_METRICS = {"kind", "time", "epoch", "epochs", "seconds", "learning_rate"}

MOST_STEPS = 2000
"""Points of the loss within the epochs that are kept; of more, every second is."""


@dataclass
class Progress:
    """What has been said so far; a part that has not come yet is None."""

    data: Event | None = None
    features: Event | None = None
    steps: Event | None = None
    """How far the epoch is, where an epoch takes long."""
    network: Event | None = None
    step: str = "Starting"
    epochs: int = 0
    """Of the whole training, as planned."""
    kept_epoch: int | None = None
    end: Event | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch_seconds: list[float] = field(default_factory=list)
    step_losses: list[tuple[float, float]] = field(default_factory=list)
    """Where within the epochs, from 0, and the mean loss there since the one before."""
    learning_rate: float | None = None
    followed: Event | None = None
    """A few validation images, whose probabilities ``look`` has."""
    look: Event | None = None
    """What the last epoch says of the validation images."""
    looked_before: Event | None = None
    """What the one before said."""

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.epoch_seconds)

    @property
    def seconds_left(self) -> float | None:
        """Of what is being done now; None where it cannot be told."""
        if self.epoch:
            # The median: the first epoch is slow, since it builds the graph.
            return max(0.0, median(self.epoch_seconds) * (self.epochs - self.epoch - self.share_of_epoch))
        return self.features["seconds_left"] if self.features else None

    @property
    def share_of_epoch(self) -> float:
        """How much of the epoch at work is done, 0 to 1; 0 where that is not said."""
        if self.steps is None or self.steps["epoch"] != self.epoch + 1:
            return 0.0
        return float(self.steps["done"] / max(1, self.steps["total"]))

    def add(self, events: Iterable[Event]) -> None:
        """Take in what has been said since."""
        for event in events:
            with contextlib.suppress(KeyError):  # a damaged event is passed over
                self._add(event)

    def _add(self, event: Event) -> None:
        kind = event["kind"]
        if kind == "data":  # a training begins, perhaps once more
            self.end = self.kept_epoch = self.steps = self.features = None
        if kind == "followed":
            self.look = self.looked_before = None
        self.learning_rate = event.get("learning_rate", self.learning_rate)
        if kind == "look":
            self.looked_before = self.look
        if kind in SHOWN and SHOWN[kind] <= event.keys():
            setattr(self, kind, event)
        if kind == "steps":
            self._add_steps(event)
        elif kind == "step":
            self.step = event["text"]
        elif kind == "kept":
            self.kept_epoch = event["epoch"]
        elif kind == "resumed":
            self._forget_after(event["epoch"])
        elif kind == "epoch":
            self._forget_after(event["epoch"] - 1)
            self._add_epoch(event)

    def _forget_after(self, epoch: int) -> None:
        """An epoch that was interrupted, or not yet kept, is trained again."""
        for values in (self.epoch_seconds, *self.history.values()):
            del values[epoch:]

    def _add_steps(self, event: Event) -> None:
        if len(self.step_losses) >= MOST_STEPS:
            del self.step_losses[1::2]
        place = event["epoch"] - 1 + event["done"] / max(1, event["total"])
        while self.step_losses and self.step_losses[-1][0] >= place:  # of an epoch that is trained again
            self.step_losses.pop()
        self.step_losses.append((place, event["loss"]))

    def _add_epoch(self, event: Event) -> None:
        self.epochs, seconds = event["epochs"], event["seconds"]
        self.epoch_seconds.append(seconds)
        for name in event.keys() - _NO_METRICS:
            self.history.setdefault(name, []).append(event[name])
