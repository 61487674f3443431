"""The head in NumPy: the mathematics of :func:`fracture.training.head.keras_head.train_keras_head` without TensorFlow.

One sigmoid unit on features with dropout, binary cross-entropy, an L2 penalty, Adam. With the same initial weights and
the same order of images it gives the same curves as Keras (the tests compare the two); by itself it draws both from
another generator, so that a run with the same seed is alike but not equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RunError
from fracture.evaluation.metrics import ranking
from fracture.training.backbone.features import Features
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig

FeaturesAndLabels = tuple[Features, NDArray[np.int64]]
"""Features (N, F) and labels (N,), 0 or 1."""

EpochOrder = Callable[[int], NDArray[np.int64]]
"""The rows of the training part in the order of an epoch, counted from 0."""

# Keras's defaults of Adam (Kingma and Ba, ICLR 2015, algorithm 1; epsilon as in the text below it).
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7

MAX_LOGIT = 80
"""Logits are clipped to ± this, since exp of more overflows 32 bits."""


@dataclass(frozen=True)
class Head:
    """A trained head, and its learning curves."""

    history: dict[str, list[float]]
    """By epoch, as Keras names them: loss, accuracy, val_loss, val_accuracy; and val_auc."""
    kept_epoch: int
    """1-based; that of the lowest validation loss, or the last, whose weights these are."""
    weights: NDArray[np.float32]
    """(F + 1,): the kernel, then the bias."""

    def __call__(self, features: Features) -> NDArray[np.float64]:
        """The probability of label 1 (N,) of features (N, F)."""
        return probabilities(features, self.weights).astype(np.float64)


def train_head(
    training: FeaturesAndLabels,
    validation: FeaturesAndLabels,
    config: TrainConfig,
    *,
    keep_last_epoch: bool = False,
    start: NDArray[np.float32] | None = None,
    order: EpochOrder | None = None,
) -> Head:
    """Train a head by the settings of ``config`` that concern it: learning rate, dropout, L2, class weight, and so on.

    Args:
        training: features and labels to learn from.
        validation: features and labels that choose the best epoch, and whose metrics are in the history.
        config: mode, image size and weights do not matter here, since they have made the features.
        keep_last_epoch: keep the last epoch instead, so that the validation part does not influence the result.
        start: initial weights (F + 1,), the bias last; None draws them as Keras does (Glorot and Bengio, AISTATS 2010,
            equation 16), with the seed of ``config``.
        order: of the training images; None shuffles them in each epoch, with that seed.
    """
    optimization = HeadOptimization(training, config, start, order)
    history: dict[str, list[float]] = {}
    kept_weights = optimization.weights.copy()
    kept_epoch = 0
    lowest_loss = np.inf
    for epoch in range(config.epochs):
        learned = optimization.run_epoch(epoch)
        measured = _validate(optimization.weights, validation, config.l2)
        for name, value in {**learned, **measured}.items():
            history.setdefault(name, []).append(value)
        if keep_last_epoch or measured["val_loss"] < lowest_loss:
            lowest_loss = measured["val_loss"]
            kept_weights = optimization.weights.copy()
            kept_epoch = epoch + 1
    return Head(history, kept_epoch, kept_weights)


class HeadOptimization:
    """A head while it trains.

    Args:
        training: features and labels to learn from.
        config: the settings that concern it.
        start: see :func:`train_head`.
        order: see :func:`train_head`.
    """

    def __init__(
        self,
        training: FeaturesAndLabels,
        config: TrainConfig,
        start: NDArray[np.float32] | None = None,
        order: EpochOrder | None = None,
    ) -> None:
        features, label = training
        if start is None:
            start = _glorot(features.shape[1], config.seed)
        self.weights = start.astype(np.float32)
        """(F + 1,): the kernel, then the bias."""
        self._features = features
        self._label = label.astype(np.float32)
        self._config = config
        self._order = order or self._shuffled
        self._class_weights = class_weights(self._label, config.class_weight)
        self._adam = _Adam(len(self.weights), config.learning_rate)

    def run_epoch(self, number: int) -> dict[str, float]:
        """Train on each image once, in the epoch of a number counted from 0; its ``loss`` and ``accuracy``."""
        config = self._config
        rows = self._order(number)
        # A copy in the order of the epoch, which dropout may change in place.
        features = _dropout(self._features[rows], config, number)
        loss = 0.0
        correct = 0
        for begin in range(0, len(rows), config.batch_size):
            batch = slice(begin, begin + config.batch_size)
            weight = self._class_weights[rows[batch]]
            target = self._label[rows[batch]]
            probability = probabilities(features[batch], self.weights)
            cross_entropy = float((weight * _cross_entropy(target, probability)).sum())
            # Keras adds the penalty to the mean loss of each batch, so that here it counts once for each image.
            loss += len(target) * _penalty(self.weights, config.l2) + cross_entropy
            correct += int(((probability > 0.5) == target).sum())
            # The derivative of a sigmoid's cross-entropy by its logit.
            error = weight * (probability - target)
            gradient = _gradient(features[batch], error, self.weights, config.l2)
            self._adam.step(self.weights, gradient)
        return {"loss": loss / len(rows), "accuracy": correct / len(rows)}

    @property
    def state(self) -> list[NDArray[Any]]:
        """All that training changes."""
        return [self.weights.copy(), *self._adam.state]

    def restore(self, state: list[NDArray[Any]]) -> None:
        """Continue from what :attr:`state` was. Raises RunError where it is that of another head."""
        if [each.shape for each in state] != [each.shape for each in self.state]:
            raise RunError("The checkpoint of this run is of another network; start a new run.")
        weights, *moments = state
        self.weights = weights.copy()
        self._adam.restore(moments)

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        # The last number of the seed is 1 here and 2 for dropout: the two must not be correlated. By the epoch, so that
        # a run that resumes has the order of one that was never interrupted.
        random = np.random.default_rng((self._config.seed, epoch, 1))
        return random.permutation(len(self._label))


class _Adam:
    def __init__(self, size: int, rate: float) -> None:
        self._first = np.zeros(size, np.float32)
        self._second = np.zeros(size, np.float32)
        self._rate = rate
        self._steps = 0

    @property
    def state(self) -> list[NDArray[Any]]:
        return [self._first.copy(), self._second.copy(), np.array(self._steps)]

    def restore(self, state: list[NDArray[Any]]) -> None:
        first, second, steps = state
        self._first = first.copy()
        self._second = second.copy()
        self._steps = int(steps)

    def step(self, weights: NDArray[np.float32], gradient: NDArray[np.float32]) -> None:
        """Change the weights in place."""
        self._steps += 1
        self._first += (gradient - self._first) * np.float32(1 - BETA_1)
        self._second += (gradient * gradient - self._second) * np.float32(1 - BETA_2)
        # Both averages begin at 0, which makes them too small in the first steps: the rate makes up for that.
        bias_of_first = 1 - BETA_1**self._steps
        bias_of_second = 1 - BETA_2**self._steps
        rate = np.float32(self._rate * np.sqrt(bias_of_second) / bias_of_first)
        weights -= rate * self._first / (np.sqrt(self._second) + np.float32(EPSILON))


def _glorot(features: int, seed: int) -> NDArray[np.float32]:
    limit = np.sqrt(6 / (features + 1))
    kernel = np.random.default_rng(seed).uniform(-limit, limit, features)
    return np.append(kernel, 0).astype(np.float32)


def _dropout(features: Features, config: TrainConfig, epoch: int) -> Features:
    """Set features to 0 with the probability of ``dropout``, in place, and scale the others up to keep the mean."""
    if config.dropout:
        drawn = np.random.default_rng((config.seed, epoch, 2)).random(features.shape, dtype=np.float32)
        features *= drawn >= np.float32(config.dropout)
        features *= np.float32(1 / (1 - config.dropout))
    return features


def _logit(features: Features, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    logit: NDArray[np.float32] = features @ weights[:-1] + weights[-1]
    return logit


def _sigmoid(logit: NDArray[np.float32]) -> NDArray[np.float32]:
    probability: NDArray[np.float32] = 1 / (1 + np.exp(-logit.clip(-MAX_LOGIT, MAX_LOGIT)))
    return probability


def _penalty(weights: NDArray[np.float32], l2: float) -> float:
    kernel = weights[:-1]
    return l2 * float(kernel @ kernel)


def _cross_entropy(label: NDArray[np.float32], probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Binary cross-entropy of each image (N,), with probabilities clipped as Keras clips them."""
    of_label = np.where(label == 1, probability, 1 - probability).astype(np.float32)
    loss: NDArray[np.float32] = -np.log(of_label.clip(EPSILON, 1))
    return loss


