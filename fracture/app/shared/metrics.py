"""Metrics in words and tables, as all pages show them."""

from typing import Any

import streamlit as st


def format_estimate(estimate: dict[str, Any] | None, digits: int = 3) -> str:
    """A metric that is no share, with its 95% interval: ``0.812 (0.780 to 0.840)``."""
    if not estimate or estimate["value"] is None:
        return "not measured"
    low = estimate["low"]
    high = estimate["high"]
    interval = " (no interval)" if low is None else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{estimate['value']:.{digits}f}{interval}"


def show_table(rows: list[dict[str, str]]) -> None:
    """A table of words; on a narrow screen an interval goes to the next line as a whole."""
    unbroken = []
    for row in rows:
        unbroken.append({name: text.replace(" to ", "\u00a0to\u00a0") for name, text in row.items()})
    st.table(unbroken, border="horizontal")
