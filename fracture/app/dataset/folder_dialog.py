"""A data set's folder renamed, deleted, or taken out of the list."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fracture import paths
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.state import visitor
from fracture.app.shared.widgets import escape_markdown, may_change
from fracture.data.folders import forget, list_datasets
from fracture.errors import FractureError
from fracture.training.runs.data_folders import delete_dataset, rename_dataset


def offer_folder_dialog(root: str) -> None:
    """A button behind which a data set is renamed or deleted; none for those of other visitors."""
    if not may_change(Path(root)):
        return
    st.button("Edit", icon=":material/edit:", key="folder dialog", on_click=open_dialog, args=("folder",))
    if is_open("folder"):
        _edit(root)


@st.dialog("Edit data set", width="medium", on_dismiss=close_dialog)
def _edit(root: str) -> None:
    folder = Path(root)
    if folder.parent == paths.data_home():
        _rename_form(folder)
        _delete_form(folder)
    else:
        st.markdown(f"`{folder}` is listed because its path was typed. Its images stay where they are.")
        st.button("Remove from list", icon=":material/close:", key="remove dataset", on_click=_forget, args=(folder,))
    if failed := state.failure("edit").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    if not is_open("folder"):
        st.rerun()  # the whole page, which shows another data set


def _rename_form(folder: Path) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name", folder.name, max_chars=64, key=f"name of {folder}")
        st.button("Rename", icon=":material/edit:", key="rename dataset", on_click=_rename, args=(folder,))


def _delete_form(folder: Path) -> None:
    sure = st.checkbox(
        f"Remove **{escape_markdown(folder.name)}** from the data folder; the images that it links to stay."
        if folder.is_symlink()
        else (
            f"Delete all images of **{escape_markdown(folder.name)}**. This can't be undone; models trained on "
            "them stay."
        ),
        key="confirm delete",
    )
    st.button(
        "Delete data set",
        type="primary",
        icon=":material/delete:",
        disabled=not sure,
        key="delete dataset",
        on_click=_delete,
        args=(folder,),
    )


def _rename(folder: Path) -> None:
    name = st.session_state[f"name of {folder}"].strip()
    _carry_out(folder, lambda: rename_dataset(folder, name, visitor()))


def _delete(folder: Path) -> None:
    _carry_out(folder, lambda: delete_dataset(folder, visitor()))


def _forget(folder: Path) -> None:
    _carry_out(folder, lambda: forget(folder))


def _carry_out(folder: Path, change: Callable[[], Path | None]) -> None:
    """Do it in a button's callback, then show the folder that ``change`` returns, or else the first in the list.

    What the visitor has found and chosen in ``folder`` is forgotten.
    """
    try:
        shown = change() or next(iter(list_datasets()), None)
    except FractureError as error:
        state.failure("edit").set(str(error))
        return
    dataset_cache.forget_datasets()
    state.forget_folder(folder)
    state.DATA.set(None if shown is None else str(shown))
    close_dialog()
