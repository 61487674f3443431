"""The X-rays that a visitor has uploaded; they stay while the visitor is on other pages."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown

MAX_KEPT_BYTES = 100 * 2**20
"""Of one visitor's uploads: larger ones do not stay."""


class Upload(NamedTuple):
    """An uploaded file."""

    name: str
    data: bytes


def choose_uploads() -> list[Upload]:
    """The files in the uploader, or those that were in it before the visitor opened another page."""
    files = st.file_uploader(
        "X-rays (PNG, JPEG or DICOM)",
        accept_multiple_files=True,
        max_upload_size=50,
        key="uploads",
        on_change=_keep,
        help="They stay in memory, only you see them, and they are deleted when you remove them or close this tab.",
    )
    kept: list[Upload] = list(state.UPLOADS.get())
    if files:
        if not kept:
            st.caption(f"More than {MAX_KEPT_BYTES // 2**20} MB: these files are removed when you open another page.")
        return _read(files)
    if kept:
        _show_kept(kept)
    return kept


def _show_kept(kept: list[Upload]) -> None:
    names = ", ".join(each.name for each in kept)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Uploaded earlier:** {escape_markdown(names)}", width="stretch")
        st.button("Remove", icon=":material/close:", type="tertiary", key="remove uploads", on_click=_forget)


def _read(files: Iterable[Any]) -> list[Upload]:
    return [Upload(file.name, file.getvalue()) for file in files]


def _keep() -> None:
    """Keep the files of the uploader, and clear the sample."""
    uploads = _read(st.session_state["uploads"])
    fits = sum(len(each.data) for each in uploads) <= MAX_KEPT_BYTES
    state.UPLOADS.set(tuple(uploads) if fits else ())
    state.SAMPLE.set(None)


def _forget() -> None:
    state.UPLOADS.set(())
