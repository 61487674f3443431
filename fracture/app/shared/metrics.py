"""The switch, the table and the sentences about metrics, as all pages show them."""

import streamlit as st

from fracture.app.shared.widgets import escape_markdown
from fracture.estimate import Estimate, excludes_zero
from fracture.registry import selection
from fracture.registry.card import Card


def choose_level(key: str) -> str:
    """A switch between the metrics by ``study`` and by ``image``."""
    level: str = st.segmented_control(
        "Level",
        ["study", "image"],
        default="study",
        required=True,
        key=key,
        label_visibility="collapsed",
        format_func=lambda each: f"By {each}",
        help="A study is all views of one visit; its probability is the mean over its views.",
    )
    return level


def verdict(difference: Estimate) -> str:
    """Whether a difference is significant, in a sentence."""
    if excludes_zero(difference):
        return "Significant: the interval excludes zero."
    return "Not significant: the interval includes zero."


def chosen_on(card: Card) -> str:
    """See :func:`fracture.registry.selection.chosen_on`; in Markdown."""
    return selection.chosen_on(card, _emphasize)


def selection_sentence(card: Card) -> str:
    """See :func:`fracture.registry.selection.selection_sentence`; in Markdown."""
    return selection.selection_sentence(card, _emphasize)


def _emphasize(name: str) -> str:
    return f"*{escape_markdown(name)}*"


def show_table(rows: list[dict[str, str]]) -> None:
    """A table of words; on a narrow screen an interval goes to the next line as a whole."""
    unbroken = []
    for row in rows:
        unbroken.append({name: text.replace(" to ", "\u00a0to\u00a0") for name, text in row.items()})
    st.table(unbroken, border="horizontal")
