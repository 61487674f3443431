"""Overfitting, underfitting or neither: what the training and the validation loss say, in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MIN_EPOCHS = 5
"""Before that nothing is said: the losses of the first epochs jump."""

PATIENCE = 3
"""Epochs without a better validation loss that mean something."""

MIN_CHANGE = 0.03
"""Of a loss, as a share of its value; less is no change."""

NOISE_EPOCHS = 10
"""The last epochs, in which :data:`MAX_NOISE` is measured."""

MAX_NOISE = 0.15
"""How far a loss may move up and down from epoch to epoch, as a share of its value."""

CHANCE_LOSS = 0.35
"""The cross-entropy of always predicting the share of positives, where one image in nine is positive."""


def diagnose_fit(history: Mapping[str, Sequence[float]]) -> str | None:
    """Over- or underfitting, or that more epochs may help, in words; None where the losses show nothing yet.

    ``history``: ``loss`` and ``val_loss`` by epoch, as far as the run has come.
    """
    training = np.array(history.get("loss", []))
    validation = np.array(history.get("val_loss", []))
    if len(validation) < MIN_EPOCHS or not np.isfinite([*training, *validation]).all():
        return None
    return _unsteady(training[-NOISE_EPOCHS:]) or _explain(training, validation)


def _unsteady(last: Any) -> str | None:
    steps = np.diff(last)
    up = steps[steps > 0].sum()
    down = -steps[steps < 0].sum()
    # A loss that only falls has no noise, however steep it is.
    noise = 2 * min(up, down) / len(steps)
    if noise <= MAX_NOISE * np.median(last):
        return None
    return (
        f"**Unsteady**: the training loss jumps, between {last.min():.3g} and {last.max():.3g} in the last "
        f"{len(last)} epochs. A lower learning rate helps."
    )


def _explain(training: Any, validation: Any) -> str | None:
    best = int(validation.argmin())
    epochs_since = len(validation) - 1 - best
    change = f"{training[0]:.3g} to {training[-1]:.3g}"
    training_falls = training[-1] < training[best]
    validation_rises = validation[-1] > validation[best] * (1 + MIN_CHANGE)
    if epochs_since >= PATIENCE and training_falls and validation_rises:
        return (
            f"**Overfitting** since epoch {best + 1}: the training loss still falls, to {training[-1]:.3g}, while the "
            f"validation loss has risen from {validation[best]:.3g} to {validation[-1]:.3g}. The model memorizes the "
            "training set. More patients, augmentation, more dropout or a lower learning rate help."
        )
    if training[-1] > training[0] * (1 + MIN_CHANGE):
        return f"**Diverging**: the training loss rises, {change}. A lower learning rate helps."
    if training.min() > max(CHANCE_LOSS, training[0] * (1 - MIN_CHANGE)):
        return (
            f"**Underfitting**: even on the training images the loss has hardly changed, {change}. A higher learning "
            "rate, more trainable blocks or other features help; more epochs alone hardly do."
        )
    still_better = validation[-PATIENCE:].min() < validation[:-PATIENCE].min() * (1 - MIN_CHANGE / 3)
    if epochs_since < PATIENCE and still_better:
        return f"**Still learning**: the validation loss falls with the training loss ({change}); more epochs may help."
    return None
