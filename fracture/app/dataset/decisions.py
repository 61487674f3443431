"""Choose images, decide about them, take it back."""

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


def tick(image_id: str, data: Dataset) -> None:
    """A box that adds an image to the chosen ones, which last from page to page of the gallery."""
    if demo.on():
        return
    ticked = state.selected_images(data.root)
    st.checkbox(
        f"Choose {image_id}", image_id in ticked, label_visibility="collapsed",
        key=f"select {state.SELECTION_NUMBER.get()} {image_id}",
        on_change=lambda: ticked.symmetric_difference_update({image_id}),
    )  # fmt: skip


def decide_bar(data: Dataset, here: Sequence[str], shown: "pd.Series[str]") -> None:
    """Choose many at once, and decide about all that are chosen. ``here``: those of this page."""
    if demo.on():
        return
    ticked, none = state.selected_images(data.root), list[str]()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(ticked):,} chosen**", width=100)
            choices = (("page", "This page", here), ("all", f"All {len(shown):,}", shown), ("none", "None", none))
            for key, words, images in choices:
                st.button(words, on_click=_tick_all, args=(images, data), key=f"select {key}", type="tertiary")
            _undo_button(data)
        # No popover: from its button, Tab leads past what is in it to the whole gallery.
        with st.expander("Decide", icon=":material/gavel:", key="decide", on_change="rerun"):
            decision_buttons(data, ticked, "selected")
    say_failure()


def decision_buttons(data: Dataset, image_ids: Images, key: str, what: str = "") -> None:
    """A reason, and a button for each decision about these images; ``what`` they are, in words."""
    if demo.on():
        return
    images = list(image_ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        if what:
            st.markdown(f"**{what}**", width=110)
        st.text_input(
            "Reason", placeholder="Reason, for whoever reads it next year", key=f"reason {key}", width=260,
            label_visibility="collapsed", max_chars=decisions.MOST_REASON,
        )  # fmt: skip
        for decision, words, icon in (
            ("exclude", "Exclude", ":material/block:"),
            ("negative", f"Label: {data.label_names[0]}", ":material/label:"),
            ("positive", f"Label: {data.label_names[1]}", ":material/label:"),
            ("keep", "As in the data", ":material/restart_alt:"),
        ):
            st.button(
                escape_markdown(words), icon=icon, disabled=not images, key=f"{decision} {key}",
                on_click=_decide, args=(data, images, decision, key),
            )  # fmt: skip


def decision_words(decision: str, data: Dataset) -> str:
    """A decision in the words of the data set: its labels have names of their own."""
    negative, positive = data.label_names
    words = {"exclude": "excluded", "negative": f"now {negative}", "positive": f"now {positive}"}
    return {**words, "keep": "as in the data", NO_DECISION: "none"}[decision]


def decisions_in_words(known: pd.DataFrame, kept: pd.DataFrame) -> str:
    """How many images of a catalogue its decisions exclude or relabel, as a sentence; empty where none.

    ``kept``: what :func:`fracture.data.catalog.rows_after_decisions` makes of it.
    """
    relabeled = int((kept["label"] != known.loc[kept.index, "label"]).sum())
    counted = {"excluded": len(known) - len(kept), "relabeled": relabeled}
    parts = [f"{count:,} {what}" for what, count in counted.items() if count]
    return f"Counted as decided: {' and '.join(parts)} of {len(known):,} images." if parts else ""


def decided_just_now() -> bool:
    """Whether a decision was made or taken back since this was asked last; what the rest of a page says is then old."""
    return state.DECIDED.pop()


def say_failure() -> None:
    """What the last decision failed on, if it did; to be called where its buttons are."""
    if failed := state.failure("decision").pop():
        st.error(escape_markdown(failed), icon=":material/error:")


def _tick_all(image_ids: "Sequence[str] | pd.Series[str]", data: Dataset) -> None:
    """Tick these as well; none at all for an empty list."""
    ticked = state.selected_images(data.root)
    ticked.update(image_ids) if len(image_ids) else ticked.clear()
    state.SELECTION_NUMBER.set(state.SELECTION_NUMBER.get() + 1)  # boxes are drawn anew, as they now stand


def _decide(data: Dataset, images: list[str], decision: str, key: str) -> None:
    """Decide; what was typed and chosen for it is then done with."""
    reason = f"reason {key}"
    if not _carefully(lambda: decisions.decide(data.root, images, decision, st.session_state[reason])):
        return
    st.session_state[reason] = ""
    if key == "selected":
        _tick_all([], data)
        state.DECIDE_OPEN.set(False)


def _undo_button(data: Dataset) -> None:
    with show_errors():
        if last := decisions.last_decision(data.root):
            images = f"{last.images:,} image{'' if last.images == 1 else 's'}"
            st.button(
                escape_markdown(f"Undo: {images} {decision_words(last.decision, data)}"),
                icon=":material/undo:", key="undo",
                help=f"The newest decision, whoever made it: {last.time[:16].replace('T', ' ')} UTC.",
                on_click=_undo, args=(data, last.time),
            )  # fmt: skip


def _undo(data: Dataset, time: str) -> None:
    _carefully(lambda: decisions.undo(data.root, time))


def _carefully(act: Callable[[], None]) -> bool:
    """Do it in a button's call, which can show nothing: what went wrong is said where the buttons are."""
    try:
        act()
    except FractureError as error:
        state.failure("decision").set(str(error))
        return False
    state.DECIDED.set(True)
    return True
