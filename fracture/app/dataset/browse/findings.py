"""The findings about single images as chips with counts: a chip shows exactly its images."""

import streamlit as st

from fracture.app.dataset import checks
from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown
from fracture.data.checks import Problem
from fracture.data.dataset import Dataset

NOUNS = {
    "contradiction": "copies, other label",
    "copies": "copies in both splits",
    "label doubts": "doubtful labels",
    "leak": "from patients in both splits",
    "light border": "light borders",
    "map selection": "from the data map",
    "marks": "with marks",
    "near contradiction": "look-alikes, other label",
    "near copies": "look-alikes in both splits",
    "near repeated": "look-alikes",
    "odd aspect": "odd shapes",
    "odd size": "odd sizes",
    "repeated": "copies",
    "several views": "with several views",
    "some patients": "without a patient",
}
"""What a chip says behind its count; of other findings it is their kind, such as ``64 inverted``."""


def choose_finding(data: Dataset) -> None:
    """A chip for each finding that is about some of the images.

    The finding that the gallery shows may also have been chosen among the checks.
    """
    with_images = {problem.kind: problem for problem in checks.found(data) if problem.images}
    shown = checks.shown_finding(data)
    if shown is not None:
        with_images.setdefault(shown.kind, shown)
    if with_images:
        _show_chips(with_images, shown, data)
    if "label doubts" not in with_images:
        _offer_label_issues(data)


def _show_chips(with_images: dict[str, Problem], shown: Problem | None, data: Dataset) -> None:
    # Set before the chips are drawn: afterwards Streamlit refuses to change the value of their key.
    key = f"findings of {data.root}"
    st.session_state[key] = None if shown is None else shown.kind
    st.pills(
        "Findings",
        list(with_images),
        format_func=lambda kind: describe(with_images[kind]),
        key=key,
        on_change=_show,
        args=(key, data),
    )
    if shown is not None:
        st.caption(escape_markdown(shown.message))
        st.button(
            "Show all images",
            icon=":material/close:",
            key="clear finding",
            on_click=_clear,
            args=(data,),
            width="stretch",
        )


def _offer_label_issues(data: Dataset) -> None:
    """Find the labels that a model contradicts, among the checks: it takes longer than a chip may."""
    asked = st.button(
        "Find doubtful labels",
        icon=":material/psychology_alt:",
        type="tertiary",
        key="to label issues",
        on_click=_find_label_issues,
        args=(data,),
        help=f"Opens the checks, where a model finds them. {checks.label_search_time(data)}",
    )
    if asked:
        st.rerun()  # the whole page: its tabs stand outside the gallery


def _find_label_issues(data: Dataset) -> None:
    state.DATASET_TAB.set("Checks")
    state.label_search(data.root).set(True)


def describe(problem: Problem) -> str:
    """A finding in two words, such as ``64 inverted``."""
    return f"{len(problem.images):,} {NOUNS.get(problem.kind, problem.kind)}"


def _show(key: str, data: Dataset) -> None:
    state.finding(data.root).set(st.session_state[key])


def _clear(data: Dataset) -> None:
    state.finding(data.root).set(None)