def _gradient(
    features: Features, error: NDArray[np.float32], weights: NDArray[np.float32], l2: float
) -> NDArray[np.float32]:
    summed = np.append(error @ features, error.sum()).astype(np.float32)
    gradient = summed / np.float32(len(error))
    # The penalty is on the kernel alone, as Keras's kernel_regularizer is.
    gradient[:-1] += np.float32(2 * l2) * weights[:-1]
    return gradient


def _validate(weights: NDArray[np.float32], part: FeaturesAndLabels, l2: float) -> dict[str, float]:
    features, label = part
    probability = probabilities(features, weights)
    auc, _ = ranking(label, probability.astype(np.float64), np.ones((1, len(label))))
    return {**validation_metrics(weights, probability, label, l2), "val_auc": float(auc[0])}


def probabilities(features: Features, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of label 1 (N,) that a head (F + 1,) gives for features (N, F)."""
    return _sigmoid(_logit(features, weights))


def validation_metrics(
    weights: NDArray[np.float32], probability: NDArray[np.float32], label: NDArray[np.int64], l2: float
) -> dict[str, float]:
    """``val_loss`` and ``val_accuracy`` of a head (F + 1,) from its probabilities (N,), as Keras computes them."""
    losses = _cross_entropy(label.astype(np.float32), probability)
    called = probability > 0.5
    return {
        "val_loss": float(losses.mean()) + _penalty(weights, l2),
        "val_accuracy": float((called == label).mean()),
    }
