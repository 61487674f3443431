"""The X-rays that a visitor has uploaded; they stay while the visitor is on other pages."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import RadiographError
from fracture.imaging.codecs.formats import READ
from fracture.imaging.limits import MAX_FILE_MB, MAX_KEPT_BYTES, MAX_UPLOADS
from fracture.imaging.radiograph import Radiograph, cannot_open, count_frames, read
from fracture.imaging.viewing.changes import PictureChanges, change
from fracture.paths import sanitize_name

UPLOADER_WIDTH_PX = 400
"""Of the uploader in a bar: narrower than 368 px, Streamlit stacks its parts."""

PRESENTED_UPLOADER_WIDTH_PX = 470
"""The same in a presentation, whose type is larger by a quarter."""

UPLOADER_HEIGHT_PX = 74
"""Of a row of the uploader, in which a list of many files scrolls."""


class Upload(NamedTuple):
    """An uploaded file, which of its frames is meant, from 1, and how the visitor has changed the picture."""

    name: str
    data: bytes
    frame: int = 1
    changes: PictureChanges = PictureChanges()

    @property
    def source(self) -> str:
        """Which file and frame this is, whatever was changed in the picture.

        By the hash of the file: Streamlit would copy all of the file to make a key of it.
        """
        return f"{hashlib.sha256(self.data).hexdigest()} {self.frame} {sanitize_name(self.name)}"

    @property
    def version(self) -> str:
        """Another one for each picture that is classified: the source with the changes."""
        return f"{self.source} {self.changes}"


def read_upload(upload: Upload) -> Radiograph:
    """The picture with its changes. Raises RadiographError where the file can't be read."""
    return change(read(upload.data, sanitize_name(upload.name), upload.frame), upload.changes)


def change_upload(source: str, changes: PictureChanges) -> None:
    """Change the picture of an upload from the next run on; as the callback of a button, too."""
    state.picture_changes()[source] = changes


def offer_upload() -> None:
    """An uploader on another page: what is chosen there is classified on the page *Classify*."""
    key, _ = _uploader_keys()
    files = st.file_uploader(
        "Read your own X-rays", accept_multiple_files=True, max_upload_size=MAX_FILE_MB, key=key, on_change=_keep
    )
    if not files:
        return
    if not state.UPLOADS.get():
        st.warning(f"These files are larger than {MAX_KEPT_BYTES // 2**20} MB together; choose them on Classify.")
        return
    _open_classify()


def classify_file(path: Path) -> None:
    """Classify a file of a data set on the page *Classify*, as the only upload there.

    Its folders are left out of its name: they may name its label.

    Raises RadiographError where the file cannot be opened, or is too large; the uploads then stay.
    """
    try:
        size = path.stat().st_size / 2**20
        if size > MAX_FILE_MB:
            raise RadiographError(f"A file may have {MAX_FILE_MB} MB. Received: {size:,.0f} MB; use fracture classify.")
        content = path.read_bytes()
    except OSError as error:
        raise cannot_open(path, error) from error
    state.picture_changes().clear()
    _forget()
    _keep_uploads([Upload(path.name, content)])
    _open_classify()


def _open_classify() -> None:
    state.GUESSING.set(False)  # the answers to other X-rays were hidden
    with suppress(StreamlitAPIException):  # a page that is run alone can't open another one
        st.switch_page("pages/classify.py")


def choose_uploads(most: int, beside: DeltaGenerator) -> list[Upload]:
    """The first ``most`` files in the uploader, or of those in it before the visitor opened another page.

    The uploader takes files of any name: DICOM files often have no ending. It takes one row however many files there
    are, so that the answer below stays where it is; what belongs to it stands in ``beside``.
    """
    most = min(most, MAX_UPLOADS)
    chosen_key, folder_key = _uploader_keys()
    # One file or none is one row on a laptop, and as high as it needs to be on a phone.
    many = len(st.session_state.get(chosen_key) or ()) > 1
    with st.container(height=UPLOADER_HEIGHT_PX if many else "content", border=False, key="upload row"):
        files = st.file_uploader(
            f"X-rays ({READ})",
            accept_multiple_files=True,
            max_upload_size=MAX_FILE_MB,
            key=chosen_key,
            on_change=_keep,
            label_visibility="collapsed",
        )
    with beside:
        files += _upload_folder(folder_key, most)
        if files:
            _offer_clearing(len(files), most)
            if not state.UPLOADS.get():
                st.caption(f"More than {MAX_KEPT_BYTES // 2**20} MB: another page that you open removes these files.")
            return _changed(_choose_frames(_read(files, most)))
        kept: list[Upload] = list(state.UPLOADS.get())
        if kept:
            _show_kept(kept, most)
        return _changed(_choose_frames(kept[:most]))


