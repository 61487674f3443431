"""Look at a data set: its content, its problems, its patients and views; decide about images, and export."""

from pathlib import Path

import streamlit as st

from fracture.app.dataset import import_dialog, phantom_dialog
from fracture.app.dataset.checks import show_checks
from fracture.app.dataset.columns import show_columns
from fracture.app.dataset.decisions import describe_decisions
from fracture.app.dataset.export import show_decisions, show_export
from fracture.app.dataset.folder_dialog import offer_folder_dialog
from fracture.app.dataset.gallery import show_gallery
from fracture.app.dataset.labels import confirm_labels, show_labels
from fracture.app.dataset.patients import show_patients
from fracture.app.dataset.question import dataset_or_question
from fracture.app.shared import dataset_cache, job_status
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import (
    ensure_routed,
    no_dataset_hint,
    page_head,
    show_chart,
    show_errors,
    show_retention,
)
from fracture.data.catalog import rows_after_decisions
from fracture.data.dataset import Dataset


def show_overview(data: Dataset) -> None:
    """Counts and charts of the images that a model would be trained on."""
    catalog = dataset_cache.catalog(data)
    table = rows_after_decisions(catalog)
    if table.empty:
        st.info(f"All {len(catalog):,} images are excluded.", icon=":material/block:")
        return
    positive = data.label_names[1].capitalize()
    with st.container(horizontal=True):
        st.metric("Images", f"{len(table):,}", border=True, width=160)
        st.metric("Studies", f"{table['study'].nunique():,}", border=True, width=160)
        st.metric("Patients or groups", f"{table['group'].nunique():,}", border=True, width=160)
        st.metric(positive, f"{table['label'].mean():.1%}", border=True, width=160)
    # The container is there without words, too: what follows stays where it is, and keeps the focus.
    with st.container():
        if description := describe_decisions(catalog, table):
            st.caption(f":material/gavel: {description}")
    charts = dataset_cache.cached_overview(data)
    for tab, (name, chart) in zip(st.tabs(list(charts), key="charts"), charts.items(), strict=True):
        with tab:
            show_chart(chart.figure, f"chart of {name}", chart.alt)


ensure_routed("data")
with page_head("Data"):
    root = choose_dataset()
if root:
    with st.container(horizontal=True):
        import_dialog.offer_import()
        phantom_dialog.offer_phantoms()
        offer_folder_dialog(root)
if not root:
    no_dataset_hint()
    with st.container(border=True):
        phantom_dialog.phantom_form()
    with st.container(border=True):
        import_dialog.import_form()
    st.stop()
show_retention(Path(root))
job = job_status.follow_job(root, browsing=True)
if not job_status.images_ready(job):
    st.stop()
with show_errors():
    if data := dataset_or_question(root, job_status.version(job)):
        confirm_labels(data)
        show_overview(data)
        show_columns(data)
        show_labels(data)
        show_patients(data)
        show_checks(data, complete=not (job and job.active))
        st.header("Images")
        show_gallery(data)
        show_decisions(data)
        show_export(data)
st.button(
    "Reload folder",
    icon=":material/refresh:",
    type="tertiary",
    key="reload folder",
    on_click=dataset_cache.forget_datasets,
    help="Reads the folder again, for example after files were added.",
)
