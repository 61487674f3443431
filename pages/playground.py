"""The place to turn dials: a head on frozen features trains anew with each of them, while one looks."""

import streamlit as st

from fracture.app.experiments.material import on_a_bench
from fracture.app.experiments.playground import play
from fracture.app.experiments.search import show_learning_curve, show_search
from fracture.app.shared.widgets import ensure_routed
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run


def explore(run: Run, bench: Bench) -> None:
    """From one head to many."""
    play(run, bench)
    st.header("Would more patients help?")
    show_learning_curve(run, bench)
    st.header("Search for better choices")
    show_search(run, bench)


ensure_routed("playground")
st.title("Playground")
st.caption(
    "The backbone is frozen and its features are known; what trains is the one unit on top of them. That takes a "
    "fraction of a second, so each dial shows at once what it does. Faint lines are the tries before; the steps "
    "of one dial are one try."
)
on_a_bench(explore)
