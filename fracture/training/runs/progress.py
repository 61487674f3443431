"""A run's events -> how far it is: what a page, a command line or a notebook draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from fracture.files import JsonObject
from fracture.training.events import STAGES, Event
from fracture.training.runs.event_types import (
    DataEvent,
    EndEvent,
    FeaturesEvent,
    FollowedEvent,
    LookEvent,
    NetworkEvent,
    StepEvent,
    StepsEvent,
    is_known,
)

_NO_METRICS = {"kind", "time", "epoch", "epochs", "seconds", "learning_rate"}

WEIGHTS = {
    "head": {"read": 5, "features": 60, "train": 10, "evaluate": 20, "save": 5},
    "fine-tune": {"read": 1, "features": 4, "train": 88, "evaluate": 6, "save": 1},
}
"""The share of the progress bar that each stage has, about the share of the time that it takes.

Measured on two cores (``seconds`` of a model's card): of the two fine-tuned models, 96 % and 95 % of the time went into
training, 4 % and 5 % into the evaluation; of a head the features take most, unless they are cached."""

STEPS_OF_STAGE = {"read": 3, "evaluate": 6, "save": 1}
"""Steps of a stage, each an equal part of it. A run skips some of them, for example where the data have no boxes: then
the next stage begins early."""

MOST_STEPS = 2000
"""Points of the loss curve within the epochs; where there are more, every second one is dropped."""

_STARTING: StepEvent = {"kind": "step", "text": "Starting"}


@dataclass
class RunProgress:
    """What a run's events have said so far; a part that has not come yet is None."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """The run's configuration, as far as it is known."""
    data: DataEvent | None = None
    features: FeaturesEvent | None = None
    steps: StepsEvent | None = None
    network: NetworkEvent | None = None
    stage: str = STAGES[0]
    step: StepEvent = field(default_factory=lambda: _STARTING)
    step_began: float = 0.0
    """Seconds since 1970."""
    steps_begun: int = 0
    """How many steps of the stage have begun."""
    epochs_said: int = 0
    """How many epochs the whole run has, by its last event of an epoch."""
    kept_epoch: int | None = None
    """The best epoch, whose weights the model keeps."""
    end: EndEvent | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch_seconds: list[float] = field(default_factory=list)
    step_losses: list[tuple[float, float]] = field(default_factory=list)
    """Epochs, from 0 and with fractions, and the mean training loss since the point before."""
    learning_rate: float | None = None
    followed: FollowedEvent | None = None
    looks: list[LookEvent] = field(default_factory=list)
    """One for each epoch, as far as the events have them."""
    said: float = 0.0
    """When the last event came, in seconds since 1970; 0 before the first one."""

    @property
    def look(self) -> LookEvent | None:
        """That of the last epoch."""
        return self.looks[-1] if self.looks else None

    @property
    def looked_before(self) -> LookEvent | None:
        """That of the epoch before the last one."""
        return self.looks[-2] if len(self.looks) > 1 else None

    @property
    def epochs(self) -> int:
        """How many epochs the whole run is planned to have; 0 where that is not known."""
        return self.epochs_said or int(self.config.get("epochs", 0))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of this run in their order.

        Features are extracted only where images do not change from epoch to epoch.
        """
        if self._mode == "fine-tune" and self.config.get("augmentation") == "full":
            return tuple(stage for stage in STAGES if stage != "features")
        return STAGES

    @property
    def _mode(self) -> str:
        return "fine-tune" if self.config.get("mode") == "fine-tune" else "head"

    @property
    def share(self) -> float:
        """How much of the whole run is done, 0 to 1; it never shrinks, unless the run is resumed."""
        if self.end and self.end["state"] != "failed":
            return 1.0
        weights = {stage: WEIGHTS[self._mode][stage] for stage in self.stages}
        done_stages = STAGES[: STAGES.index(self.stage)]
        before = sum(weights.get(stage, 0) for stage in done_stages)
        current = weights.get(self.stage, 0) * min(1.0, self._share_of_stage)
        return (before + current) / sum(weights.values())

    @property
    def _share_of_stage(self) -> float:
        if self.stage == "features" and self.features:
            return self.features["done"] / max(1, self.features["total"])
        if self.stage == "train":
            return (self.epoch + self.share_of_epoch) / max(1, self.epochs)
        share_of_step = self.step.get("done", 0) / max(1, self.step.get("total", 1))
        steps_done = max(0, self.steps_begun - 1)
        # Where a stage has more steps than planned, each is a smaller part of it.
        return (steps_done + share_of_step) / max(STEPS_OF_STAGE.get(self.stage, 1), self.steps_begun)

    @property
    def doing(self) -> str:
        """What the run is doing now, with its numbers."""
        if self.stage == "train" and self.steps:
            steps = self.steps
            return (
                f"Epoch {steps['epoch']} of {self.epochs}: {steps['done']:,} of {steps['total']:,} images, "
                f"{steps['images_a_second']:.1f} a second"
            )
        if self.stage == "train" and self.epoch:
            return f"Epoch {self.epoch} of {self.epochs}"
        if self.stage == "features" and self.features:
            return self._extracting(self.features)
        if "total" in self.step:
            return f"{self.step['text']}: {self.step.get('done', 0):,} of {self.step['total']:,}"
        return self.step["text"]

    def _extracting(self, features: FeaturesEvent) -> str:
        total = features["total"]
        cached = f" ({features['cached']:,} cached)" if features["cached"] else ""
        twice = self.data is not None and total > self.data["images"]
        which = "selection and validation" if self.selection_images else "validation"
        mirrored = f", {which} images also mirrored" if twice else ""
        return f"Extracting features: {features['done']:,} of {total:,} images{mirrored}{cached}"

    @property
    def selection_images(self) -> int:
        """Training images that are held out to choose the epoch; 0 where the validation images choose it."""
        return self.data.get("selection", 0) if self.data else 0

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.epoch_seconds)

    @property
    def seconds_left(self) -> float | None:
        """How long the current stage or step will take; None where that is not known."""
        if self.stage == "features":
            return self.features.get("seconds_left") if self.features else None
        if self.stage != "train":
            return self._seconds_left_of_step
        if self.epoch:
            # The median: the first epoch is slow, since it builds the graph.
            return max(0.0, median(self.epoch_seconds) * (self.epochs - self.epoch - self.share_of_epoch))
        return self._seconds_left_in_first_epoch

    @property
    def _seconds_left_in_first_epoch(self) -> float | None:
        """Without the validation after each epoch, of which nothing is known yet."""
        if self.steps is None or self.steps["images_a_second"] <= 0:
            return None
        images = self.epochs * self.steps["total"] - self.steps["done"]
        return max(0.0, images / self.steps["images_a_second"])

    @property
    def _seconds_left_of_step(self) -> float | None:
        done = self.step.get("done", 0)
        took = self.step.get("time", 0.0) - self.step_began
        if not done or took <= 0:
            return None
        return took / done * (self.step.get("total", 0) - done)

    @property
    def share_of_epoch(self) -> float:
        """How much of the current epoch is done, 0 to 1; 0 where that is not known."""
        if self.steps is None or self.steps["epoch"] != self.epoch + 1:
            return 0.0
        return self.steps["done"] / max(1, self.steps["total"])

    def add(self, events: Iterable[Event]) -> None:
        """Take in the events that have come since. Damaged and unknown ones are passed over."""
        for event in events:
            if is_known(event):
                self._add(event)

    def _add(self, event: Any) -> None:
        """Take in an event whose layout was checked."""
        self.said = event.get("time", self.said)
        match event["kind"]:
            case "data":
                # A resumed run reads its data again.
                if self.end or self.stage != STAGES[0]:
                    self.begin()
                self.data = event
            case "features":
                self._enter("features")
                self.features = event
            case "network":
                self.network = event
            case "steps":
                self._enter("train")
                self._add_steps(event)
            case "epoch":
                self._enter("train")
                self._forget_after(event["epoch"] - 1)
                self._add_epoch(event)
            case "followed":
                self._follow(event)
            case "look":
                self._forget_looks_after(event["epoch"] - 1)
                self.looks.append(event)
            case "kept":
                self._enter("evaluate")
                self.kept_epoch = event["epoch"]
            case "resumed":
                self._forget_after(event["epoch"])
            case "step":
                self._add_step(event)
            case "end":
                self.end = event

    def begin(self) -> None:
        """Go back to the first stage: the run is resumed."""
        self.end = None
        self.kept_epoch = None
        self.steps = None
        self.features = None
        self.stage = STAGES[0]
        self.steps_begun = 0
        self.step = _STARTING

    def _enter(self, stage: str) -> None:
        """Go on to a stage of this run; never back."""
        if stage in self.stages and STAGES.index(stage) > STAGES.index(self.stage):
            self.stage = stage
            self.steps_begun = 0

    def _add_step(self, event: StepEvent) -> None:
        stage = event.get("stage", self.stage)
        if stage == STAGES[0] and (self.end or self.stage != stage):
            self.begin()
        self._enter(stage)
        if event["text"] != self.step["text"] or not self.steps_begun:
            self.steps_begun += 1
            self.step_began = event.get("time", 0.0)
        self.step = event

    def _forget_after(self, epoch: int) -> None:
        """Drop the epochs after this one: they were interrupted or not kept, and are trained again."""
        del self.epoch_seconds[epoch:]
        for values in self.history.values():
            del values[epoch:]
        self._forget_looks_after(epoch)

    def _follow(self, event: FollowedEvent) -> None:
        """Follow these images; a resumed run follows the same ones again, and keeps what was said of them."""
        if self.followed is None or _files(self.followed) != _files(event):
            self.looks.clear()
        self.followed = event

    def _forget_looks_after(self, epoch: int) -> None:
        self.looks = [look for look in self.looks if look["epoch"] <= epoch]

    def _add_steps(self, event: StepsEvent) -> None:
        self.steps = event
        self.learning_rate = event.get("learning_rate", self.learning_rate)
        if len(self.step_losses) >= MOST_STEPS:
            del self.step_losses[1::2]
        position = event["epoch"] - 1 + event["done"] / max(1, event["total"])
        # Of an epoch that is trained again, the points of the first time go.
        while self.step_losses and self.step_losses[-1][0] >= position:
            self.step_losses.pop()
        self.step_losses.append((position, event["loss"]))

    def _add_epoch(self, event: JsonObject) -> None:
        self.epochs_said = event["epochs"]
        self.learning_rate = event.get("learning_rate", self.learning_rate)
        self.epoch_seconds.append(event["seconds"])
        for name in event.keys() - _NO_METRICS:
            self.history.setdefault(name, []).append(event[name])


def _files(followed: FollowedEvent) -> tuple[list[str], list[str]]:
    """The files that are followed; the events of earlier versions do not say which bytes they had."""
    return followed["paths"], followed.get("sha256s", [])


def stopping_words(progress: RunProgress) -> str:
    """What a run is doing that was asked to stop; making a model of its best epoch may take minutes."""
    if progress.kept_epoch is None:
        return f"Stopping after this step. {progress.doing}"
    return f"Stopping: saving the best epoch ({progress.kept_epoch}). {progress.doing}"
