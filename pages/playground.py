"""The playground: a head on frozen features trains at each change of a setting."""

import streamlit as st

from fracture.app.experiments.material import choose_bench, with_bench
from fracture.app.experiments.playground import play
from fracture.app.experiments.search import show_learning_curve, show_search
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run


def explore(run: Run, bench: Bench) -> None:
    """From one head to many."""
    play(run, bench)
    show_learning_curve(run, bench)
    show_search(run, bench)


ensure_routed("playground")
with page_head("Playground"):
    chosen = choose_bench()
st.caption(
    "Change a setting and watch the head train: the features of the frozen backbone are cached, so that it takes a "
    "fraction of a second. Faint lines are earlier trials."
)
with_bench(chosen, explore)
