"""Bring a data set here: from Kaggle, from figshare, out of a zip; and follow an import as it goes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from fracture import demo
from fracture.app.shared import state
from fracture.app.shared.dialogs import any_open, close_dialog, is_open, open_dialog
from fracture.app.shared.state import visitor
from fracture.app.shared.widgets import duration, escape_markdown, left_out, may_change, show_errors
from fracture.errors import FetchError, FractureError
from fracture.formatting import format_bytes
from fracture.importers import fracatlas, job, kaggle, zip_file
from fracture.importers.download import Progress
from fracture.importers.job import Import, Order, find_import
from fracture.importers.kaggle_credentials import TOKENS, Credentials, from_secrets
from fracture.paths import typed_path
from fracture.registry.model_folder import free_name

TERMS = "https://stanfordmlgroup.github.io/competitions/mura/"
LARGEST_UPLOAD = 500
"""MB of a zip that is sent through the browser and held in memory; larger ones are given by their path."""


def offer_import() -> None:
    """A button behind which the three ways to a data set are."""
    st.button("Import", icon=":material/download:", key="import dialog", on_click=open_dialog, args=("import",))
    if is_open("import"):
        _import()


@st.dialog("Import a data set", width="medium", on_dismiss=close_dialog)
def _import() -> None:
    if import_form():
        close_dialog()
        st.rerun()


def import_form() -> bool:
    """What to import, and the button that starts it and chooses the new data set; whether that was just done."""
    if demo.on():
        _fracatlas_form()
        left_out("kaggle", "zip")
    else:
        mura, atlas, own = st.tabs(
            ["MURA from Kaggle", "FracAtlas, no account", "A zip of my own"], key="import source"
        )
        with mura:
            _mura_form()
        with atlas:
            _fracatlas_form()
        with own:
            _zip_form()
    if failed := state.failure("import").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    return state.started("import").pop()


def _mura_form() -> None:
    st.markdown(
        f"One body part of **MURA v1.1**, file by file. [MURA's own terms]({TERMS}) apply: for research, not to be "
        "passed on."
    )
    parts = [*kaggle.IMAGES, "all"]
    part = st.selectbox("Body part", parts, parts.index(kaggle.BODY_PART), key="kaggle part", persist_state="session")
    files, size = kaggle.expected(kaggle.order(body_part=part))
    with st.form("kaggle", border=False):  # which hands over what is typed in whatever way the field was left
        with st.expander("Who you are at Kaggle, and which data set", icon=":material/key:", key="kaggle account"):
            st.caption(
                f"A token is made at {TOKENS}. It is kept for this visit alone, in memory, and written nowhere. "
                "Left empty, the secrets of this app, the environment and Kaggle's own files are looked through."
            )
            st.text_input("API token", type="password", key="kaggle token", autocomplete="off")
            left, right = st.columns(2)
            left.text_input("or user name", key="kaggle user", autocomplete="off")
            right.text_input("and key", type="password", key="kaggle key", autocomplete="off")
            st.text_input("Data set at Kaggle", kaggle.DATASET, key="kaggle dataset", persist_state="session")
        st.form_submit_button(
            f"Import {files:,} images, about {format_bytes(size)}", type="primary", key="import mura",
            icon=":material/download:", on_click=_start_mura,
        )  # fmt: skip


def _start_mura() -> None:
    """What was typed last comes together with the click: it is asked for here, not where the button was drawn."""

    def begin() -> Path:
        typed = st.session_state
        state.KAGGLE_CREDENTIALS.set(Credentials(typed["kaggle token"], typed["kaggle user"], typed["kaggle key"]))
        wanted = kaggle.order(typed["kaggle dataset"], typed["kaggle part"])
        return _begin(kaggle.default_folder(wanted), wanted, _credentials().variables())

    _choose(begin)


def _credentials() -> Credentials:
    """What was typed during this visit, or else what the app's secrets say."""
    if typed := state.KAGGLE_CREDENTIALS.get():
        return Credentials(typed.token, typed.username, typed.key)
    with suppress(StreamlitSecretNotFoundError):  # asking raises where there is no file of them
        return from_secrets(st.secrets)
    return Credentials()


def _fracatlas_form() -> None:
    st.markdown(
        "**FracAtlas**: hands, legs, hips and shoulders, fractured or not, with boxes. 4,083 images; CC BY 4.0: "
        "free to use with its authors named."
    )
    everything = not demo.on() and st.toggle("All of it (323 MB)", key="all of fracatlas", persist_state="session")
    most = demo.LIMITS.imported if demo.on() else 4083
    left, right = st.columns(2)
    images = left.number_input(
        "Images", fracatlas.LEAST, most, 200, 50, key="fracatlas images", persist_state="session", disabled=everything
    )
    right.number_input(
        "Seed", 0, fracatlas.MOST_SEED, 1, key="fracatlas seed", persist_state="session", disabled=everything
    )
    st.button(
        "Import FracAtlas" if everything else f"Import {images:,} images", type="primary", key="import fracatlas",
        icon=":material/download:", on_click=_start_fracatlas,
    )  # fmt: skip


