"""The head alone, in NumPy: the same mathematics as :func:`fracture.learn.training.fit_head`, without TensorFlow.

One sigmoid unit on dropped-out features, binary cross-entropy, an L2 penalty, Adam. With the same initial weights and
the same order of images it gives the same curves as Keras (the tests hold one against the other); by itself it draws
both from another generator, so that a run of the same seed is alike but not equal.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fracture.learn.class_weights import class_weights
from fracture.learn.config import TrainConfig
from fracture.learn.evaluation import ranking
from fracture.learn.feature_cache import Features

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
        return _sigmoid(_logit(features, self.weights)).astype(np.float64)


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
    features, label = training[0], training[1].astype(np.float32)
    weights = _glorot(features.shape[1], config.seed) if start is None else start.astype(np.float32)
    order = order or (lambda epoch: np.random.default_rng((config.seed, epoch, 1)).permutation(len(label)))
    importance, adam = class_weights(label, config.class_weight), _Adam(len(weights), config.learning_rate)
    history: dict[str, list[float]] = {}
    kept, best = weights.copy(), (np.inf, 0)
    for epoch in range(config.epochs):
        rows = order(epoch)
        seen, loss, right = _dropped(features[rows], config, epoch), 0.0, 0
        for begin in range(0, len(rows), config.batch_size):
            few = slice(begin, begin + config.batch_size)
            weight, target = importance[rows[few]], label[rows[few]]
            probability = _sigmoid(_logit(seen[few], weights))
            penalty = config.l2 * float(weights[:-1] @ weights[:-1])
            loss += len(target) * penalty + float((weight * _cross_entropy(target, probability)).sum())
            right += int(((probability > 0.5) == target).sum())
            adam.step(weights, _gradient(seen[few], weight * (probability - target), weights, config.l2))
        measured = {"loss": loss / len(rows), "accuracy": right / len(rows), **_judge(weights, validation, config.l2)}
        for name, value in measured.items():
            history.setdefault(name, []).append(value)
        if to_the_end or measured["val_loss"] < best[0]:
            kept, best = weights.copy(), (measured["val_loss"], epoch + 1)
    return Head(history, best[1], kept)


class _Adam:
    def __init__(self, size: int, rate: float) -> None:
        self._first, self._second = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self._rate, self._steps = rate, 0

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
    features, label = part
    probability = _sigmoid(_logit(features, weights))
    penalty = l2 * float(weights[:-1] @ weights[:-1])
    area, _ = ranking(label, probability.astype(np.float64), np.ones((1, len(label))))
    return {
        "val_loss": float(_cross_entropy(label.astype(np.float32), probability).mean()) + penalty,
        "val_accuracy": float(((probability > 0.5) == label).mean()),
        "val_auc": float(area[0]),
    }
