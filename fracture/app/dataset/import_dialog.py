"""Import a data set: from Kaggle, from figshare, or out of a zip file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fracture import demo
from fracture.app.shared import state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.job_status import kaggle_credentials
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, left_out, show_errors
from fracture.errors import FetchError, FractureError
from fracture.formatting import format_bytes
from fracture.importers import fracatlas, job, kaggle, zip_file
from fracture.importers.download import Progress
from fracture.importers.job import Order, find_import, share
from fracture.importers.kaggle_credentials import TOKENS, Credentials
from fracture.paths import typed_path
from fracture.registry.model_folder import free_name

TERMS = "https://stanfordmlgroup.github.io/competitions/mura/"
FRACATLAS_IMAGES = 4083
MAX_UPLOAD_MB = 500
"""Of a zip that is sent through the browser and held in memory; larger ones are given by their path."""


def offer_import() -> None:
    """A button that opens the form of :func:`import_form` as a dialog."""
    st.button("Import", icon=":material/download:", key="import dialog", on_click=open_dialog, args=("import",))
    if is_open("import"):
        _show_dialog()


@st.dialog("Import a data set", width="medium", on_dismiss=close_dialog)
def _show_dialog() -> None:
    if import_form():
        close_dialog()
        st.rerun()


def import_form() -> bool:
    """The settings of an import, and the button that starts it and selects the new data set.

    Returns:
        Whether the button was just pressed, and the import has started.
    """
    if demo.is_public():
        _fracatlas_form()
        left_out("kaggle", "zip")
    else:
        names = ["MURA from Kaggle", "FracAtlas from figshare", "Zip file"]
        mura_tab, fracatlas_tab, zip_tab = st.tabs(names, key="import source")
        with mura_tab:
            _mura_form()
        with fracatlas_tab:
            _fracatlas_form()
        with zip_tab:
            _zip_form()
    if failed := state.failure("import").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    return state.started("import").pop()


def _mura_form() -> None:
    st.markdown(
        f"One body part of **MURA v1.1**. [MURA's terms]({TERMS}) allow research and forbid sharing the images."
    )
    parts = [*kaggle.IMAGES_OF_BODY_PART, "all"]
    part = st.selectbox("Body part", parts, parts.index(kaggle.BODY_PART), key="kaggle part", persist_state="session")
    files, size = kaggle.expected(kaggle.order(body_part=part))
    st.caption(f"{files:,} images, about {format_bytes(size)}")
    # A form also sends the text of a field that still has the focus when the button is pressed.
    with st.form("kaggle", border=False):
        with st.expander("Kaggle account", icon=":material/key:", key="kaggle account"):
            _account_fields()
        st.form_submit_button(
            "Import MURA", type="primary", key="import mura", icon=":material/download:", on_click=_start_mura
        )


def _account_fields() -> None:
    st.caption(
        f"Create a token at {TOKENS}. The app keeps it in memory for this visit and writes it nowhere; without one it "
        "uses its secrets, the environment or Kaggle's own files."
    )
    st.text_input("API token", type="password", key="kaggle token", autocomplete="off")
    left, right = st.columns(2)
    left.text_input("or user name", key="kaggle user", autocomplete="off")
    right.text_input("and key", type="password", key="kaggle key", autocomplete="off")
    st.text_input("Kaggle data set", kaggle.DATASET, key="kaggle dataset", persist_state="session")


def _start_mura() -> None:
    """Read the widgets in the callback: the text typed last comes together with the click."""

    def start() -> Path:
        typed = st.session_state
        state.KAGGLE_CREDENTIALS.set(Credentials(typed["kaggle token"], typed["kaggle user"], typed["kaggle key"]))
        order = kaggle.order(typed["kaggle dataset"], typed["kaggle part"])
        return _start_or_share(kaggle.default_folder(order), order, kaggle_credentials().variables())

    _start_and_select(start)


def _fracatlas_form() -> None:
    st.markdown(
        "**FracAtlas**: fractured and healthy hands, legs, hips and shoulders, with boxes. CC BY 4.0; no account "
        "needed."
    )
    everything = False
    most = FRACATLAS_IMAGES
    if demo.is_public():
        most = demo.LIMITS.max_imported_images
    else:
        label = f"All {FRACATLAS_IMAGES:,} images (323 MB)"
        everything = st.toggle(label, key="all of fracatlas", persist_state="session")
    left, right = st.columns(2)
    left.number_input(
        "Images",
        fracatlas.MIN_IMAGES,
        most,
        200,
        50,
        key="fracatlas images",
        persist_state="session",
        disabled=everything,
    )
    right.number_input(
        "Seed",
        0,
        fracatlas.MAX_SEED,
        1,
        key="fracatlas seed",
        persist_state="session",
        disabled=everything,
        help="The same seed selects the same images.",
    )
    st.button(
        "Import FracAtlas",
        type="primary",
        key="import fracatlas",
        icon=":material/download:",
        on_click=_start_fracatlas,
    )


def _start_fracatlas() -> None:
    def start() -> Path:
        images = int(st.session_state["fracatlas images"])
        seed = int(st.session_state["fracatlas seed"])
        if st.session_state.get("all of fracatlas"):
            images = 0  # which stands for all
        order = fracatlas.order(images, seed)
        return _start_or_share(fracatlas.default_folder(order), order, {})

    _start_and_select(start)


def _start_or_share(root: Path, order: Order, variables: Mapping[str, str]) -> Path:
    """Start the import unless it is there already: visitors who press the same button share one data set."""
    found = find_import(root)
    if found is None or found.state == "interrupted" or found.order != order:
        job.start(root, order, variables, policy())
    return root


def _start_and_select(start: Callable[[], Path]) -> None:
    """Start an import in a button's callback, which can show nothing, and select its data set."""
    try:
        root = start()
    except FractureError as error:
        state.failure("import").set(str(error))
        return
    state.select_new_data(str(root))
    state.started("import").set(True)


