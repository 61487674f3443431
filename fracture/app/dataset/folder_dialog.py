"""Rename or delete a data set's folder, or remove it from the list."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fracture import paths
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, may_change
from fracture.data.folders import forget, list_datasets
from fracture.errors import FractureError
from fracture.training.runs.data_folders import delete_dataset, rename_dataset


def offer_folder_dialog(root: str) -> None:
    """A button that opens the dialog; none for data sets of other visitors."""
    if not may_change(Path(root)):
        return
    st.button("Edit", icon=":material/edit:", key="folder dialog", on_click=open_dialog, args=("folder",))
    if is_open("folder"):
        _show_dialog(root)


@st.dialog("Edit data set", width="medium", on_dismiss=close_dialog)
def _show_dialog(root: str) -> None:
    folder = Path(root)
    if folder.parent == paths.data_home():
        _rename_form(folder)
        _delete_form(folder)
    else:
        st.markdown(f"`{folder}` is in the list because somebody typed its path. Removing it keeps its images.")
        st.button("Remove from list", icon=":material/close:", key="remove dataset", on_click=_remove, args=(folder,))
    if failed := state.failure("edit").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    if not is_open("folder"):
        st.rerun()  # the whole page, which shows another data set


def _rename_form(folder: Path) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name", folder.name, max_chars=64, key=f"name of {folder}")
        st.button("Rename", icon=":material/edit:", key="rename dataset", on_click=_rename, args=(folder,))


def _delete_form(folder: Path) -> None:
    name = escape_markdown(folder.name)
    warning = f"Delete all images of **{name}**. This cannot be undone; models trained on them stay."
    if folder.is_symlink():
        warning = f"Remove the link **{name}** from the data folder; the linked images stay."
    confirmed = st.checkbox(warning, key="confirm delete")
    st.button(
        "Delete data set",
        type="primary",
        icon=":material/delete:",
        disabled=not confirmed,
        key="delete dataset",
        on_click=_delete,
        args=(folder,),
    )


def _rename(folder: Path) -> None:
    name = st.session_state[f"name of {folder}"].strip()
    _apply(folder, lambda: rename_dataset(folder, name, policy()))


def _delete(folder: Path) -> None:
    _apply(folder, lambda: delete_dataset(folder, policy()))


def _remove(folder: Path) -> None:
    _apply(folder, lambda: forget(folder))


def _apply(folder: Path, change: Callable[[], Path | None]) -> None:
    """Change a folder in a button's callback, then select the folder that ``change`` returns, or else the first one.

    All session state about ``folder`` is cleared.
    """
    try:
        selected = change() or next(iter(list_datasets()), None)
    except FractureError as error:
        state.failure("edit").set(str(error))
        return
    dataset_cache.forget_datasets()
    state.forget_folder(folder)
    state.DATA.set(None if selected is None else str(selected))
    close_dialog()
