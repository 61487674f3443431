"""Actions on one run or model: write a note, rename, delete, download, resume."""

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import (
    escape_markdown,
    link,
    may_change,
    offer_delete,
    offer_zip,
    show_errors,
    show_retention,
)
from fracture.errors import FractureError
from fracture.registry.edit import NOTE_LIMIT, read_note
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs import queue
from fracture.training.runs.queue import Run


def show_actions(run: Run) -> None:
    """The run's error, its note, links to other pages, and the buttons that rename, delete and download it."""
    if run.error:
        st.warning(escape_markdown(run.error), icon=":material/warning:")
    show_retention(run.folder.path)
    with show_errors():
        _edit_note(run)
    with st.container(horizontal=True):
        if run.resumable:
            link("train", "Resume run", ":material/resume:", run=run.name)
        elif run.config:
            link("train", "Open run", ":material/monitoring:", run=run.name)
        if run.folder.usable:
            link("classify", "Classify an X-ray", ":material/radiology:", run.name)
    with st.container(horizontal=True):
        if run.folder.usable:
            offer_zip(run.folder)
        if may_change(run.folder.path) and not (run.folder.bundled or run.active):
            _offer_rename(run.folder)
            offer_delete(run.folder)


def _edit_note(run: Run) -> None:
    """A text area that saves the note when the visitor leaves the field or the page.

    Only the visitor changes its content: a note that another tab has saved meanwhile is shown below, and neither of
    the two overwrites the other without a click.
    """
    stored = read_note(run.folder)
    key = f"note {run.name} {run.started}"
    saved = state.saved_note(key)
    if key not in st.session_state:  # the first time, or back from another page
        saved.set(stored)
    st.text_area(
        "Note",
        saved.get() or "",
        key=key,
        max_chars=NOTE_LIMIT,
        disabled=not may_change(run.folder.path),
        placeholder="What you tried, and what you learned",
        on_change=_save_note,
        args=(run.folder, key),
        help="Saved in the model's folder when you leave the field.",
    )
    if error := state.failure(f"save {key}").pop():
        st.error(escape_markdown(error), icon=":material/error:")
    if stored.strip() != st.session_state[key].strip():
        _resolve_conflict(run.folder, key, stored)


def _resolve_conflict(folder: ModelFolder, key: str, stored: str) -> None:
    st.caption(f"Another tab has changed this note to: {escape_markdown(stored) or '(empty)'}")
    with st.container(horizontal=True):
        st.button("Use that note", key=f"reload {key}", on_click=_load_note, args=(key, stored), icon=":material/sync:")
        st.button(
            "Keep my note",
            key=f"overwrite {key}",
            on_click=_save_note,
            args=(folder, key, stored),
            icon=":material/save:",
        )


def _save_note(folder: ModelFolder, key: str, expected: str | None = None) -> None:
    """Save the typed note, unless the stored one is neither ``expected`` nor the one that this tab has saved last."""
    text = st.session_state[key]
    saved = state.saved_note(key)
    before = (saved.get() or "") if expected is None else expected
    try:
        if read_note(folder).strip() == before.strip():
            queue.note(folder, text, policy())
            saved.set(text)
    except FractureError as error:
        state.failure(f"save {key}").set(str(error))


def _load_note(key: str, text: str) -> None:
    st.session_state[key] = text
    state.saved_note(key).set(text)


def _offer_rename(folder: ModelFolder) -> None:
    popover = st.popover("Rename …", icon=":material/edit:", key=f"open rename {folder.name}")
    with popover, st.form(f"rename {folder.name}", border=False):
        name = st.text_input("New name", folder.name, max_chars=64, key=f"new name {folder.name}").strip()
        if st.form_submit_button("Rename", type="primary", key=f"confirm rename {folder.name}"):
            with show_errors():
                queue.rename(folder, name, policy())
                _follow_rename(folder.name, name)
                st.rerun()


def _follow_rename(old: str, new: str) -> None:
    """Keep the run selected on this page and on others."""
    if state.RUN.get() == old:
        state.RUN.set(new)
    if state.CHOSEN_MODEL.get() == old:
        state.CHOSEN_MODEL.set(new)
    if state.OPENED_RUN.get() == old:
        state.OPENED_RUN.set(new)
    state.RENAMED_RUN.set({old: new})
