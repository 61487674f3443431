"""A run's events -> how it stands: what a page, a command line or a notebook draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from fracture.shapes import Shape, finite, maybe, misfit, number, text, whole
from fracture.training.events import STAGES, Event

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
    "step": {"text": text, "time?": finite, "stage?": set(STAGES), "done?": whole, "total?": whole},
    "kept": {"epoch": whole},
    "resumed": {"epoch": whole},
    "epoch": {"kind": text, "epoch": whole, "epochs": whole, "seconds": finite, "learning_rate?": finite, text: number},
}
"""Those by which others are counted."""

_SHAPES = SHOWN | _COUNTED

_STAGE_OF = {"features": "features", "steps": "train", "epoch": "train", "kept": "evaluate"}
"""The stage that has begun, at the latest, when an event comes."""

_NO_METRICS = {"kind", "time", "epoch", "epochs", "seconds", "learning_rate"}

WEIGHTS = {
    "head": {"read": 5, "features": 60, "train": 10, "evaluate": 20, "save": 5},
    "fine-tune": {"read": 1, "features": 4, "train": 88, "evaluate": 6, "save": 1},
}
"""How much of a run each stage takes, roughly: of the bar over the whole run, not of its time.

Measured on two cores (``seconds`` of a model's card): of the two fine-tuned models, 96 % and 95 % of the time went into
training, 4 % and 5 % into the evaluation; of a head the features take most, unless they are cached."""

STEPS = {"read": 3, "evaluate": 6, "save": 1}
"""Steps of a stage, each an equal part of it. Some are left out where the data have no boxes, for example: then the
next stage begins early."""

MOST_STEPS = 2000
"""Points of the loss within the epochs that are kept; of more, every second is."""


_STARTING: Event = {"text": "Starting"}


@dataclass
class Progress:
    """What has been said so far; a part that has not come yet is None."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """Of the run, as far as it is known."""
    data: Event | None = None
    features: Event | None = None
    steps: Event | None = None
    """How far the epoch is, where an epoch takes long."""
    network: Event | None = None
    stage: str = STAGES[0]
    step: Event = field(default_factory=lambda: _STARTING)
    step_began: float = 0.0
    """Seconds since the epoch."""
    steps_begun: int = 0
    """Of the stage."""
    epochs_said: int = 0
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
    said: float = 0.0
    """When the last event was said, in seconds since the epoch; 0 before the first one."""

    @property
    def epochs(self) -> int:
        """Of the whole run, as planned; 0 where that is not known."""
        return self.epochs_said or int(self.config.get("epochs", 0))

    @property
    def stages(self) -> tuple[str, ...]:
        """Of this run, in their order: features are computed only of images that do not change from epoch to epoch."""
        changing = self._mode == "fine-tune" and self.config.get("augmentation") == "full"
        return tuple(stage for stage in STAGES if stage != "features" or not changing)

    @property
    def _mode(self) -> str:
        return "fine-tune" if self.config.get("mode") == "fine-tune" else "head"

    @property
    def share(self) -> float:
        """How much of the whole run is done, 0 to 1; it grows alone, unless the run is resumed."""
        if self.end and self.end["state"] != "failed":
            return 1.0
        weights = {stage: WEIGHTS[self._mode][stage] for stage in self.stages}
        before = sum(weight for stage, weight in weights.items() if STAGES.index(stage) < STAGES.index(self.stage))
        return (before + weights.get(self.stage, 0) * min(1.0, self._share_of_stage)) / sum(weights.values())

    @property
    def _share_of_stage(self) -> float:
        if self.stage == "features" and self.features:
            return float(self.features["done"] / max(1, self.features["total"]))
        if self.stage == "train":
            return (self.epoch + self.share_of_epoch) / max(1, self.epochs)
        done = self.step.get("done", 0) / max(1, self.step.get("total", 1))
        return float(max(0, self.steps_begun - 1) + done) / max(STEPS.get(self.stage, 1), self.steps_begun)

    @property
    def doing(self) -> str:
        """What is being done now, with its numbers."""
        if self.stage == "train" and self.steps:
            steps = self.steps
            return (
                f"Epoch {steps['epoch']} of {self.epochs}: {steps['done']:,} of {steps['total']:,} images, "
                f"{steps['images_a_second']:.1f} a second"
            )
        if self.stage == "train" and self.epoch:
            return f"Epoch {self.epoch} of {self.epochs}"
        if self.stage == "features" and self.features:
            done, total, cached = (self.features[key] for key in ("done", "total", "cached"))
            known = f" ({cached:,} cached)" if cached else ""
            twice = self.data is not None and total > self.data["images"]
            mirrored = ", validation images also mirrored" if twice else ""
            return f"Extracting features: {done:,} of {total:,} images{mirrored}{known}"
        if "total" in self.step:
            return f"{self.step['text']}: {self.step.get('done', 0):,} of {self.step['total']:,}"
        return str(self.step["text"])

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.epoch_seconds)

    @property
    def seconds_left(self) -> float | None:
        """Of the stage or step at work; None where it cannot be told."""
        if self.stage == "features":
            return self.features["seconds_left"] if self.features else None
        if self.stage != "train":
            return self._seconds_left_of_step
        if self.epoch:
            # The median: the first epoch is slow, since it builds the graph.
            return max(0.0, median(self.epoch_seconds) * (self.epochs - self.epoch - self.share_of_epoch))
        return self._seconds_left_in_first_epoch

    @property
    def _seconds_left_in_first_epoch(self) -> float | None:
        """The validation after each epoch is not known yet."""
        if self.steps is None or self.steps["images_a_second"] <= 0:
            return None
        images = self.epochs * self.steps["total"] - self.steps["done"]
        return float(max(0.0, images / self.steps["images_a_second"]))

    @property
    def _seconds_left_of_step(self) -> float | None:
        done, total = self.step.get("done", 0), self.step.get("total", 0)
        took = float(self.step.get("time", 0.0)) - self.step_began
        return took / done * (total - done) if done and took > 0 else None

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
        time: Any = event.get("time")
        self.said = time if finite(time) else self.said
        if kind == "data" and (self.end or self.stage != STAGES[0]):
            self.begin()
        elif stage := _STAGE_OF.get(kind):
            self._enter(stage)
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
            self._add_step(event)
        elif kind == "kept":
            self.kept_epoch = event["epoch"]
        elif kind == "resumed":
            self._forget_after(event["epoch"])
        elif kind == "epoch":
            self._forget_after(event["epoch"] - 1)
            self._add_epoch(event)

    def begin(self) -> None:
        """The run is resumed."""
        self.end = self.kept_epoch = self.steps = self.features = None
        self.stage, self.steps_begun, self.step = STAGES[0], 0, _STARTING

    def _enter(self, stage: str) -> None:
        """Go on to a stage of this run; never back."""
        if stage in self.stages and STAGES.index(stage) > STAGES.index(self.stage):
            self.stage, self.steps_begun = stage, 0

    def _add_step(self, event: Event) -> None:
        stage = event.get("stage", self.stage)
        if stage == STAGES[0] and (self.end or self.stage != stage):
            self.begin()
        self._enter(stage)
        if event["text"] != self.step["text"] or not self.steps_begun:
            self.steps_begun += 1
            self.step_began = event.get("time", 0.0)
        self.step = event

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
        self.epochs_said, seconds = event["epochs"], event["seconds"]
        self.epoch_seconds.append(seconds)
        for name in event.keys() - _NO_METRICS:
            self.history.setdefault(name, []).append(event[name])


def stopping_words(progress: Progress) -> str:
    """What a run does that was asked to stop; making a model of its best epoch may take minutes."""
    if progress.kept_epoch is None:
        return f"Stopping after this step. {progress.doing}"
    return f"Stopping: saving the best epoch ({progress.kept_epoch}). {progress.doing}"
