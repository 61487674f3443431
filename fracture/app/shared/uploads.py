"""The X-rays that a visitor has uploaded; they stay while the visitor is on other pages."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import streamlit as st
from streamlit.errors import StreamlitAPIException

from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.codecs.formats import READ
from fracture.imaging.radiograph import count_frames
from fracture.paths import sanitize_name

MAX_KEPT_BYTES = 100 * 2**20
"""Of one visitor's uploads: larger ones do not stay."""


class Upload(NamedTuple):
    """An uploaded file, and which of its frames is meant, from 1."""

    name: str
    data: bytes
    frame: int = 1


def offer_upload() -> None:
    """An uploader on another page: what is chosen there is classified on the page *Classify*."""
    st.file_uploader(
        "Read your own X-rays", accept_multiple_files=True, max_upload_size=50, key="uploads", on_change=_keep
    )
    if not st.session_state["uploads"]:
        return
    if not state.UPLOADS.get():
        st.warning(f"These files are larger than {MAX_KEPT_BYTES // 2**20} MB together; choose them on Classify.")
        return
    with suppress(StreamlitAPIException):  # a page that is run alone can't open another one
        st.switch_page("pages/classify.py")


def choose_uploads() -> list[Upload]:
    """The files in the uploader, or those that were in it before the visitor opened another page.

    The uploader takes files of any name: DICOM files often have no ending.
    """
    files = st.file_uploader(
        f"X-rays ({READ})",
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
        return _choose_frames(_read(files))
    if kept:
        _show_kept(kept)
    return _choose_frames(kept)


def _choose_frames(uploads: list[Upload]) -> list[Upload]:
    """The uploads with the frame that the visitor chooses for each DICOM file that has several."""
    return [_choose_frame(number, upload) for number, upload in enumerate(uploads)]


def _choose_frame(number: int, upload: Upload) -> Upload:
    frames = count_frames(upload.data)
    if frames == 1:
        return upload
    label = f"Frame of {escape_markdown(sanitize_name(upload.name))} (1 to {frames:,})"
    frame = st.number_input(label, 1, frames, key=f"frame of {number} {upload.name}", width=400)
    return upload._replace(frame=frame)


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
