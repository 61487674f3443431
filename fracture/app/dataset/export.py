"""What was decided, to be passed on: as decisions, as class folders, as a zip of them."""

from pathlib import Path

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown, expander, left_out, show_errors
from fracture.data import decisions
from fracture.data.dataset import Dataset
from fracture.data.decisions import apply_decisions
from fracture.data.export import write_prep, zip_prep
from fracture.errors import DatasetError
from fracture.paths import typed_path
from fracture.registry.model_folder import free_name

WAYS = {"Copies": "copy", "Hard links (take no room)": "link", "One zip": "zip"}


def show_decisions(data: Dataset) -> None:
    """All decisions as a table and a file, and the way to add a colleague's."""
    with show_errors():
        made = decisions.read_decisions(data.root)
        with expander(f"Decisions: {len(made):,}", "decisions made", ":material/gavel:"):
            st.caption(
                f"They lie in `{decisions.FILE}` beside the data, and are heeded by training, evaluation and export; "
                "the images stay what they are. Of several about one image, the last one counts."
            )
            if strange := int((~made["image_id"].isin(data.table["image_id"])).sum()):
                st.caption(f":material/help: {strange:,} of them are about images that are not in this data set.")
            if len(made):
                st.dataframe(made.iloc[::-1], hide_index=True, height=240, key="decisions")
                text = made.to_csv(index=False)
                st.download_button(
                    "Download them", text, decisions.FILE, "text/csv", icon=":material/download:",
                    key="download decisions",
                )  # fmt: skip
            if demo.on():
                return
            other = st.file_uploader("Add a colleague's", "csv", max_upload_size=20, key="decisions to merge")
            if other and st.button("Add", key="merge decisions", icon=":material/merge:"):
                new = decisions.merge(data.root, other)
                st.toast(f"New decisions: {new:,}.", icon=":material/check:")
                st.rerun()


def show_export(data: Dataset) -> None:
    """Where to, how, and the button that does it."""
    if left_out("decisions", "export"):
        return
    with st.expander(
        "Export as `{train,valid}/{negative,positive}`", icon=":material/drive_file_move:", key="export settings"
    ):
        st.caption("Without what was excluded, and with labels as they were decided.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = WAYS[st.selectbox("As", list(WAYS), width=240, key="export format")]
            target = _target(data, ".zip" if way == "zip" else "")
            wanted = st.button("Export", icon=":material/drive_file_move:", key="export")
        if wanted:
            with show_errors():
                _export(data, _typed(target, way), way)


def _target(data: Dataset, ending: str) -> str:
    """Where to: a free name is proposed as long as nobody has typed another."""
    key = f"export to {data.root}"
    proposed = state.proposed_export(data.root)
    if st.session_state.get(key) == proposed.get():
        proposed.set(str(paths.data_home() / free_name(f"{data.name}-prep", paths.data_home(), ending)))
        st.session_state[key] = proposed.get()
    return st.text_input("To", key=key, persist_state="session")


def _export(data: Dataset, target: Path, way: str) -> None:
    curated, bar = apply_decisions(data), st.progress(0.0)

    def say(done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            bar.progress(done / total, text=f"{done:,} of {total:,} images")

    zip_prep(curated, target, say) if way == "zip" else write_prep(curated, target, way, say)
    bar.empty()
    st.success(f"{len(curated.table):,} images are in {escape_markdown(str(target))}.", icon=":material/check:")


def _typed(target: str, way: str) -> Path:
    """The path that was typed, in the data folder where it does not say where; that of a zip ends like one."""
    if not target.strip():
        raise DatasetError("An export goes to a new folder or a new zip. Received: no name.")
    ending = ".zip" if way == "zip" and not target.strip().lower().endswith(".zip") else ""
    try:
        return typed_path(str(paths.data_home() / Path(target.strip()).expanduser()) + ending)
    except (ValueError, RuntimeError) as error:
        raise DatasetError(f"An export goes to a folder or a zip. {error}") from error
