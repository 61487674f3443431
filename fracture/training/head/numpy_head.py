"""The head alone, in NumPy: the mathematics of :func:`fracture.training.head.keras_head.fit_head` without TensorFlow.

One sigmoid unit on dropped-out features, binary cross-entropy, an L2 penalty, Adam. With the same initial weights and
the same order of images it gives the same curves as Keras (the tests hold one against the other); by itself it draws
both from another generator, so that a run of the same seed is alike but not equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RunError
from fracture.evaluation.metrics import ranking
from fracture.training.backbone.feature_cache import Features
from fracture.training.class_weights import class_weights
from fracture.training.config import TrainConfig

Part = tuple[Features, NDArray[np.int64]]
"""Features (N, F) and labels (N,), 0 or 1."""

Order = Callable[[int], NDArray[np.int64]]
"""The rows of the training part in the order of an epoch, counted from 0."""

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Keras's defaults of Adam (Kingma and Ba, ICLR 2015, algorithm 1; epsilon as in the text below it)."""


@dataclass(frozen=True)
class Head:
    """A trained head, and how it went."""

    history: dict[str, list[float]]
    """By epoch, as Keras names them: loss, accuracy, val_loss, val_accuracy; and val_auc."""
    kept_epoch: int
    """1-based; that of the lowest validation loss, or the last, whose weights these are."""
    weights: NDArray[np.float32]
    """(F + 1,): the kernel, then the bias."""

    def __call__(self, features: Features) -> NDArray[np.float64]:
        """The probability of label 1 (N,) of features (N, F)."""
        return probabilities(features, self.weights).astype(np.float64)


def fit_at_once(
    training: Part,
    validation: Part,
    config: TrainConfig,
    *,
    to_the_end: bool = False,
    start: NDArray[np.float32] | None = None,
    order: Order | None = None,
) -> Head:
    """Train a head by the choices of ``config`` that concern it: learning rate, dropout, L2, class weight, and so on.

    Args:
        training: what it learns from.
        validation: by which its best epoch is told, and whose metrics are in its history.
        config: its mode, image size and weights have had their say in the features.
        to_the_end: keep the last epoch instead, so that the validation part has no say in what is learned.
        start: initial weights (F + 1,), the bias last; None draws them as Keras does (Glorot and Bengio, AISTATS 2010,
            equation 16), with the seed of ``config``.
        order: None draws one for each epoch, with that seed.
    """
    descent = Descent(training, config, start, order)
    history: dict[str, list[float]] = {}
    kept, best = descent.weights.copy(), (np.inf, 0)
    for epoch in range(config.epochs):
        measured = {**descent.epoch(epoch), **_judge(descent.weights, validation, config.l2)}
        for name, value in measured.items():
            history.setdefault(name, []).append(value)
        if to_the_end or measured["val_loss"] < best[0]:
            kept, best = descent.weights.copy(), (measured["val_loss"], epoch + 1)
    return Head(history, best[1], kept)


class Descent:
    """A head while it learns.

    Args:
        training: what it learns from.
        config: the choices that concern it.
        start: as of :func:`fit_at_once`.
        order: as of :func:`fit_at_once`.
    """

    def __init__(
        self, training: Part, config: TrainConfig, start: NDArray[np.float32] | None = None, order: Order | None = None
    ) -> None:
        self._features, self._label, self._config = training[0], training[1].astype(np.float32), config
        drawn = _glorot(training[0].shape[1], config.seed) if start is None else start
        self.weights = drawn.astype(np.float32)
        """(F + 1,): the kernel, then the bias."""
        self._order = order or (
            lambda epoch: np.random.default_rng((config.seed, epoch, 1)).permutation(len(self._label))
        )
        self._importance = class_weights(self._label, config.class_weight)
        self._adam = _Adam(len(self.weights), config.learning_rate)

    def epoch(self, number: int) -> dict[str, float]:
        """Learn from each image once, in the epoch of a number counted from 0; ``loss`` and ``accuracy`` of it."""
        rows, size, config = self._order(number), self._config.batch_size, self._config
        seen, loss, right = _dropped(self._features[rows], config, number), 0.0, 0
        for begin in range(0, len(rows), size):
            few = slice(begin, begin + size)
            weight, target = self._importance[rows[few]], self._label[rows[few]]
            probability = _sigmoid(_logit(seen[few], self.weights))
            penalty = config.l2 * float(self.weights[:-1] @ self.weights[:-1])
            loss += len(target) * penalty + float((weight * _cross_entropy(target, probability)).sum())
            right += int(((probability > 0.5) == target).sum())
            gradient = _gradient(seen[few], weight * (probability - target), self.weights, config.l2)
            self._adam.step(self.weights, gradient)
        return {"loss": loss / len(rows), "accuracy": right / len(rows)}

    @property
    def state(self) -> list[NDArray[Any]]:
        """All that learning changes."""
        return [self.weights.copy(), *self._adam.state]

    def go_on(self, state: list[NDArray[Any]]) -> None:
        """Go on from what :attr:`state` was. Raises RunError where it is that of another head."""
        if [each.shape for each in state] != [each.shape for each in self.state]:
            raise RunError("The checkpoint of this training is of another network; start a new training.")
        self.weights = state[0].copy()
        self._adam.go_on(state[1:])


