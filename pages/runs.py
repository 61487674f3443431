"""All runs and models: a table, comparisons of chosen runs, and their notes, names and files."""

import streamlit as st

from fracture import charts
from fracture.app.runs.actions import show_actions
from fracture.app.runs.significance import compare_results
from fracture.app.runs.table import show_all_runs, show_curves, show_differences
from fracture.app.shared import state
from fracture.app.shared.widgets import ensure_routed, escape_markdown, no_model_hint, show_errors
from fracture.inference.classifier import NOTICE
from fracture.training.runs import queue
from fracture.training.runs.compare import every_run


def choose_runs(known: dict[str, queue.Run]) -> list[queue.Run]:
    """The runs to look at; the address names them, so that a link shows the same runs."""
    asked = st.query_params.get_all("runs")
    # Renamed before the picker is drawn: afterwards Streamlit refuses to change the value of its key.
    if renamed := state.RENAMED_RUN.pop():
        state.CHOSEN_RUNS.set([renamed.get(name, name) for name in state.CHOSEN_RUNS.get() or []])
    elif gone := [escape_markdown(name) for name in asked if name not in known]:
        st.warning(f"Deleted or renamed: {', '.join(gone)}.", icon=":material/delete:")
    names = st.multiselect(
        "Compare",
        list(known),
        placeholder="Choose one or more",
        max_selections=len(charts.SEVERAL),
        key=state.CHOSEN_RUNS.key,
        bind="query-params",
        help="The first run is the reference for the others.",
    )
    return [known[name] for name in names]


def compare(runs: list[queue.Run]) -> None:
    """Settings, learning curves and results."""
    if len(runs) > 1:
        st.header("Settings")
        show_differences(runs)
    st.header("Training curves")
    show_curves(runs)
    if len(runs) > 1:
        st.header("Validation results")
        compare_results(runs)


def manage(runs: list[queue.Run]) -> None:
    """Notes, names and files, a tab each."""
    st.header("Notes and files")
    for tab, run in zip(st.tabs([escape_markdown(run.name) for run in runs]), runs, strict=True):
        with tab:
            show_actions(run)


ensure_routed("runs")
st.title("Runs")
known: dict[str, queue.Run] = {}
with show_errors():
    queue.advance()  # where the process that should have started the next run was killed
    known = {run.name: run for run in every_run()}
if not known:
    no_model_hint()
    st.stop()
show_all_runs(list(known.values()))
chosen = choose_runs(known)
# Containers of their own, so that the text area of a note stays in place while the comparison above it grows.
compared = st.container()
managed = st.container()
if chosen:
    with compared, show_errors():
        compare(chosen)
    with managed, show_errors():
        manage(chosen)
else:
    st.caption("Choose one run to write a note or rename it, two or more to compare them.")
st.caption(NOTICE)
