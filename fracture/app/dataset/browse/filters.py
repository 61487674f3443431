"""The filters of the gallery: which images are shown, and in which order."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from fracture.app.dataset import checks
from fracture.app.dataset.decisions import describe_decision
from fracture.data.catalog import ImageFilter, filter_images
from fracture.data.checks import Problem
from fracture.data.dataset import Dataset

READING_ORDER = "Patient, study, view"
FINDING_ORDER = "Most suspicious first"

FILTERS = {"split": "Split", "label": "Label", "body_part": "Body part", "decision": "Decision"}
"""The columns that filters list the values of, and their titles."""


class Choice(NamedTuple):
    """Which images of a catalog are shown, and in which order."""

    wanted: ImageFilter
    column: str
    """To sort by; "" for the order of the catalog, or of the finding."""
    descending: bool

    def rows(self, catalog: pd.DataFrame) -> pd.DataFrame:
        """The images that pass, in this order."""
        return filter_images(catalog, self.wanted, self.column, self.descending)


def choose_images(catalog: pd.DataFrame, data: Dataset, model: str) -> Choice:
    """The widgets of all filters. ``model``: the model whose probabilities the catalog has."""
    finding = checks.shown_finding(data)
    split = _choose_values("split", catalog, data)
    label = _choose_values("label", catalog, data)
    body_part = _choose_values("body_part", catalog, data)
    text = st.text_input(
        "Name contains",
        placeholder="Name contains",
        label_visibility="collapsed",
        key=f"text of {data.root}",
        persist_state="session",
    )
    order, descending = _choose_order(catalog, data, model, finding=finding)
    with st.expander("More filters", icon=":material/tune:", key="more filters"):
        longer_side = catalog[["width", "height"]].max(axis=1)
        decision = _choose_values("decision", catalog, data)
        views = _choose_range("Views of the study", "views", catalog["views"], data)
        sides = _choose_range("Longer side in px", "longer side", longer_side, data)
    ids = None if finding is None else finding.images
    wanted = ImageFilter(split, label, body_part, decision, views, sides, ids, text.strip())
    return Choice(wanted, order, descending)


def _choose_values(column: str, catalog: pd.DataFrame, data: Dataset) -> list[Any]:
    """The values of a column to show; an empty list shows all, as where there is only one.

    The placeholder is the title, so that the rail stays short.
    """
    values = sorted(catalog[column].unique())
    if len(values) == 1:
        return []
    formats: dict[str, Callable[[Any], str]] = {
        "label": lambda value: data.label_names[value],
        "decision": lambda value: describe_decision(value, data),
    }
    chosen: list[Any] = st.multiselect(
        FILTERS[column],
        values,
        format_func=formats.get(column, str),
        placeholder=f"{FILTERS[column]}: all",
        label_visibility="collapsed",
        key=f"{column} of {data.root}",
        persist_state="session",
    )
    return chosen


def _choose_range(title: str, key: str, values: "pd.Series[int]", data: Dataset) -> tuple[int, int] | None:
    """The lowest and the highest value to show; None where all pass, or all are the same."""
    lowest = int(values.min())
    highest = int(values.max())
    if lowest == highest:
        st.caption(f"{title}: {lowest:,} for all")
        return None
    chosen: tuple[int, int] = st.slider(
        title, lowest, highest, (lowest, highest), key=f"{key} of {data.root}", persist_state="session"
    )
    return None if chosen == (lowest, highest) else chosen


def _choose_order(catalog: pd.DataFrame, data: Dataset, model: str, *, finding: Problem | None) -> tuple[str, bool]:
    """The column to sort by ("" for the order of the catalog, or of the finding), and whether in descending order."""
    positive = data.label_names[1]
    first, key = READING_ORDER, f"order of {data.root}"
    if finding is not None:
        first, key = FINDING_ORDER, f"order of {data.root} as found"
    orders = {first: ("", False), "Smallest first": ("pixels", False), "Largest first": ("pixels", True)}
    if catalog["brightness"].notna().any():
        orders["Darkest first"] = ("brightness", False)
        orders["Brightest first"] = ("brightness", True)
    if catalog["score"].notna().any():
        orders[f"Least likely {positive}, by {model}"] = ("score", False)
        orders[f"Most likely {positive}, by {model}"] = ("score", True)
    chosen = st.selectbox(
        "Order",
        list(orders),
        icon=":material/sort:",
        label_visibility="collapsed",
        key=key,
        persist_state="session",
    )
    return orders[chosen]
