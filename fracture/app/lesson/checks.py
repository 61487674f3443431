"""Whether a step of the lesson was done in this browser tab, and what came out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pandas as pd
import streamlit as st

from fracture.app.shared import state
from fracture.estimate import format_number, format_percent
from fracture.formatting import format_threshold

MIN_ANSWERS = 10
"""Of the quiz, for a result that is worth talking about."""

MIN_GUESSES = 3
"""On *Classify*."""

OVERFITTED = 1.02
"""By how much the last validation loss is above the lowest one: less is noise."""

Values = Mapping[str, str]
"""By the names in :data:`fracture.teaching.lesson.CHECKS`."""


def values_of(check: str) -> Values | None:
    """What came out of a step; None until it was done."""
    return _CHECKS[check]()


def _looked() -> Values | None:
    return {} if state.HOME_SAMPLE.get() else None


def _guessed() -> Values | None:
    from fracture.teaching.reading import count_right, measure_reading  # loads scipy: not before a quiz was begun

    begun = [each for each in _kept("quiz ") if hasattr(each, "answers")]
    longest = max(begun, key=lambda each: len(each.answers), default=None)
    if longest is None or len(longest.answers) < MIN_ANSWERS:
        return None
    visitor = measure_reading(longest.labels, longest.reading())
    model = measure_reading(longest.labels, longest.model_reading())
    return {
        "images": str(len(longest.answers)),
        "right": str(count_right(longest.labels, longest.reading())),
        "model_right": str(count_right(longest.labels, longest.model_reading())),
        "sensitivity": format_percent(visitor.sensitivity),
        "specificity": format_percent(visitor.specificity),
        "model_sensitivity": format_percent(model.sensitivity),
        "model_specificity": format_percent(model.specificity),
    }


def _trained() -> Values | None:
    trials = _trials()
    if len({trial.config.learning_rate for trial in trials}) < 2:
        return None
    best = max(trials, key=_auc)
    slowest = min(trials, key=lambda trial: trial.config.learning_rate)
    return {
        "heads": str(len(trials)),
        "auc": f"{_auc(best):.3f}",
        "rate": f"{best.config.learning_rate:g}",
        "low_auc": f"{_auc(slowest):.3f}",
        "low_rate": f"{slowest.config.learning_rate:g}",
    }


def _auc(trial: Any) -> float:
    return float(trial.auc["value"] or 0)


def _overfitted() -> Values | None:
    for trial in reversed(_trials()):
        losses = trial.head.history["val_loss"]
        lowest = min(losses)
        if losses[-1] > OVERFITTED * lowest:
            epoch = losses.index(lowest) + 1
            return {"epoch": str(epoch), "lowest": f"{lowest:.3f}", "last": f"{losses[-1]:.3f}"}
    return None


def _leaked() -> Values | None:
    from fracture.experiments.leakage import gap

    found = next((each for each in _kept("leakage of ") if each), None)
    if found is None:
        return None
    outcomes = found.outcomes
    means = pd.Series([each.auc for each in outcomes]).groupby([each.way for each in outcomes]).mean()
    return {
        "image": f"{means['image']:.3f}",
        "patient": f"{means['group']:.3f}",
        "gap": f"{gap(outcomes)['value'] or 0:+.3f}",
    }


def _ablated() -> Values | None:
    found = next((each for each in _kept("hardware of ") if each), None)
    if found is None:
        return None
    (everything, *_), _, gap = found
    return {
        "metal": format_number(everything.metal),
        "plain": format_number(everything.plain),
        "gap": format_number(gap),
    }


def _masked() -> Values | None:
    found = state.MASKED.get()
    return {"before": f"{found[0]:.1%}", "after": f"{found[1]:.1%}"} if found else None


def _chosen() -> Values | None:
    point = state.CHOSEN_POINT.get()
    if point is None:
        return None
    return {
        "threshold": format_threshold(point["threshold"]),
        "sensitivity": format_percent(point["sensitivity"]),
        "specificity": format_percent(point["specificity"]),
    }


def _doubted() -> Values | None:
    known = [guess for guess in state.guesses().values() if guess.truth is not None]
    if len(known) < MIN_GUESSES:
        return None
    return {
        "total": str(len(known)),
        "right": str(sum(guess.positive == guess.truth for guess in known)),
        "model_right": str(sum(guess.model == guess.truth for guess in known)),
    }


_CHECKS: Mapping[str, Callable[[], Values | None]] = {
    "looked": _looked,
    "guessed": _guessed,
    "trained": _trained,
    "overfitted": _overfitted,
    "leaked": _leaked,
    "ablated": _ablated,
    "masked": _masked,
    "chosen": _chosen,
    "doubted": _doubted,
}


def _trials() -> list[Any]:
    """All trials of the playground that are still listed."""
    return [trial for trials in _kept("trials of ") for trial in trials or ()]


def _kept(prefix: str) -> Iterator[Any]:
    """What other pages keep in the session under keys that begin so."""
    for key, value in list(st.session_state.items()):
        if str(key).startswith(prefix):
            yield cast(Any, value)
