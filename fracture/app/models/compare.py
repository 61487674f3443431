"""A model beside others."""

import streamlit as st

from fracture import charts
from fracture.app.shared.comparison import show_sides, side_of
from fracture.app.shared.widgets import show_errors
from fracture.registry.model_folder import ModelFolder, usable_models
from fracture.registry.validation import Judged

MOST = len(charts.SEVERAL) - 1
"""How many others fit beside a model, each with a colour of its own."""


@st.fragment
@show_errors()  # within: what a fragment raises does not reach its caller
def show_comparison(folder: ModelFolder, judged: Judged, level: str) -> None:
    """A picker for the others; then the table, a word of warning where it is due, and both curves."""
    st.header("Beside other models")
    others = {other.name: other for other in usable_models() if other.name != folder.name}
    if not others:
        st.caption("There is no other model yet to compare it with.")
        return
    names = st.multiselect(
        "Compare with", list(others), placeholder="Choose one or more", max_selections=MOST, key="compared models"
    )
    sides = [side for name in [folder.name, *names] if (side := side_of(others.get(name, folder), judged.data))]
    if len(sides) > 1:
        show_sides(sides, level if all(level in side.judged.metrics for side in sides) else "image")
