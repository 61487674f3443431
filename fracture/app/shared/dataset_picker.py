"""The picker of the data set, whose choice holds on every page and stands in the address."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.job_status import find_job
from fracture.app.shared.widgets import escape_markdown, linked_name, may_change
from fracture.data.folders import being_filled, list_datasets, remember
from fracture.paths import typed_path


def choose_dataset() -> str | None:
    """A picker of a data set, and the path of the selected one; None where none is selected.

    Outside a public demo it takes a typed path, too. A reload or a link shows the same data set.
    """
    known = [str(folder) for folder in list_datasets()]
    # Selected before the picker is drawn: afterwards Streamlit refuses to change the value of its key.
    _select_new_or_linked(known)
    options = _with_selected(known)
    selected: str | None = st.selectbox(
        "Data set",
        options,
        index=_default(options),
        format_func=_name,
        placeholder="Select a data set" if demo.is_public() else "Select a data set or type a path",
        accept_new_options=not demo.is_public(),
        key=state.DATA.key,
        persist_state="session",
        help=None
        if demo.is_public()
        else f"The list shows the folders in {paths.data_home()}. Type the path of any other.",
    )
    if demo.is_public() and selected not in options:
        selected = None  # a browser can send anything
    _write_address(selected)
    return selected


def _select_new_or_linked(known: list[str]) -> None:
    """Select the data set that was just made, or else the one that the address names."""
    if new := state.NEW_DATA.pop():
        state.select_new_data(new)
        return
    name = linked_name("data")
    if not name:
        return
    path = str(paths.data_home() / name)  # an absolute path stays what it is
    exists = path in known or (not demo.is_public() and _is_folder(path))
    state.DATA.set(path if exists else None)
    if not exists:
        _warn_of_missing(name)


def _warn_of_missing(name: str) -> None:
    shown = escape_markdown(name[:80])
    if demo.is_public():
        st.warning(f"{demo.NOT_OFFERED['paths']} Received: {shown}", icon=":material/public:")
    else:
        st.warning(f"There is no data set {shown} on this machine.", icon=":material/folder_off:")


def _with_selected(known: list[str]) -> list[str]:
    """The options: all known data sets, and the selected one where it is not known yet."""
    selected = state.DATA.get()
    if not selected or selected in known:
        return known
    if not demo.is_public():
        selected = _remember(selected)
        state.DATA.set(selected)
        known = [str(folder) for folder in list_datasets()]
    if selected not in known and _is_filled_by_visitor(Path(selected)):
        return [*known, selected]
    return known


def _default(options: list[str]) -> int | None:
    """The place of the first data set that is complete, or else of the first one."""
    for place, path in enumerate(options):
        if not being_filled(Path(path)):
            return place
    return 0 if options else None


def _name(path: str) -> str:
    """A data set's name: that of its folder in the data home, and the path of any other folder."""
    folder = Path(path)
    return folder.name if folder.parent == paths.data_home() else path


def _is_filled_by_visitor(folder: Path) -> bool:
    """Whether a job of this visitor fills the folder, which holds no images yet: nobody else is offered it."""
    return folder.parent == paths.data_home() and find_job(folder) is not None and may_change(folder)


def _is_folder(path: str) -> bool:
    with suppress(ValueError):  # a text that cannot be a path
        return typed_path(path).is_dir()
    return False


def _remember(typed: str) -> str:
    """The path of a typed folder, which the list shows from now on; a bare name means a folder of the data home."""
    with suppress(OSError, ValueError):  # a text that cannot be a path: reading the data set will say so
        folder = typed_path(typed)
        if Path(typed).name == typed and not folder.exists():
            folder = paths.data_home() / typed
        remember(folder)
        return str(folder)
    return typed


def _write_address(selected: str | None) -> None:
    """Let the address name the selected data set."""
    if selected is None:
        st.query_params.pop("data", None)
        return
    name = _name(selected)
    if st.query_params.get("data") != name:
        st.query_params["data"] = name