def _changed(uploads: list[Upload]) -> list[Upload]:
    """The uploads with the visitor's changes; those of files that are gone are forgotten."""
    made = state.picture_changes()
    if not made:
        return uploads
    files = {_file_of(upload.source) for upload in uploads}
    for source in list(made):
        if _file_of(source) not in files:
            del made[source]
    return [upload._replace(changes=made[upload.source]) if upload.source in made else upload for upload in uploads]


def _file_of(source: str) -> tuple[str, str]:
    """The file of a source, whichever frame of it is meant: its hash and its name."""
    digest, _, name = source.split(" ", 2)
    return digest, name


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


def _show_kept(kept: list[Upload], most: int) -> None:
    names = ", ".join(each.name for each in kept)
    st.markdown(f"**Uploaded earlier:** {escape_markdown(names)}", width="content")
    st.button("Remove", icon=":material/close:", type="tertiary", key="remove uploads", on_click=_forget)
    _say_most(max(len(kept), state.UPLOADS_CHOSEN.get()), most)


def _uploader_keys() -> tuple[str, str]:
    """The keys of the uploaders of files and of a folder; others after each time that they were cleared."""
    cleared = state.UPLOADERS_CLEARED.get()
    suffix = f" {cleared}" if cleared else ""
    return f"uploads{suffix}", f"uploaded folder{suffix}"


def _upload_folder(key: str, most: int) -> list[Any]:
    """The files of a folder that the visitor uploads."""
    with st.popover("Upload a folder", icon=":material/folder_open:", type="tertiary", key="folder of uploads"):
        files: list[Any] = st.file_uploader(
            "Folder of X-rays",
            accept_multiple_files="directory",
            max_upload_size=MAX_FILE_MB,
            key=key,
            on_change=_keep,
            help=f"With its subfolders; at most {most} files are classified.",
        )
    return files


def _offer_clearing(count: int, most: int) -> None:
    """A button that removes all files; where there are too many, which of them are used."""
    st.button("Clear all", icon=":material/close:", type="tertiary", key="clear uploads", on_click=_clear)
    _say_most(count, most)


def _say_most(count: int, most: int) -> None:
    if count <= most:
        return
    words = f"The first {most} of {count:,} files are classified"
    if most < MAX_UPLOADS:
        words += f", since several models are asked; one model takes {MAX_UPLOADS}"
    st.caption(f"{words}.", width="content")


def _read(files: Iterable[Any], most: int = MAX_UPLOADS) -> list[Upload]:
    return [Upload(file.name, file.getvalue()) for file in islice(files, most)]


def _keep() -> None:
    """Keep the files of the uploaders."""
    files = [file for key in _uploader_keys() for file in st.session_state.get(key, [])]
    _keep_uploads(_read(files))
    state.UPLOADS_CHOSEN.set(len(files))


def _keep_uploads(uploads: list[Upload]) -> None:
    """Keep uploads, and clear the sample. Studies are joined again: they may be another patient's."""
    fits = sum(len(each.data) for each in uploads) <= MAX_KEPT_BYTES
    state.UPLOADS.set(tuple(uploads) if fits else ())
    state.UPLOADS_CHOSEN.set(len(uploads))
    state.SAMPLE.set("")
    state.SHOWN_ANSWERS.set(())
    state.JOINED_STUDIES.set(False)


def _clear() -> None:
    """Empty the uploaders: under other keys they are new ones."""
    state.UPLOADERS_CLEARED.set(state.UPLOADERS_CLEARED.get() + 1)
    _forget()


def _forget() -> None:
    """Forget the uploads.

    Streamlit would keep the bytes of a file until the session ends, unless the browser itself removes the file. No
    other uploader has files at this moment: each is on a page of its own, which forgets them when it is left.
    """
    state.UPLOADS.set(())
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
