"""Figures of models, as all pages show them."""

from typing import Any

import streamlit as st

POINTS = {
    "balanced": "Balanced",
    "high_sensitivity": "High sensitivity",
    "high_specificity": "High specificity",
    "half": "One half",
}
"""The names of a card's operating points, in the order in which they are offered."""

COUNTED = {"image": "images", "study": "studies"}
"""What is counted at each level."""


def number(estimate: dict[str, Any] | None, digits: int = 3) -> str:
    """A figure that is no share, with its 95 % interval: ``0.812 (0.780 to 0.840)``."""
    if not estimate or estimate["value"] is None:
        return "not measured"
    low, high = estimate["low"], estimate["high"]
    ends = " (no interval)" if low is None else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{estimate['value']:.{digits}f}{ends}"


def show_table(rows: list[dict[str, str]]) -> None:
    """A table of words; on a narrow screen an interval goes to the next line as a whole."""
    kept = [{name: text.replace(" to ", "\u00a0to\u00a0") for name, text in row.items()} for row in rows]
    st.table(kept, border="horizontal")
