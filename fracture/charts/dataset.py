"""Figures of a data set."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fracture.charts.style import MODEL, NEGATIVE_COLOR, POSITIVE_COLOR, apply_theme, metric_range
from fracture.data.dataset import counts

_COLORS = (NEGATIVE_COLOR, POSITIVE_COLOR)


class Drawn(NamedTuple):
    """A figure, and the text that replaces it for readers who cannot see it."""

    figure: Any
    alt: str


def overview(table: pd.DataFrame, names: tuple[str, str]) -> dict[str, Drawn]:
    """Figures of a data set's content, by short titles. ``table``: from :func:`fracture.data.catalog.build_catalog`."""
    counted = counts(table)
    longer = table[["width", "height"]].max(axis=1)
    drawn = {
        "Splits": Drawn(class_balance(counted, names, "split"), "Images of each label by split"),
        "Body parts": Drawn(class_balance(counted, names, "body_part"), "Images of each label by body part"),
        "Views": Drawn(views_per_study(table, names), "Studies by their number of views"),
        "Sizes": Drawn(distribution(longer, table["label"], names, "Longer side", "px"), "Longer sides of the images"),
    }
    if table["brightness"].notna().any():
        figure = distribution(table["brightness"], table["label"], names, "Mean brightness", "gray level of 255")
        drawn["Brightness"] = Drawn(figure, "Mean brightness of the images")
    return drawn


def class_balance(counts: pd.DataFrame, label_names: tuple[str, str], by: str) -> Any:
    """Images of each label, by ``split`` or ``body_part``; ``counts`` as :func:`fracture.data.dataset.counts` gives."""
    figure = go.Figure()
    totals = counts.groupby([by, "label"])["images"].sum().unstack("label", fill_value=0)
    for label, color in enumerate(_COLORS):
        values = totals[label].tolist() if label in totals else [0] * len(totals)
        figure.add_bar(
            x=totals.index.tolist(),
            y=values,
            name=label_names[label],
            marker_color=color,
            text=[f"{value:,}" if value else "" for value in values],
        )
    figure.update_layout(title=f"Images by {by.replace('_', ' ')}", barmode="group")
    figure.update_xaxes(type="category")
    return apply_theme(figure)


def views_per_study(table: pd.DataFrame, label_names: tuple[str, str]) -> Any:
    """How many studies of each label have one view, two, three and so on."""
    studies = table.groupby("study").agg(label=("label", "max"), views=("image_id", "size"))
    figure = go.Figure()
    for label, color in enumerate(_COLORS):
        found = studies.loc[studies["label"] == label, "views"].value_counts().sort_index()
        figure.add_bar(x=found.index.tolist(), y=found.tolist(), name=label_names[label], marker_color=color)
    figure.update_layout(title="Views per study", barmode="group")
    figure.update_xaxes(title="views", dtick=1)
    figure.update_yaxes(title="studies")
    return apply_theme(figure)


def distribution(
    values: "pd.Series[Any]", label: "pd.Series[int]", names: tuple[str, str], what: str, unit: str
) -> Any:
    """The distribution of a figure of each image, by label; images without it are left out.

    Shares, not counts: whether two labels differ must not depend on which is rarer. A model may learn such a
    difference as a shortcut.
    """
    figure = go.Figure()
    known = values.notna()
    edges = np.histogram_bin_edges(values[known], bins=24) if known.any() else np.array([0.0, 1.0])
    for each, color in enumerate(_COLORS):
        found = values[known & (label == each)]
        share = np.histogram(found, edges)[0] / max(len(found), 1)
        figure.add_scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=share,
            name=names[each],
            mode="lines",
            fill="tozeroy",
            line={"color": color, "width": 2, "shape": "hvh"},
        )
    figure.update_layout(title=what)
    figure.update_xaxes(title=unit)
    figure.update_yaxes(title="share of the images", tickformat=".0%", rangemode="tozero")
    return apply_theme(figure)


def property_aucs(found: pd.DataFrame) -> Any:
    """How well each property of images predicts the label alone: a dot with its interval, and a line at 0.5.

    ``found``: ``title``, ``direction`` (which images are positive more often), ``value``, ``low`` and ``high`` of the
    AUC (the bounds may be missing), and ``significant``; in this order from the top.
    """
    figure = go.Figure()
    for significant, name, color in (
        (True, "interval excludes 0.5", MODEL),
        (False, "not significant", "gray"),
    ):
        rows = found[found["significant"] == significant]
        if rows.empty:
            continue
        above = (rows["high"] - rows["value"]).fillna(0)
        below = (rows["value"] - rows["low"]).fillna(0)
        figure.add_scatter(
            x=rows["value"],
            y=rows["title"],
            mode="markers",
            name=name,
            marker={"color": color, "size": 9},
            error_x={"type": "data", "array": above, "arrayminus": below, "thickness": 1.5, "width": 4},
            customdata=rows[["direction", "low", "high"]],
            hovertemplate="%{customdata[0]}: AUC %{x:.2f} "
            "(%{customdata[1]:.2f} to %{customdata[2]:.2f})<extra></extra>",
        )
    figure.add_vline(x=0.5, line={"dash": "dot", "color": "gray"})
    ends = [*found["value"], *found["low"].dropna()]
    figure.update_xaxes(title="AUC (95% interval)", range=metric_range("auc", ends))
    figure.update_yaxes(categoryorder="array", categoryarray=found["title"].tolist()[::-1], automargin=True)
    figure.update_layout(title="Image properties and the label")
    return apply_theme(figure, height=140 + 24 * len(found), legend_rows=2)
