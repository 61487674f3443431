"""The playground: a head on frozen features trains at each change of a setting."""

import streamlit as st

from fracture.app.experiments.playground import play
from fracture.app.experiments.search import show_learning_curve, show_search
from fracture.app.shared.features.material import Material, choose_material, with_bench
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.experiments.workbench import Bench


def explore(material: Material, bench: Bench) -> None:
    """From one head to many."""
    play(material, bench)
    show_learning_curve(material, bench)
    show_search(material, bench)


ensure_routed("playground")
with page_head("Playground"):
    chosen = choose_material()
st.caption("Change a setting and watch the head train in a fraction of a second; faint lines are earlier trials.")
with_bench(chosen, explore)