def _zip_form() -> None:
    st.markdown(
        "A zip file with a **MURA** tree, with **class folders** such as `negative` and `positive`, or with a "
        "**`dataset.csv`** beside `images/`."
    )
    unpacked = state.ZIPS_UNPACKED.get()
    path = st.text_input(
        "Path of a zip file on this machine",
        placeholder="/home/me/MURA.zip",
        key=f"zip path {unpacked}",
        persist_state="session",
    )
    upload = st.file_uploader(
        f"or a zip file of at most {MAX_UPLOAD_MB} MB",
        "zip",
        key=f"zip upload {unpacked}",
        max_upload_size=MAX_UPLOAD_MB,
    )
    part = st.selectbox(
        "Body part",
        ["all", *kaggle.IMAGES_OF_BODY_PART],
        key="zip part",
        persist_state="session",
        help="Only for a MURA tree.",
    )
    progress = st.container()  # above the button: below it, it may be out of sight
    if st.button("Unpack", type="primary", icon=":material/unarchive:", disabled=not (path or upload), key="unpack"):
        with progress, show_errors():
            root = _unpack(path.strip(), upload, None if part == "all" else str(part))
            state.NEW_DATA.set(str(root))
            state.ZIPS_UNPACKED.set(unpacked + 1)
            st.rerun()


def _unpack(path: str, upload: Any, only: str | None) -> Path:
    """Unpack into a new folder that is named after the zip, and return the folder."""
    if path and upload:
        raise FetchError("Only one zip file can be unpacked at a time. Received: a path and an upload; remove one.")
    root = zip_file.default_folder(upload.name if upload else path)
    if root.exists():
        root = root.with_name(free_name(root.name, root.parent))
    bar = st.progress(0.0, text="Unpacking")

    def on_progress(progress: Progress) -> None:
        bar.progress(share(progress), text="Unpacking")

    try:
        zip_file.unpack(upload or _parse_path(path), root, only, on_progress=on_progress)
    finally:
        bar.empty()
    return root


def _parse_path(path: str) -> Path:
    try:
        return typed_path(path)
    except ValueError as error:
        raise FetchError(f"The path must be that of a zip file. {error}") from error
