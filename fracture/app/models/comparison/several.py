"""Several runs side by side: whether one is better, learning curves, results and settings; then notes and files."""

import streamlit as st

from fracture import charts
from fracture.app.models.actions import show_actions
from fracture.app.models.comparison.settings import show_differences
from fracture.app.models.comparison.sides import show_sides
from fracture.app.models.comparison.significance import show_significance
from fracture.app.models.history import show_curves
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.training.runs.queue import Run


def show_several(runs: list[Run]) -> None:
    """The first run is the reference for the others."""
    # Containers of their own, so that the text area of a note stays in place while the comparison above it grows.
    compared = st.container()
    managed = st.container()
    with compared, show_errors():
        _compare(runs)
    with managed, show_errors():
        _manage(runs)


def _compare(runs: list[Run]) -> None:
    # First of all, since it answers why one compares; the curves explain it.
    sides, level = show_significance(runs)
    st.header("Training curves")
    show_curves(runs)
    if len(sides) > 1:
        st.header("Validation results")
        show_sides(sides, level, charts.colors(run.name for run in runs))
    st.header("Settings")
    show_differences(runs)


def _manage(runs: list[Run]) -> None:
    """Notes, names and files, a tab each."""
    st.header("Notes and files")
    for tab, run in zip(st.tabs([escape_markdown(run.name) for run in runs]), runs, strict=True):
        with tab:
            show_actions(run)
