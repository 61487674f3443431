"""A run of the head of :mod:`fracture.training.head.numpy_head`: reported, stopped and resumed epoch by epoch."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import EpochTracker, Fit
from fracture.training.events import Emit
from fracture.training.head.numpy_head import FeaturesAndLabels, HeadOptimization, probabilities, validation_metrics


def train_numpy_head(
    training: FeaturesAndLabels,
    validation: FeaturesAndLabels,
    config: TrainConfig,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    checkpointer: Checkpointer = NO_CHECKPOINTS,
    followed: NDArray[np.int64],
) -> tuple[Fit, NDArray[np.float32]]:
    """Train a head on features (N, F): how it went, and the weights (F + 1,) of its best epoch, the bias last.

    Args:
        training: features and labels to learn from.
        validation: features and labels that choose the best epoch.
        config: every setting of the run.
        emit: receives the events.
        should_stop: asked before each epoch.
        checkpointer: where it has a checkpoint, the run resumes from there.
        followed: rows of the validation part whose probabilities are emitted after each epoch.

    Raises:
        Cancelled: ``should_stop`` said so before the first epoch was done.
        RunError: the checkpoint does not fit.
    """
    features, label = validation
    optimization = HeadOptimization(training, config)
    tracker = EpochTracker(config.epochs, emit, should_stop, checkpointer, monitor="val_loss")
    first_epoch = 0
    checkpoint = tracker.resume()
    if checkpoint is not None:
        optimization.restore(checkpoint.variables)
        first_epoch = checkpoint.epoch
    with tracker.keep_best_when_stopped():
        for epoch in range(first_epoch, config.epochs):
            tracker.begin_epoch(epoch, lambda: optimization.state)
            learned = optimization.run_epoch(epoch)
            probability = probabilities(features, optimization.weights)
            metrics = {**validation_metrics(optimization.weights, probability, label, config.l2), **learned}
            tracker.end_epoch(epoch + 1, metrics, config.learning_rate, lambda: [optimization.weights.copy()])
            tracker.report_validation(epoch + 1, _confusion(label, probability), probability[followed])
    return tracker.result(), tracker.best_weights[0]


def _confusion(label: NDArray[np.int64], probability: NDArray[np.float32]) -> list[int]:
    """The cells of :data:`fracture.evaluation.metrics.CONFUSION` at a probability of one half."""
    cells = 2 * label + (probability > 0.5)
    return [int(count) for count in np.bincount(cells, minlength=4)]
