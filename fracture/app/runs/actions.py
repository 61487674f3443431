"""What can be done with one training or model: write a note, rename, delete, download, go on."""

import streamlit as st

from fracture.app.shared.state import visitor
from fracture.app.shared.widgets import (
    escape_markdown,
    how_long_kept,
    link,
    may_change,
    offer_delete,
    offer_zip,
    show_errors,
)
from fracture.errors import FractureError
from fracture.registry.edit import NOTE_LIMIT, read_note
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs import queue
from fracture.training.runs.queue import Run


def show_keeping(run: Run) -> None:
    """Where it stands and where to go on, its note, and the buttons that rename, delete and download it."""
    if run.error:
        st.warning(escape_markdown(run.error), icon=":material/warning:")
    how_long_kept(run.folder.path)
    with show_errors():
        _note(run)
    with st.container(horizontal=True):
        if run.resumable:
            link("train", "Resume it", ":material/resume:", run=run.name)
        elif run.config:
            link("train", "Its training", ":material/monitoring:", run=run.name)
        if run.folder.usable:
            link("models", "Its card", ":material/inventory_2:", run.name)
    with st.container(horizontal=True):
        if run.folder.usable:
            offer_zip(run.folder)
        if may_change(run.folder.path) and not (run.folder.bundled or run.active):
            _offer_rename(run.folder)
            offer_delete(run.folder)


def _note(run: Run) -> None:
    """A text area that saves what is typed, when its field or the page is left.

    Only its visitor changes what stands in it. What another tab has saved meanwhile is not overwritten unasked.
    """
    stored, key = read_note(run.folder), f"note {run.name} {run.started}"
    saved = f"{key}, saved"
    if key not in st.session_state:  # the first time, or back from another page
        st.session_state[saved] = stored
    st.text_area(
        "Note", st.session_state[saved], key=key, max_chars=NOTE_LIMIT, disabled=not may_change(run.folder.path),
        placeholder="What was tried, and what came of it", on_change=_save, args=(run.folder, key),
        help="It is saved when you leave the field, and lies in the model's folder.",
    )  # fmt: skip
    if trouble := st.session_state.pop(f"{key}, trouble", None):
        st.error(escape_markdown(trouble), icon=":material/error:")
    if stored.strip() != st.session_state[key].strip():
        st.caption(f"Elsewhere this note was changed to: {escape_markdown(stored) or '(nothing)'}")
        with st.container(horizontal=True):
            st.button("Take that one", key=f"reload {key}", on_click=_take, args=(key, stored), icon=":material/sync:")
            mine = (run.folder, key, stored)
            st.button("Save mine over it", key=f"overwrite {key}", on_click=_save, args=mine, icon=":material/save:")


def _save(folder: ModelFolder, key: str, over: str | None = None) -> None:
    """Keep what was typed, unless another tab has saved something else than ``over``, or than what was here before."""
    text, before = st.session_state[key], st.session_state[f"{key}, saved"] if over is None else over
    try:
        if read_note(folder).strip() == before.strip():
            queue.note(folder, text, visitor())
            st.session_state[f"{key}, saved"] = text
    except FractureError as error:
        st.session_state[f"{key}, trouble"] = str(error)


def _take(key: str, text: str) -> None:
    st.session_state[key] = st.session_state[f"{key}, saved"] = text


def _offer_rename(folder: ModelFolder) -> None:
    with (
        st.popover("Rename …", icon=":material/edit:", key=f"open rename {folder.name}"),
        st.form(f"rename {folder.name}", border=False),
    ):
        name = st.text_input("New name", folder.name, max_chars=64, key=f"new name {folder.name}").strip()
        if st.form_submit_button("Rename it", type="primary", key=f"confirm rename {folder.name}"):
            with show_errors():
                queue.rename(folder, name, visitor())
                _follow(folder.name, name)
                st.rerun()


def _follow(old: str, new: str) -> None:
    """What this visitor has chosen on other pages, and picked here, is chosen under its new name."""
    for key in ("run", "chosen model"):
        if st.session_state.get(key) == old:
            st.session_state[key] = new
    st.session_state["renamed"] = {old: new}
