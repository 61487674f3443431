"""The patient in the names of files: a pattern with a live preview."""

from pathlib import Path

import streamlit as st

from fracture import demo
from fracture.app.shared import dataset_cache, state
from fracture.app.shared.widgets import escape_markdown, expander, show_errors
from fracture.data.checks.table import groups_unknown
from fracture.data.dataset import Dataset
from fracture.data.labels.labels_file import read_labels
from fracture.data.labels.patients import MAX_PATTERN_CHARACTERS, find_patients
from fracture.data.labels.store import choose_patients, undo_patients
from fracture.errors import FractureError

PREVIEWED = 5
"""Images in the preview."""


def show_patients(data: Dataset) -> None:
    """Where no patient is known, a pattern for the names of files, with a preview of whom it finds."""
    if demo.is_public() or not (groups_unknown(data.table) or data.patient_pattern):
        return
    with expander("Patients", "patients", ":material/person_search:"):
        key = f"patient pattern of {data.root}"
        pattern = st.text_input(
            "Pattern",
            data.patient_pattern,
            placeholder="{patient}_*",
            key=key,
            max_chars=MAX_PATTERN_CHARACTERS,
            help="A template for file names without their ending, also with folders; * stands for anything.",
        )
        if pattern:
            with show_errors():
                _preview(data, pattern)
        with st.container(horizontal=True):
            st.button(
                "Save patients",
                type="primary",
                icon=":material/save:",
                key="save patients",
                disabled=not pattern,
                on_click=_save,
                args=(data.root, key),
            )
            if patterns := read_labels(data.root).patient_patterns:
                undone = (data.root, patterns[-1].time)
                st.button("Undo patients", icon=":material/undo:", key="undo patients", on_click=_undo, args=undone)
    if failed := state.failure("patients").pop():
        st.error(escape_markdown(failed), icon=":material/error:")


def _preview(data: Dataset, pattern: str) -> None:
    """How many patients a pattern finds, and whom in the first images. Raises DatasetError for no pattern."""
    images = data.table["image_id"]
    patients = find_patients(images, pattern)
    found = patients[patients != ""]
    st.markdown(f"{found.nunique():,} patients in {len(found):,} of {len(images):,} images.")
    first = {"Image": images.head(PREVIEWED), "Patient": patients.head(PREVIEWED)}
    st.dataframe(first, hide_index=True, key="preview of patients")


def _save(root: Path, key: str) -> None:
    try:
        choose_patients(root, st.session_state[key])
    except FractureError as error:
        state.failure("patients").set(str(error))
        return
    dataset_cache.forget_datasets()


def _undo(root: Path, time: str) -> None:
    try:
        undo_patients(root, time)
    except FractureError as error:
        state.failure("patients").set(str(error))
        return
    state.forget_folder(root)
    dataset_cache.forget_datasets()
