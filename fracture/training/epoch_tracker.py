"""How a training goes, epoch by epoch: said, remembered, and ended when it should be. Keras's and the head's alike."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fracture.errors import Cancelled
from fracture.training.checkpoint import NONE, Arrays, Checkpoint, Memory
from fracture.training.events import Emit

History = dict[str, list[float]]


@dataclass(frozen=True)
class Fit:
    """How a training went."""

    history: History
    """Metrics by epoch, as Keras names them: loss, accuracy, val_loss, val_accuracy."""
    kept_epoch: int
    """1-based; the best by the validation images, whose weights the network now holds."""
    stopped: bool = False
    """Whether it was asked to end before its last epoch, and not by its own patience."""


class Course:
    """Reports each epoch, remembers the best, and ends the training when asked to.

    Args:
        epochs: as planned.
        emit: is told of each.
        should_stop: asked before each.
        memory: where each epoch is kept, and where the last one may lie from which to go on.
        monitor: the metric that makes an epoch the best.
        largest: whether the best is the largest.
    """

    def __init__(
        self,
        epochs: int,
        emit: Emit,
        should_stop: Callable[[], bool],
        memory: Memory = NONE,
        *,
        monitor: str,
        largest: bool = False,
    ) -> None:
        self._epochs, self._emit, self._should_stop, self._memory = epochs, emit, should_stop, memory
        self._monitor, self._sign = monitor, 1.0 if largest else -1.0
        self._best, self._resumed_at = -np.inf, 0
        self.history: History = {}
        self.kept_epoch = 0
        self.stopped = False
        self.best_weights: Arrays = []

    def last(self) -> Checkpoint | None:
        """Where it stood when it was interrupted, which it takes over; None where it begins.

        Raises:
            RunError: that is damaged, or of other data or weights.
        """
        checkpoint = self._memory.last()
        if checkpoint is not None:
            self.history, self.best_weights = checkpoint.history, checkpoint.best_weights
            self._best, self.kept_epoch = checkpoint.best, checkpoint.kept_epoch
            self._resumed_at = checkpoint.epoch
            self._emit("resumed", epoch=checkpoint.epoch)
        return checkpoint

    def begin(self, done: int, variables: Callable[[], Arrays]) -> None:
        """Remember how the last of the epochs ``done`` has ended, and begin the next.

        Raises:
            Cancelled: somebody asked to stop.
        """
        if done > self._resumed_at:
            self._memory.keep(
                Checkpoint(done, self.history, self.kept_epoch, self._best, self.best_weights, variables())
            )
        if self._should_stop():
            raise Cancelled
        self._started = time.monotonic()

    def end(self, epoch: int, metrics: dict[str, float], rate: float, weights: Callable[[], Arrays]) -> None:
        """Take an epoch (1-based) down, and its weights where it is the best so far."""
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        score = self._sign * metrics[self._monitor]
        if not self.best_weights or score > self._best:
            self._best, self.kept_epoch, self.best_weights = score, epoch, weights()
        seconds = round(time.monotonic() - self._started, 3)
        self._emit("epoch", epoch=epoch, epochs=self._epochs, seconds=seconds, learning_rate=rate, **metrics)

    def look(self, epoch: int, confusion: Sequence[int], probabilities: Any) -> None:
        """Say what an epoch makes of the validation images, and of those that are followed."""
        rounded = np.ravel(probabilities).round(4).tolist()
        self._emit("look", epoch=epoch, confusion=list(confusion), probabilities=rounded)

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """What was learned before somebody asked to stop is kept, once an epoch is done."""
        try:
            yield
        except Cancelled:
            if not self.kept_epoch:
                raise
            self.stopped = True

    def fit(self) -> Fit:
        """How it went, which is said."""
        self._emit("kept", epoch=self.kept_epoch)
        return Fit(self.history, self.kept_epoch, self.stopped)
