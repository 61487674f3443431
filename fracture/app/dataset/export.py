"""Export decisions, or the images after decisions as class folders or a zip file."""

from pathlib import Path

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown, left_out, show_errors
from fracture.data import decisions
from fracture.data.dataset import Dataset
from fracture.data.decisions import apply_decisions
from fracture.data.export import write_prep, zip_prep
from fracture.errors import DatasetError
from fracture.paths import typed_path
from fracture.registry.model_folder import free_name

FORMATS = {"Copies": "copy", "Hard links (no extra space)": "link", "One zip": "zip"}


def show_decisions(data: Dataset) -> None:
    """All decisions as a table and a file, and a form that adds somebody else's."""
    with show_errors():
        made = decisions.read_decisions(data.root)
        with st.container(border=True, key="decisions made"):
            st.header(f"Decisions: {len(made):,}", anchor=False)
            st.markdown(
                f"Decisions are stored in `{decisions.DECISIONS_FILE}` beside the data, and applied in "
                "training, evaluation and "
                "export; the latest about an image wins. The images never change."
            )
            foreign = int((~made["image_id"].isin(data.table["image_id"])).sum())
            if foreign:
                st.caption(f":material/help: {foreign:,} decisions are about images that are not in this data set.")
            if len(made):
                st.dataframe(made.iloc[::-1], hide_index=True, height=240, key="decisions")
                st.download_button(
                    "Download decisions",
                    made.to_csv(index=False),
                    decisions.DECISIONS_FILE,
                    "text/csv",
                    icon=":material/download:",
                    key="download decisions",
                )
            if not demo.is_public():
                _merge_form(data)


def _merge_form(data: Dataset) -> None:
    """Add the decisions in a file of somebody else."""
    other = st.file_uploader("Decisions of somebody else", "csv", max_upload_size=20, key="decisions to merge")
    if other and st.button("Merge decisions", key="merge decisions", icon=":material/merge:"):
        new = decisions.merge(data.root, other)
        st.toast(f"New decisions: {new:,}.", icon=":material/check:")
        st.rerun()


def show_export(data: Dataset) -> None:
    """The format and the target of an export, and the button that starts it."""
    if left_out("decisions", "export"):
        return
    with st.container(border=True, key="export settings"):
        st.header("Export", anchor=False)
        st.markdown("Writes `{train,valid}/{negative,positive}`, without excluded images and with the decided labels.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = FORMATS[st.selectbox("Format", list(FORMATS), width=240, key="export format")]
            target = _choose_target(data, ".zip" if chosen == "zip" else "")
            pressed = st.button("Export", icon=":material/drive_file_move:", key="export")
        if pressed:
            with show_errors():
                _export(data, _parse_target(target, chosen), chosen)


def _choose_target(data: Dataset, ending: str) -> str:
    """The path to export to: the app proposes a free one as long as nobody has typed another."""
    key = f"export to {data.root}"
    proposed = state.proposed_export(data.root)
    # Set before the field is drawn: afterwards Streamlit refuses to change the value of its key.
    if st.session_state.get(key) == proposed.get():
        proposed.set(str(paths.data_home() / free_name(f"{data.name}-prep", paths.data_home(), ending)))
        st.session_state[key] = proposed.get()
    return st.text_input("Target", key=key, persist_state="session")


def _export(data: Dataset, target: Path, chosen: str) -> None:
    curated = apply_decisions(data)
    bar = st.progress(0.0)

    def on_progress(done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            bar.progress(done / total, text=f"{done:,} of {total:,} images")

    if chosen == "zip":
        zip_prep(curated, target, on_progress)
    else:
        write_prep(curated, target, chosen, on_progress)
    bar.empty()
    st.success(f"Exported {len(curated.table):,} images to {escape_markdown(str(target))}.", icon=":material/check:")


def _parse_target(typed: str, chosen: str) -> Path:
    """The typed path; a relative one lies in the data home, and that of a zip file ends in ``.zip``."""
    name = typed.strip()
    if not name:
        raise DatasetError("The target must be a new folder or a new zip file. Received: no name.")
    if chosen == "zip" and not name.lower().endswith(".zip"):
        name += ".zip"
    try:
        return typed_path(str(paths.data_home() / Path(name).expanduser()))
    except (ValueError, RuntimeError) as error:
        raise DatasetError(f"The target must be a folder or a zip file. {error}") from error