class _Adam:
    def __init__(self, size: int, rate: float) -> None:
        self._first, self._second = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self._rate, self._steps = rate, 0

    @property
    def state(self) -> list[NDArray[Any]]:
        return [self._first.copy(), self._second.copy(), np.array(self._steps)]

    def go_on(self, state: list[NDArray[Any]]) -> None:
        self._first, self._second, self._steps = state[0].copy(), state[1].copy(), int(state[2])

    def step(self, weights: NDArray[np.float32], gradient: NDArray[np.float32]) -> None:
        """Change the weights in place."""
        self._steps += 1
        self._first += (gradient - self._first) * np.float32(1 - BETA_1)
        self._second += (gradient * gradient - self._second) * np.float32(1 - BETA_2)
        rate = self._rate * np.sqrt(1 - BETA_2**self._steps) / (1 - BETA_1**self._steps)
        weights -= np.float32(rate) * self._first / (np.sqrt(self._second) + np.float32(EPSILON))


def _glorot(features: int, seed: int) -> NDArray[np.float32]:
    limit = np.sqrt(6 / (features + 1))
    kernel = np.random.default_rng(seed).uniform(-limit, limit, features)
    return np.append(kernel, 0).astype(np.float32)


def _dropped(features: Features, config: TrainConfig, epoch: int) -> Features:
    """A copy's features, each hidden with the probability of ``dropout``, the others that much larger."""
    if config.dropout:
        drawn = np.random.default_rng((config.seed, epoch, 2)).random(features.shape, dtype=np.float32)
        features *= drawn >= np.float32(config.dropout)
        features *= np.float32(1 / (1 - config.dropout))
    return features


def _logit(features: Features, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    logit: NDArray[np.float32] = features @ weights[:-1] + weights[-1]
    return logit


def _sigmoid(logit: NDArray[np.float32]) -> NDArray[np.float32]:
    probability: NDArray[np.float32] = 1 / (1 + np.exp(-logit.clip(-80, 80)))
    return probability


def _cross_entropy(label: NDArray[np.float32], probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bounded as Keras's."""
    said: NDArray[np.float32] = np.where(label == 1, probability, 1 - probability).astype(np.float32)
    bounded: NDArray[np.float32] = -np.log(said.clip(EPSILON, 1))
    return bounded


def _gradient(
    features: Features, error: NDArray[np.float32], weights: NDArray[np.float32], l2: float
) -> NDArray[np.float32]:
    gradient = np.append(error @ features, error.sum()).astype(np.float32) / np.float32(len(error))
    gradient[:-1] += np.float32(2 * l2) * weights[:-1]
    return gradient


def _judge(weights: NDArray[np.float32], part: Part, l2: float) -> dict[str, float]:
    probability = probabilities(part[0], weights)
    area, _ = ranking(part[1], probability.astype(np.float64), np.ones((1, len(part[1]))))
    return {**validated(weights, probability, part[1], l2), "val_auc": float(area[0])}


def probabilities(features: Features, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a head (F + 1,) says of features (N, F): the probability of label 1 (N,)."""
    return _sigmoid(_logit(features, weights))


def validated(
    weights: NDArray[np.float32], probability: NDArray[np.float32], label: NDArray[np.int64], l2: float
) -> dict[str, float]:
    """``val_loss`` and ``val_accuracy`` of a head (F + 1,) by what it says of images (N,), as Keras counts them."""
    penalty = l2 * float(weights[:-1] @ weights[:-1])
    return {
        "val_loss": float(_cross_entropy(label.astype(np.float32), probability).mean()) + penalty,
        "val_accuracy": float(((probability > 0.5) == label).mean()),
    }
