"""The viewer of an upload or a sample: a window on its full depth; of an upload also changes to classify again."""

from collections.abc import Iterable

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import Upload, change_upload
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.app.viewer.component import show_viewer
from fracture.imaging.viewing.changes import PictureChanges
from fracture.imaging.viewing.full_depth import FullDepth, of_gray, read_full_depth
from fracture.paths import sanitize_name


def offer_viewer(each: Examined, place: str) -> None:
    """The buttons that open an image in the viewer, and that undo its changes; ``place``: a part of their keys."""
    _offer(_identify(each), place, changed=each.changed)


def offer_undo(uploads: list[Upload]) -> None:
    """The same buttons for changed uploads that have no answer, each by its name: a crop may show nothing."""
    for upload in uploads:
        st.markdown(f"**{escape_markdown(sanitize_name(upload.name))}**")
        _offer(upload.source, upload.source, changed=True)


def _offer(identity: str, place: str, *, changed: bool) -> None:
    with st.container(horizontal=True, width="content"):
        st.button(
            "Open viewer",
            icon=":material/contrast:",
            key=f"open viewer {place}",
            help="Window, zoom and rotate it; crop, rotate or invert an upload to classify the changed picture",
            on_click=open_viewer,
            args=(identity,),
        )
        if changed:
            st.button(
                "Undo changes",
                icon=":material/undo:",
                key=f"undo changes {place}",
                on_click=change_upload,
                args=(identity, PictureChanges()),
            )


def show_open_viewer(uploads: list[Upload]) -> None:
    """Show the viewer, if it is open."""
    if not is_open("viewer"):
        return
    viewed = [upload for upload in uploads if upload.source == state.VIEWED_UPLOAD.get()]
    if viewed:
        _show_dialog(viewed[0])
    else:  # it was removed meanwhile
        close_dialog()


def show_open_sample(views: Iterable[Examined]) -> None:
    """Show one of the views of a synthetic study in the viewer, if it is open."""
    viewed = [each for each in views if _identify(each) == state.VIEWED_UPLOAD.get()]
    if is_open("viewer") and viewed:
        _show_sample_dialog(viewed[0])


def _identify(each: Examined) -> str:
    """Which upload or synthetic view it is."""
    return each.source or each.seen.name


def open_viewer(identity: str) -> None:
    """Open the viewer for an upload, by its source, or a sample; as the callback of a button."""
    state.VIEWED_UPLOAD.set(identity)
    open_dialog("viewer")


@st.dialog("Image viewer", width="large", on_dismiss=close_dialog)
def _show_dialog(upload: Upload) -> None:
    with show_errors():
        # Not cached: its pixels are in memory only while they are sent.
        full = read_full_depth(upload.data, upload.name, upload.frame)
        name = f"Radiograph {sanitize_name(upload.name)}"
        notes = [_describe_seen(full, upload.changes)]
        wanted = show_viewer(full, name, "picture viewer", changes=upload.changes, notes=notes)
        if wanted is not None:
            change_upload(upload.source, wanted)
            close_dialog()
            st.rerun()


@st.dialog("Image viewer", width="large", on_dismiss=close_dialog)
def _show_sample_dialog(each: Examined) -> None:
    full = of_gray(each.pixels)
    show_viewer(full, f"Radiograph {each.seen.name}", "sample viewer", notes=[_describe_seen(full, PictureChanges())])


def _describe_seen(full: FullDepth, changes: PictureChanges) -> str:
    """What the model saw, in words."""
    center, width = full.window
    part = ", ".join(changes.describe()) or "as a whole"
    return f"The model saw this picture {part}, in the window {center:,g} / {width:,g}."
