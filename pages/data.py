"""Look at a data set: its images, its statistics, its problems; decide about images, and export."""

from pathlib import Path

import streamlit as st

from fracture.app.dataset import import_dialog, phantom_dialog
from fracture.app.dataset.browse.gallery import show_gallery
from fracture.app.dataset.checks import analyze_few, show_checks
from fracture.app.dataset.columns import show_columns
from fracture.app.dataset.export import show_decisions, show_export
from fracture.app.dataset.folder_dialog import offer_folder_dialog
from fracture.app.dataset.labels import confirm_labels, show_labels
from fracture.app.dataset.patients import show_patients
from fracture.app.dataset.question import dataset_or_question
from fracture.app.dataset.statistics import describe_counts, show_statistics
from fracture.app.shared import dataset_cache, job_status, state
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import describe_layouts, ensure_routed, head_columns, show_errors, show_retention
from fracture.data.dataset import Dataset

TABS = ("Images", "Statistics", "Checks", "Decisions and export")


def show_tabs(data: Dataset, job: job_status.Job | None) -> None:
    """The parts of the page; only the open one is computed."""
    complete = not (job and job.active)
    images, statistics, checks, decisions = st.tabs(TABS, key=state.DATASET_TAB.key, on_change="rerun")
    with images:
        if images.open:
            show_gallery(data)
    with statistics:
        if statistics.open:
            show_statistics(data, job_status.origin(job))
    with checks:
        if checks.open:
            show_checks(data, complete)
    with decisions:
        if decisions.open:
            show_changes(data)
    if complete:
        analyze_few(data)


def show_changes(data: Dataset) -> None:
    """Decisions and export side by side; below them how the folder was read."""
    left, right = st.columns(2)
    with left:
        show_decisions(data)
    with right:
        show_export(data)
    show_labels(data)
    show_columns(data)
    show_patients(data)


def show_first_steps() -> None:
    """The two ways to a first data set side by side, both on the first screen."""
    st.markdown("No data set selected: generate phantoms, or import X-rays.")
    left, right = st.columns(2, border=True)
    with left:
        phantom_dialog.phantom_form()
    with right:
        import_dialog.import_form()
    describe_layouts()


ensure_routed("data")
left, right = head_columns()
with right, st.container(horizontal=True, vertical_alignment="bottom"):
    root = choose_dataset()
    if root:
        offer_folder_dialog(root)
with left, st.container(horizontal=True, vertical_alignment="center", key="dataset header"):
    st.title("Data", width="content")
    if root:
        counts = st.skeleton(24, width=280)
        import_dialog.offer_import()
        phantom_dialog.offer_phantoms()
if not root:
    show_first_steps()
    st.stop()
show_retention(Path(root))
job = job_status.follow_job(root, browsing=True)
if not job_status.images_ready(job):
    counts.empty()
    st.stop()
counted = False
with show_errors():
    if data := dataset_or_question(root, job_status.version(job)):
        counts.markdown(describe_counts(data), width="content")
        counted = True
        confirm_labels(data)
        show_tabs(data, job)
if not counted:
    counts.empty()
st.button(
    "Reload folder",
    icon=":material/refresh:",
    type="tertiary",
    key="reload folder",
    on_click=dataset_cache.forget_datasets,
    help="Reads the folder again, for example after files were added.",
)