def _start_fracatlas() -> None:
    def begin() -> Path:
        images, seed = (int(st.session_state[f"fracatlas {name}"]) for name in ("images", "seed"))
        wanted = fracatlas.order(0 if st.session_state.get("all of fracatlas") else images, seed)
        return _begin(fracatlas.default_folder(wanted), wanted, {})

    _choose(begin)


def _begin(root: Path, wanted: Order, variables: Mapping[str, str]) -> Path:
    """Start it, or choose what is there: two who press the same button share one data set."""
    there = find_import(root)
    if there is None or there.state == "interrupted" or there.order != wanted:
        job.start(root, wanted, variables, visitor())
    return root


def _choose(begin: Callable[[], Path]) -> None:
    """Begin an import in a button's call, which can show nothing, and choose its data set."""
    try:
        root = begin()
    except FractureError as error:
        state.failure("import").set(str(error))
        return
    state.DATA.set(str(root))
    state.started("import").set(True)


def _zip_form() -> None:
    st.markdown(
        "A zip with a **MURA** tree (all or a part of it), with **class folders** such as `negative` and `positive`, "
        "or with a **`dataset.csv`** beside `images/`."
    )
    unpacked = state.ZIPS_UNPACKED.get()  # after each, the form is empty again
    path = st.text_input(
        "Path of a zip on this machine", placeholder="/home/me/MURA.zip", key=f"zip path {unpacked}",
        persist_state="session",
    )  # fmt: skip
    upload = st.file_uploader(
        f"or a zip of at most {LARGEST_UPLOAD} MB", "zip", key=f"zip upload {unpacked}", max_upload_size=LARGEST_UPLOAD
    )
    part = st.selectbox(
        "Body part", ["all", *kaggle.IMAGES], key="zip part", persist_state="session", help="Of a MURA tree."
    )
    said = st.container()  # above the button: what comes below it may be out of sight
    if st.button("Unpack", type="primary", icon=":material/unarchive:", disabled=not (path or upload), key="unpack"):
        with said, show_errors():
            root = _unpack(path.strip(), upload, None if part == "all" else str(part))
            state.NEW_DATA.set(str(root))
            state.ZIPS_UNPACKED.set(unpacked + 1)
            st.rerun()


def _unpack(path: str, upload: Any, only: str | None) -> Path:
    """Into a folder of the zip's name, or of a free one like it; which one that was."""
    if path and upload:
        raise FetchError("One zip at a time: a path was typed, and a file is uploaded. Take one of them away.")
    root = zip_file.default_folder(upload.name if upload else path)
    if root.exists():
        root = root.with_name(free_name(root.name, root.parent))
    bar = st.progress(0.0, text="Unpacking")

    def say(progress: Progress) -> None:
        bar.progress(share(progress), text="Unpacking")

    try:
        zip_file.unpack(upload or _typed(path), root, only, say=say)
    finally:
        bar.empty()
    return root


def _typed(path: str) -> Path:
    try:
        return typed_path(path)
    except ValueError as error:
        raise FetchError(f"A zip is a file. {error}") from error


def follow_import(root: str) -> Import | None:
    """Say how the import into a folder stands, live while it is at work, and return it; None for other data sets."""
    with suppress(ValueError):  # no path at all: reading the data set will say so
        found = find_import(typed_path(root))
        if found is not None and found.state != "complete":
            st.fragment(_live, run_every=1.0 if found.active else None)(found)
        return found
    return None


def version(found: Import | None) -> str:
    """What the caches of a data set go by: what an import has brought since is read anew."""
    return "" if found is None else f"{found.state} {found.progress.files}"


def _live(before: Import) -> None:
    found = find_import(before.root)
    if found is None or (found.state != before.state and not any_open()):
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if found.active:
            _steer(found)
        elif found.state == "complete":  # the page runs again when the dialog before it closes
            st.markdown(":material/check: All of it is here.")
        else:
            _offer_to_go_on(found)


def _steer(found: Import) -> None:
    st.progress(share(found.progress), text=progress_words(found.progress))
    if not may_change(found.root):
        return
    asked = job.stop_request(found.root).exists()
    if st.button("Stopping …" if asked else "Stop", icon=":material/stop:", disabled=asked, key="stop import"):
        job.request_stop(found.root, visitor())
        st.rerun(scope="fragment")


def progress_words(progress: Progress) -> str:
    """How far an import at work is, or what it waits for: ``30 of 200 files, 3 MB, about 8 s left``."""
    left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
    of = "" if progress.total_files is None else f" of {progress.total_files:,}"
    return escape_markdown(progress.note or f"{progress.files:,}{of} files, {format_bytes(progress.bytes)}{left}")


def share(progress: Progress) -> float:
    """How much of an import is here, 0 to 1; 0 where that cannot be told."""
    return min(progress.files / progress.total_files, 1.0) if progress.total_files else 0.0


def _offer_to_go_on(found: Import) -> None:
    done, total = found.progress.files, found.progress.total_files
    of = f" of {total:,}" if total else ""
    why = f" {escape_markdown(found.error)}" if found.error else ""
    st.markdown(f":material/pause: {done:,}{of} files are here; the import ended before its time.{why}")
    if st.button("Go on", icon=":material/play_arrow:", key="go on importing"):
        with show_errors():
            job.start(found.root, found.order, _credentials().variables(), visitor())
            st.rerun()
