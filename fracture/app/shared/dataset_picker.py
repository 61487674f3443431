"""Choose a data set: which one holds on every page, and what the address says of it."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from fracture import demo, paths
from fracture.app.shared.widgets import asked_for, escape_markdown, may_change
from fracture.data.folders import being_filled, list_datasets, remember
from fracture.importers.job import find_import
from fracture.paths import typed_path
from fracture.phantoms.job import find_phantom_job


def choose_dataset() -> str | None:
    """A picker over the data sets of this machine that also takes a typed path, but for that of a public demo.

    The choice holds on every page, and the address says it: a reload or a link shows the same data set.
    """
    here, found = paths.data_home(), [str(folder) for folder in list_datasets()]
    _take_from_address(found)
    if (typed := st.session_state.get("data")) and typed not in found:
        if not demo.on():
            st.session_state["data"] = typed = _remembered(typed)
            found = [str(folder) for folder in list_datasets()]
        if typed not in found and _begun_here(Path(typed)):
            found.append(typed)
    whole = [index for index, path in enumerate(found) if not being_filled(Path(path))]
    chosen: str | None = st.selectbox(
        "Data set",
        found,
        index=(whole or [0])[0] if found else None,
        format_func=lambda path: Path(path).name if Path(path).parent == here else path,
        placeholder="Choose one" if demo.on() else "Choose one, or type the path of a folder",
        accept_new_options=not demo.on(),
        key="data",
        persist_state="session",
        help=None if demo.on() else f"Folders in {here} are listed; any other can be given by its path.",
    )
    if demo.on() and chosen not in found:  # whatever a browser sends
        chosen = None
    _say_in_address(chosen)
    return chosen


def _begun_here(folder: Path) -> bool:
    """Whether this visitor began to bring data into a folder that has none yet: it is offered to nobody else."""
    begun = find_import(folder) is not None or find_phantom_job(folder) is not None
    return folder.parent == paths.data_home() and begun and may_change(folder)


def _take_from_address(found: list[str]) -> None:
    """Choose what was begun just now, or what the address names where somebody came by a link."""
    if new := st.session_state.pop("new data", None):
        st.session_state["data"] = new
        return
    asked = asked_for("data")
    if not asked:
        return
    path = str(paths.data_home() / asked)  # which an absolute path replaces
    known = path in found or (not demo.on() and _is_folder(path))
    st.session_state["data"] = path if known else None
    if not known and demo.on():
        st.warning(f"{demo.OFF['paths']} Received: {escape_markdown(asked[:80])}", icon=":material/public:")
    elif not known:
        st.warning(f"There is no data set {escape_markdown(asked[:80])} on this machine.", icon=":material/folder_off:")


def _is_folder(path: str) -> bool:
    with suppress(ValueError):  # no path at all
        return typed_path(path).is_dir()
    return False


def _remembered(typed: str) -> str:
    """The folder that was typed, which stays in the list; a bare name means one of the data home."""
    with suppress(OSError, ValueError):  # no path at all: reading the data set will say so
        folder = typed_path(typed)
        if Path(typed).name == typed and not folder.exists():
            folder = paths.data_home() / typed
        remember(folder)
        return str(folder)
    return typed


def _say_in_address(chosen: str | None) -> None:
    """Let the address name what is shown: a folder of the data home by its name, any other by its path."""
    if chosen is None:
        st.query_params.pop("data", None)
        return
    inside = Path(chosen).parent == paths.data_home()
    said = Path(chosen).name if inside else chosen
    if st.query_params.get("data") != said:
        st.query_params["data"] = said
