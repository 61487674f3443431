"""Look at a data set: what is in it, what is wrong with it, patient by patient and view by view; decide, and export."""

from pathlib import Path

import streamlit as st

from fracture.app.dataset import import_dialog, phantom_dialog
from fracture.app.dataset.checks import show_findings
from fracture.app.dataset.decisions import decisions_in_words
from fracture.app.dataset.export import show_decisions, show_export
from fracture.app.dataset.folder_dialog import offer_folder_dialog
from fracture.app.dataset.gallery import show_gallery
from fracture.app.shared import dataset_cache
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import ensure_routed, how_long_kept, no_dataset_hint, show_chart, show_errors
from fracture.data.catalog import rows_after_decisions
from fracture.data.dataset import Dataset


def overview(data: Dataset, version: str) -> None:
    known = dataset_cache.catalogue(data, version)
    table = rows_after_decisions(known)
    if table.empty:
        st.info(f"All {len(known):,} images are excluded.", icon=":material/block:")
        return
    with st.container(horizontal=True):
        st.metric("Images", f"{len(table):,}", border=True, width=160)
        st.metric("Studies", f"{table['study'].nunique():,}", border=True, width=160)
        st.metric("Patients or groups", f"{table['group'].nunique():,}", border=True, width=160)
        st.metric(data.label_names[1].capitalize(), f"{table['label'].mean():.1%}", border=True, width=160)
    with st.container():  # also where nothing is said: what follows stays where it is, and keeps the focus
        if decided := decisions_in_words(known, table):
            st.caption(f":material/gavel: {decided}")
    drawn = dataset_cache.overview(data, version)
    for tab, (name, chart) in zip(st.tabs(list(drawn), key="charts"), drawn.items(), strict=True):
        with tab:
            show_chart(chart.figure, f"chart of {name}", chart.alt)


ensure_routed("dataset")
st.title("Data set")
with st.container(horizontal=True, vertical_alignment="bottom"):
    root = choose_dataset()
    if root:
        import_dialog.offer_import()
        phantom_dialog.offer_to_draw()
        offer_folder_dialog(root)
if not root:
    no_dataset_hint()
    with st.container(border=True):
        phantom_dialog.draw_form()
    with st.container(border=True):
        import_dialog.import_form()
    st.stop()
how_long_kept(Path(root))
incoming = import_dialog.follow_import(root)
if incoming and incoming.active:
    st.caption("It can be looked at when all of it is here.")
if incoming and (incoming.active or not incoming.progress.files):
    st.stop()
drawing = phantom_dialog.follow(root, browsing=True)
version = phantom_dialog.version(drawing) + import_dialog.version(incoming)
with show_errors():
    if drawing and not drawing.images:
        st.caption("The first images are being drawn.")
        st.stop()
    data = dataset_cache.dataset(root, version)
    overview(data, version)
    show_findings(data, version, complete=not (drawing and drawing.active))
    st.header("Images")
    show_gallery(data, version)
    show_decisions(data)
    show_export(data)
st.button(
    "Read the folder again", icon=":material/refresh:", type="tertiary", key="reread folder",
    on_click=dataset_cache.forget_dataset, args=(root, version),
)  # fmt: skip
