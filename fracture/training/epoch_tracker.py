"""Follows a run epoch by epoch: reports, saves checkpoints, keeps the best weights, stops. For Keras and NumPy."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fracture.errors import Cancelled
from fracture.training.checkpoint import NO_CHECKPOINTS, Arrays, Checkpoint, Checkpointer
from fracture.training.events import Emit

History = dict[str, list[float]]


@dataclass(frozen=True)
class Fit:
    """How a run went."""

    history: History
    """Metrics by epoch, as Keras names them: loss, accuracy, val_loss, val_accuracy."""
    kept_epoch: int
    """1-based; the best by the images that choose it, whose weights the network now holds."""
    stopped: bool = False
    """Whether it was asked to stop before its last epoch; early stopping does not count."""


class EpochTracker:
    """Reports each epoch, keeps the weights of the best, and stops the run when asked to.

    Args:
        epochs: as planned.
        emit: receives the events.
        should_stop: asked before each epoch.
        checkpointer: saves each epoch, and has the checkpoint from which a run resumes.
        monitor: the metric that makes an epoch the best; of equal epochs the one with the lowest validation loss.
        largest: whether the largest value is the best.
    """

    def __init__(
        self,
        epochs: int,
        emit: Emit,
        should_stop: Callable[[], bool],
        checkpointer: Checkpointer = NO_CHECKPOINTS,
        *,
        monitor: str,
        largest: bool = False,
    ) -> None:
        self._epochs = epochs
        self._emit = emit
        self._should_stop = should_stop
        self._checkpointer = checkpointer
        self._monitor = monitor
        self._sign = 1.0 if largest else -1.0
        self._best = -np.inf
        self._resumed_at = 0
        self.history: History = {}
        self.kept_epoch = 0
        self.stopped = False
        self.best_weights: Arrays = []

    def resume(self) -> Checkpoint | None:
        """Take over the checkpoint of an interrupted run; None where there is none.

        Raises:
            RunError: it is damaged, or of other data or weights.
        """
        checkpoint = self._checkpointer.load()
        if checkpoint is not None:
            self.history = checkpoint.history
            self.best_weights = checkpoint.best_weights
            self.kept_epoch = checkpoint.kept_epoch
            self._best = checkpoint.best
            self._resumed_at = checkpoint.epoch
            self._emit("resumed", epoch=checkpoint.epoch)
        return checkpoint

    def begin_epoch(self, done: int, variables: Callable[[], Arrays]) -> None:
        """Save a checkpoint of the last of the epochs ``done``, and begin the next epoch.

        Raises:
            Cancelled: ``should_stop`` said so.
        """
        # The epoch at which a run was resumed has its checkpoint already.
        if done > self._resumed_at:
            self._checkpointer.save(
                Checkpoint(done, self.history, self.kept_epoch, self._best, self.best_weights, variables())
            )
        # The checkpoint comes first: a run that is stopped here resumes without training an epoch again.
        if self._should_stop():
            raise Cancelled
        self._started = time.monotonic()

    def end_epoch(self, epoch: int, metrics: dict[str, float], rate: float, weights: Callable[[], Arrays]) -> None:
        """Record an epoch (1-based), and its weights where it is the best so far."""
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        score = self._sign * metrics[self._monitor]
        # Where a score is NaN, none is better: then the first epoch is kept.
        if not self.best_weights or score > self._best or (score == self._best and self._lowers_loss(epoch)):
            self._best = score
            self.kept_epoch = epoch
            self.best_weights = weights()
        seconds = round(time.monotonic() - self._started, 3)
        self._emit("epoch", epoch=epoch, epochs=self._epochs, seconds=seconds, learning_rate=rate, **metrics)

    def _lowers_loss(self, epoch: int) -> bool:
        """Whether the validation loss is lower than that of the kept epoch.

        On few images the AUC is soon perfect, long before the probabilities are right.
        """
        losses = self.history["val_loss"]
        return losses[epoch - 1] < losses[self.kept_epoch - 1]

    def report_validation(self, epoch: int, confusion: Sequence[int], probabilities: Any) -> None:
        """Emit the confusion matrix of the validation images, and the probabilities of the followed ones."""
        # Rounded, so that the log of a long run stays small.
        rounded = np.ravel(probabilities).round(4).tolist()
        self._emit("look", epoch=epoch, confusion=list(confusion), probabilities=rounded)

    @contextmanager
    def keep_best_when_stopped(self) -> Iterator[None]:
        """A stop within the block ends it quietly once an epoch is done; before that it raises Cancelled."""
        try:
            yield
        except Cancelled:
            if not self.kept_epoch:
                raise
            self.stopped = True

    def result(self) -> Fit:
        """How the run went; emits which epoch is kept."""
        self._emit("kept", epoch=self.kept_epoch)
        return Fit(self.history, self.kept_epoch, self.stopped)
