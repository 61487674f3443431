"""All trainings and models at a glance; those that are picked side by side, with notes, names and files."""

import streamlit as st

from fracture import charts
from fracture.app.runs.actions import show_keeping
from fracture.app.runs.significance import show_worth
from fracture.app.runs.table import show_curves, show_differences, show_table
from fracture.app.shared.widgets import ensure_routed, escape_markdown, no_model_hint, show_errors
from fracture.inference.classifier import NOTICE
from fracture.training.runs import queue
from fracture.training.runs.compare import every_run


def pick(known: dict[str, queue.Run]) -> list[queue.Run]:
    """The trainings to look at; the address names them, so that a link shows the same again."""
    asked = st.query_params.get_all("runs")
    if renamed := st.session_state.pop("renamed", None):
        st.session_state["runs"] = [renamed.get(name, name) for name in st.session_state.get("runs", [])]
    elif gone := [escape_markdown(name) for name in asked if name not in known]:
        st.warning(f"Not here any more, or under another name: {', '.join(gone)}.", icon=":material/delete:")
    names = st.multiselect(
        "Compare",
        list(known),
        placeholder="Choose one or more",
        max_selections=len(charts.SEVERAL),
        key="runs",
        bind="query-params",
        help="The first one chosen is what the others are held against.",
    )
    return [known[name] for name in names]


def compare(runs: list[queue.Run]) -> None:
    """From what they were given to how they learned and what came of it."""
    if len(runs) > 1:
        st.header("What differs")
        show_differences(runs)
    st.header("How they learned" if len(runs) > 1 else "How it learned")
    show_curves(runs)
    if len(runs) > 1:
        st.header("How good they are")
        show_worth(runs)


def keep(runs: list[queue.Run]) -> None:
    """Notes, names and files, a tab each."""
    st.header("Notes and files")
    for tab, run in zip(st.tabs([escape_markdown(run.name) for run in runs]), runs, strict=True):
        with tab:
            show_keeping(run)


ensure_routed("runs")
st.title("Runs")
known: dict[str, queue.Run] = {}
with show_errors():
    queue.advance()  # those that wait, where the one before them was killed
    known = {run.name: run for run in every_run()}
if not known:
    no_model_hint()
    st.stop()
show_table(list(known.values()))
picked = pick(known)
# In places of their own, so that a note that is being typed stays where it is when the rest grows.
compared, kept = st.container(), st.container()
if picked:
    with compared, show_errors():
        compare(picked)
    with kept, show_errors():
        keep(picked)
else:
    st.caption("Choose one to write a note about it or to rename it, two or more to compare them.")
st.caption(NOTICE)
