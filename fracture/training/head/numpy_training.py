"""The head of :mod:`fracture.training.head.numpy_head` as a training: said, stopped and gone on with epoch by epoch."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fracture.training.checkpoint import NONE, Memory
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Course, Fit
from fracture.training.events import Emit
from fracture.training.head.numpy_head import Descent, Part, probabilities, validated


def fit_head(
    training: Part,
    validation: Part,
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    memory: Memory = NONE,
    followed: NDArray[np.int64],
) -> tuple[Fit, NDArray[np.float32]]:
    """Train a head on features (N, F): how it went, and the weights (F + 1,) of its best epoch, the bias last.

    ``should_stop`` is asked before each epoch; where ``memory`` has a checkpoint, training goes on from there.
    ``followed``: rows of the validation part whose probabilities are said after each epoch.

    Raises:
        Cancelled: it said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    descent, (features, label) = Descent(training, config), validation
    course = Course(config.epochs, emit, should_stop, memory, monitor="val_loss")
    checkpoint = course.last()
    if checkpoint is not None:
        descent.go_on(checkpoint.variables)
    with course.until_stopped():
        for epoch in range(checkpoint.epoch if checkpoint else 0, config.epochs):
            course.begin(epoch, lambda: descent.state)
            learned = descent.epoch(epoch)
            said = probabilities(features, descent.weights)
            metrics = {**validated(descent.weights, said, label, config.l2), **learned}
            course.end(epoch + 1, metrics, config.learning_rate, lambda: [descent.weights.copy()])
            course.look(epoch + 1, _confusion(label, said), said[followed])
    return course.fit(), course.best_weights[0]


def _confusion(label: NDArray[np.int64], probability: NDArray[np.float32]) -> list[int]:
    """The cells of :data:`fracture.evaluation.metrics.CONFUSION` at a probability of one half."""
    return [int(count) for count in np.bincount(2 * label + (probability > 0.5), minlength=4)]
