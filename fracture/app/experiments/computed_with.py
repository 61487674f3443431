"""The settings that a result was computed with, beside the result; and which of them have changed since."""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from fracture.app.shared import state
from fracture.training.config import TrainConfig, field_title

Settings = Mapping[str, str]
"""Values in words by the names of their widgets."""

SECTIONS = ("learning curve", "search")
"""Of the playground: they are computed with its dials, and drawn again without them."""

_OF_HEAD = ("learning_rate", "dropout", "l2", "class_weight", "epochs", "seed")


def head_settings(config: TrainConfig, without: Collection[str] = ()) -> Settings:
    """The settings that a head trains with; ``without`` those that the experiment itself varies."""
    settings = {}
    for name in _OF_HEAD:
        if name not in without:
            value = getattr(config, name)
            settings[field_title(name)] = f"{value:g}" if isinstance(value, float) else str(value)
    return settings


def changed_settings(then: Settings, now: Settings) -> list[str]:
    """The names of the settings of then that have another value now."""
    return [name for name, value in then.items() if now.get(name, value) != value]


def show_settings(used: Settings, changed: Sequence[str], again: str) -> None:
    """A line below a result.

    Args:
        used: what it was computed with.
        changed: the settings that have changed since; see :func:`changed_settings`.
        again: the button that computes it with today's.
    """
    words = ", ".join(f"{_within_sentence(name)} {value}" for name, value in used.items())
    names = ", ".join(map(_within_sentence, changed))
    since = f" :material/warning: **Changed since: {names}.** *{again}* computes it again."
    st.caption(f"Computed with {words}.{since if changed else ''}")


def _within_sentence(name: str) -> str:
    """``Learning rate`` with a small letter; ``L2`` as it is."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def note_section(section: str, key: str, used: Settings, changed: list[str]) -> None:
    """Remember what a section of the playground says, so that the dials can tell when it no longer holds."""
    state.section_settings(section, key).set((used, changed))


def sections_outdated(key: str, config: TrainConfig) -> bool:
    """Whether a section of the playground says something else of its settings than holds with these dials.

    What it says from now on is remembered: the page is to be drawn again once, not in each run.
    """
    outdated = False
    now = head_settings(config)
    for section in SECTIONS:
        entry = state.section_settings(section, key)
        noted = entry.get()
        if noted is not None and changed_settings(noted[0], now) != noted[1]:
            entry.set((noted[0], changed_settings(noted[0], now)))
            outdated = True
    return outdated
