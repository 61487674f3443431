"""What was decided, to be passed on: as decisions, as class folders, as a zip of them."""

from pathlib import Path

import streamlit as st

from fracture import home
from fracture.app.widgets import as_text, errors_in_words
from fracture.classify.store import free_name
from fracture.data import curation
from fracture.data.curation import curate
from fracture.data.dataset import Dataset
from fracture.data.prep import write_prep, zip_prep
from fracture.errors import DatasetError
from fracture.home import typed_path

WAYS = {"Copies": "copy", "Hard links (take no room)": "link", "One zip": "zip"}


def show_decisions(data: Dataset) -> None:
    """All decisions as a table and a file, and the way to add a colleague's."""
    with errors_in_words():
        made = curation.read_decisions(data.root)
        with st.expander(f"Decisions: {len(made):,}", icon=":material/gavel:"):
            st.caption(
                f"They lie in `{curation.FILE}` beside the data, and are heeded by training, evaluation and export; "
                "the images stay what they are. Of several about one image, the last one counts."
            )
            if len(made):
                st.dataframe(made.iloc[::-1], hide_index=True, height=240, key="decisions")
                text = made.to_csv(index=False)
                st.download_button("Download them", text, curation.FILE, "text/csv", icon=":material/download:")
            other = st.file_uploader("Add a colleague's", "csv", max_upload_size=20, key="colleague")
            if other and st.button("Add", key="add colleague", icon=":material/merge:"):
                new = curation.merge(data.root, other)
                st.toast(f"{new:,} decisions were new.", icon=":material/check:")
                st.rerun()


def show_export(data: Dataset) -> None:
    """Where to, how, and the button that does it."""
    with st.expander("Export as `{train,valid}/{negative,positive}`", icon=":material/drive_file_move:"):
        st.caption("Without what was excluded, and with labels as they were decided.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = WAYS[st.selectbox("As", list(WAYS), width=240, key="export way")]
            name = free_name(f"{data.name}-prep", home.data_home(), ".zip" if way == "zip" else "")
            target = st.text_input("To", str(home.data_home() / name), key=f"export to {name}")
            if st.button("Export", icon=":material/drive_file_move:", key="export"):
                with errors_in_words():
                    _export(data, _typed(target), way)


def _export(data: Dataset, target: Path, way: str) -> None:
    curated, bar = curate(data), st.progress(0.0)

    def say(done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            bar.progress(done / total, text=f"{done:,} of {total:,} images")

    zip_prep(curated, target, say) if way == "zip" else write_prep(curated, target, way, say)
    bar.empty()
    st.success(f"{len(curated.table):,} images are in {as_text(str(target))}.", icon=":material/check:")


def _typed(target: str) -> Path:
    try:
        return typed_path(target)
    except ValueError as error:
        raise DatasetError(f"An export goes to a folder or a zip. {error}") from error
