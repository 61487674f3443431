"""A model beside other models."""

import streamlit as st

from fracture import charts
from fracture.app.shared.comparison import show_sides, side_of
from fracture.app.shared.widgets import show_errors
from fracture.registry.model_folder import ModelFolder, usable_models
from fracture.registry.validation import ValidationResult

MAX_OTHERS = len(charts.SEVERAL) - 1
"""How many others fit beside a model, each with a color of its own."""


@st.fragment
@show_errors()  # inside the fragment: its caller does not see what a fragment raises
def show_comparison(folder: ModelFolder, result: ValidationResult, level: str) -> None:
    """A picker for the other models; then warnings, the table and both curves."""
    st.header("Comparison")
    others = {other.name: other for other in usable_models() if other.name != folder.name}
    if not others:
        st.caption("There is no other model yet.")
        return
    names = st.multiselect(
        "Compare with", list(others), placeholder="Choose one or more", max_selections=MAX_OTHERS, key="compared models"
    )
    folders = [folder, *(others[name] for name in names)]
    with_card = [side_of(each, result.data) for each in folders]
    sides = [side for side in with_card if side is not None]
    if len(sides) < 2:
        return
    all_have_level = all(level in side.result.metrics for side in sides)
    show_sides(sides, level if all_have_level else "image")
