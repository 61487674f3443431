"""A finished run as a Keras script to read and to download."""

import pandas as pd
import streamlit as st

from fracture import demo
from fracture.app.shared.prediction_cache import BY_FOLDER
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.errors import DatasetError
from fracture.registry.model_folder import ModelFolder
from fracture.training.runs.keras_script import TABLE, as_code, found_here, script_images


def show_code(folder: ModelFolder) -> None:
    """The script, folded away; the page generates it when a visitor opens it."""
    code = st.expander("Keras script", icon=":material/code:", on_change="rerun", key=f"code {folder.name}")
    if code.open:
        with code, show_errors():
            show_script(folder)


def show_script(folder: ModelFolder) -> None:
    """The script with its downloads. Raises FractureError where the card says too little."""
    script = as_code(found_here(folder))
    explanation = st.empty()
    with st.container(horizontal=True):
        st.download_button(
            "Download script",
            script,
            f"{folder.name}.py",
            "text/x-python",
            icon=":material/download:",
            on_click="ignore",
            key=f"script {folder.name}",
        )
        with_table = _offer_table(folder)
    files = "both files into one folder" if with_table else f"it into a folder with its {TABLE}"
    # Not a caption, whose paler text leaves the code in it too little contrast.
    explanation.markdown(
        f"This run in plain Keras, without the app. Put {files} and run `python {folder.name}.py` there; the first "
        "lines of the script say how closely it reproduces the curves."
    )
    # Without colors: some of Streamlit's own for Python stand out from the light ground by 2.9 to 1 alone.
    st.code(script, language=None, height=480)


def _offer_table(folder: ModelFolder) -> bool:
    """The table of the images to download; False and why, where it is not available."""
    try:
        table = _images(folder)
    except DatasetError as error:
        reason = "" if demo.is_public() else f" {escape_markdown(str(error))}"  # it names a path of the host
        st.caption(f":material/warning: The file {TABLE} is not available.{reason}")
        return False
    st.download_button(
        f"Download {TABLE} ({len(table):,} images)",
        lambda: table.to_csv(index=False),
        TABLE,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"images {folder.name}",
    )
    return True


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Reading the data set", hash_funcs=BY_FOLDER)
def _images(folder: ModelFolder) -> pd.DataFrame:
    return script_images(found_here(folder))
