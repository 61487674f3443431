"""What the distance between the training and the validation loss says, in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

ENOUGH = 5
"""Epochs before anything is said: the first ones jump."""

PATIENCE = 3
"""Epochs without a better validation loss before they mean something."""

HARDLY = 0.03
"""By what share of its first value a loss must have come down to have been learned from."""

TAIL, JUMPS = 10, 0.15
"""A loss that goes to and fro in the last so many epochs, by more than this share of itself a step, is noise."""

CHANCE = 0.35
"""A loss that always answering by the share of positives reaches where every ninth is one; below it, something was
learned."""


def diagnose_fit(history: Mapping[str, Sequence[float]]) -> str | None:
    """Over- or underfitting, or that more epochs may help, in words; None where neither can be told yet.

    ``history``: ``loss`` and ``val_loss`` by epoch, as far as the training has come.
    """
    training, validation = (np.array(history.get(name, [])) for name in ("loss", "val_loss"))
    if len(validation) < ENOUGH or not np.isfinite([*training, *validation]).all():
        return None
    return _unsteady(training[-TAIL:]) or _explain(training, validation)


def _unsteady(last: Any) -> str | None:
    steps = np.diff(last)
    to_and_fro = 2 * min(steps[steps > 0].sum(), -steps[steps < 0].sum()) / len(steps)
    if to_and_fro <= JUMPS * np.median(last):
        return None
    return (
        f"**Unsteady**: the training loss jumps, between {last.min():.3g} and {last.max():.3g} in the last "
        f"{len(last)} epochs. A lower learning rate helps."
    )


def _explain(training: Any, validation: Any) -> str | None:
    best, falls = int(validation.argmin()), f"{training[0]:.3g} to {training[-1]:.3g}"
    since = len(validation) - 1 - best
    if since >= PATIENCE and training[-1] < training[best] and validation[-1] > validation[best] * (1 + HARDLY):
        return (
            f"**Overfitting** since epoch {best + 1}: the training loss goes on falling, to {training[-1]:.3g}, while "
            f"the validation loss has risen from {validation[best]:.3g} to {validation[-1]:.3g}. What is learned now "
            "holds for the training images alone. More patients, augmentation, more dropout or a lower learning rate "
            "help."
        )
    if training[-1] > training[0] * (1 + HARDLY):
        return f"**Diverging**: the training loss rises, {falls}. A lower learning rate helps."
    if training.min() > max(CHANCE, training[0] * (1 - HARDLY)):
        return (
            f"**Underfitting**: even on the training images the loss has hardly moved, {falls}. A higher learning "
            "rate, more of the network to train, or other features help; more epochs alone hardly do."
        )
    if since < PATIENCE and validation[-PATIENCE:].min() < validation[:-PATIENCE].min() * (1 - HARDLY / 3):
        return f"**Still learning**: the validation loss falls with the training loss ({falls}); more epochs may help."
    return None
