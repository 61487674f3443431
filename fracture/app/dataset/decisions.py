"""Select images, decide about them, undo decisions."""

from collections.abc import Callable, Iterable, Sequence

import pandas as pd
import streamlit as st

from fracture import demo
from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.data import decisions
from fracture.data.catalog import NO_DECISION
from fracture.data.dataset import Dataset
from fracture.errors import FractureError

Images = Iterable[str]


def select_box(image_id: str, data: Dataset) -> None:
    """A checkbox that selects an image; the selection lasts from page to page of the gallery."""
    if demo.is_public():
        return
    selected = state.selected_images(data.root)
    st.checkbox(
        f"Select {image_id}",
        image_id in selected,
        label_visibility="collapsed",
        key=f"select {state.SELECTION_NUMBER.get()} {image_id}",
        on_change=lambda: selected.symmetric_difference_update({image_id}),
    )


def decide_bar(data: Dataset, page: Sequence[str], shown: "pd.Series[str]") -> None:
    """Select many images at once, and decide about all selected ones.

    Args:
        data: the data set.
        page: the images of this page of the gallery.
        shown: the images that pass the filters.
    """
    if demo.is_public():
        return
    selected = state.selected_images(data.root)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{len(selected):,} selected**", width=100)
        _select_button("page", "Select page", page, data)
        _select_button("all", f"Select all {len(shown):,}", shown, data)
        _select_button("none", "Clear selection", [], data)
        _undo_button(data)
    # No popover: from its button, Tab leads past its content to the whole gallery.
    with st.expander("Decide", icon=":material/gavel:", key="decide", on_change="rerun"):
        decision_buttons(data, selected, "selected")
    show_failure()


def decision_buttons(data: Dataset, image_ids: Images, key: str, title: str = "") -> None:
    """A reason, and a button for each decision about these images; ``title``: which images they are."""
    if demo.is_public():
        return
    images = list(image_ids)
    negative, positive = (escape_markdown(name) for name in data.label_names)
    buttons = (
        ("exclude", "Exclude", ":material/block:"),
        ("negative", f"Label: {negative}", ":material/label:"),
        ("positive", f"Label: {positive}", ":material/label:"),
        ("keep", "Reset", ":material/restart_alt:"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if title:
            st.markdown(f"**{title}**", width=110)
        st.text_input(
            "Reason",
            placeholder="Reason, for later readers",
            key=f"reason {key}",
            width=260,
            label_visibility="collapsed",
            max_chars=decisions.MAX_REASON_CHARACTERS,
        )
        for decision, label, icon in buttons:
            st.button(
                label,
                icon=icon,
                disabled=not images,
                key=f"{decision} {key}",
                on_click=_decide,
                args=(data, images, decision, key),
                help="Back to the data set's own label, and not excluded." if decision == "keep" else None,
            )


def describe_decision(decision: str, data: Dataset) -> str:
    """A decision with the label names of the data set."""
    negative, positive = data.label_names
    return {
        "exclude": "excluded",
        "negative": f"now {negative}",
        "positive": f"now {positive}",
        "keep": "reset",
        NO_DECISION: "none",
    }[decision]


def describe_decisions(catalog: pd.DataFrame, kept: pd.DataFrame) -> str:
    """How many images of a catalog its decisions exclude or relabel, as a sentence; empty where none.

    ``kept``: the rows that :func:`fracture.data.catalog.rows_after_decisions` keeps.
    """
    excluded = len(catalog) - len(kept)
    relabeled = int((kept["label"] != catalog.loc[kept.index, "label"]).sum())
    parts = []
    if excluded:
        parts.append(f"{excluded:,} excluded")
    if relabeled:
        parts.append(f"{relabeled:,} relabeled")
    if not parts:
        return ""
    return f"Counted after decisions: {' and '.join(parts)} of {len(catalog):,} images."


def decided_just_now() -> bool:
    """Whether a decision was made or undone since the last call; the rest of the page is then out of date."""
    return state.DECIDED.pop()


def show_failure() -> None:
    """The error of the last decision, if it failed; to be called beside its buttons."""
    if failed := state.failure("decision").pop():
        st.error(escape_markdown(failed), icon=":material/error:")


def _select_button(key: str, label: str, image_ids: "Sequence[str] | pd.Series[str]", data: Dataset) -> None:
    st.button(label, on_click=_select, args=(image_ids, data), key=f"select {key}", type="tertiary")


def _select(image_ids: "Sequence[str] | pd.Series[str]", data: Dataset) -> None:
    """Select these as well; an empty list clears the selection."""
    selected = state.selected_images(data.root)
    if len(image_ids):
        selected.update(image_ids)
    else:
        selected.clear()
    # Checkboxes keep their state: others, by new keys, show the new selection.
    state.SELECTION_NUMBER.set(state.SELECTION_NUMBER.get() + 1)


def _decide(data: Dataset, images: list[str], decision: str, key: str) -> None:
    """Decide, then clear the reason and the selection."""
    reason = f"reason {key}"
    if not _attempt(lambda: decisions.decide(data.root, images, decision, st.session_state[reason])):
        return
    st.session_state[reason] = ""
    if key == "selected":
        _select([], data)
        state.DECIDE_OPEN.set(False)


def _undo_button(data: Dataset) -> None:
    """Disabled where nothing can be undone: what stands below it must not move when there is a decision."""
    with show_errors():
        last = decisions.last_decision(data.root)
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            disabled=last is None,
            key="undo",
            help=None if last is None else _describe_last(last, data),
            on_click=_undo,
            args=(data, "" if last is None else last.time),
        )


def _describe_last(last: decisions.LastDecision, data: Dataset) -> str:
    images = f"{last.images:,} image{'' if last.images == 1 else 's'} {describe_decision(last.decision, data)}"
    return f"The latest decision: {escape_markdown(images)}, {last.time[:16].replace('T', ' ')} UTC."


def _undo(data: Dataset, time: str) -> None:
    _attempt(lambda: decisions.undo(data.root, time))


def _attempt(action: Callable[[], None]) -> bool:
    """Do it in a button's callback, which can show nothing: :func:`show_failure` shows the error."""
    try:
        action()
    except FractureError as error:
        state.failure("decision").set(str(error))
        return False
    state.DECIDED.set(True)
    return True
