"""A training's events -> how it stands: what a page or a notebook draws."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from fracture.learn.events import Event
from fracture.shapes import Shape, finite, maybe, misfit, number, text, whole

SHOWN: dict[str, Shape] = {
    "data": dict.fromkeys(("images", "training", "validation", "positives"), whole)
    | {"label_names": (text, text), "problems": [text]},
    "features": dict.fromkeys(("done", "total", "cached"), whole) | {"seconds_left": maybe(finite)},
    "steps": dict.fromkeys(("epoch", "done", "total"), whole)
    | {"images_a_second": finite, "seconds_left": maybe(finite), "loss": number, "learning_rate?": finite},
    "followed": {"image_ids": [text], "paths": [text], "labels": [{0, 1}], "sha256s?": [text]},
    "look": {"epoch": whole, "confusion": (whole, whole, whole, whole), "probabilities": [number]},
    "network": dict.fromkeys(("layers", "parameters", "trainable"), whole)
    | {"rows": [{"name": text, "shape": [maybe(whole)], "parameters": whole}]},
    "end": {"state": text, "seconds": finite},
}
"""The events that are shown as they are, and what they must look like for that."""

_COUNTED: dict[str, Shape] = {
    "step": {"text": text},
    "kept": {"epoch": whole},
    "resumed": {"epoch": whole},
    "epoch": {"kind": text, "epoch": whole, "epochs": whole, "seconds": finite, "learning_rate?": finite, text: number},
}
"""Those by which others are counted."""

_SHAPES = SHOWN | _COUNTED

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
            if (shape := _SHAPES.get(str(event["kind"]))) and not misfit(event, shape):  # a damaged one is passed over
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
        if kind in SHOWN:
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
