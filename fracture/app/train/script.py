"""A finished training as a script, to be read and taken along."""

import pandas as pd
import streamlit as st

from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.errors import DatasetError
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs.keras_script import TABLE, as_code, found_here, images_of


def show_code(folder: ModelFolder) -> None:
    """The script, folded away; nothing of it is made before it is asked for."""
    code = st.expander("Show as code", icon=":material/code:", on_change="rerun", key=f"code {folder.name}")
    if code.open:
        with code, show_errors():
            _show(folder)


def _show(folder: ModelFolder) -> None:
    script = as_code(found_here(folder))
    st.caption(
        f"This training in plain Keras, without this app. Put both files into one folder and run "
        f"`python {folder.name}.py` there: it prints the same curves, as far as its first lines don't say otherwise."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Download the script",
            script,
            f"{folder.name}.py",
            "text/x-python",
            icon=":material/download:",
            on_click="ignore",
            key=f"script {folder.name}",
        )
        _offer_table(folder)
    st.code(script, height=480)


def _offer_table(folder: ModelFolder) -> None:
    try:
        table = _images(folder, folder.version)
    except DatasetError as error:
        st.caption(f":material/warning: There is no {TABLE} to go with it. {escape_markdown(str(error))}")
        return
    st.download_button(
        f"Download {TABLE} ({len(table):,} images)",
        lambda: table.to_csv(index=False),
        TABLE,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"images {folder.name}",
    )


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Reading the data set")
def _images(_folder: ModelFolder, version: str) -> pd.DataFrame:  # noqa: ARG001  part of the key
    return images_of(found_here(_folder))
