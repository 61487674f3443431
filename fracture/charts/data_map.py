"""Images as points on a plane, colored by what is known about them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fracture.charts.style import SEVERAL, TRAINING, apply_theme

MAX_DRAWN_POINTS = 3000
"""More are drawn by the graphics card (WebGL): as shapes of the page they would move with a delay."""

UNKNOWN = TRAINING
"""Of points about which it is not known."""

HEIGHT = 390
"""px: the map, its settings and the line below it stand on one screen."""

Axes = tuple[str, str]
"""The titles of both axes."""

_POINT = {"size": 6, "opacity": 0.75}


def category_map(points: pd.DataFrame, category: Sequence[str], colors: Mapping[str, str], axes: Axes) -> Any:
    """Points in the colors of their categories.

    Args:
        points: ``x``, ``y`` and ``name``, a row an image; a selection returns the rows' numbers.
        category: of each row.
        colors: by category, in the order of the legend.
        axes: their titles.
    """
    figure = go.Figure()
    named = np.asarray(category)
    for name, color in colors.items():
        _add_points(figure, points, np.flatnonzero(named == name), name, {**_POINT, "color": color})
    return _finish(figure, axes)


def value_map(points: pd.DataFrame, value: Sequence[float], title: str, axes: Axes) -> Any:
    """Points in the colors of values from 0 to 1; gray and smaller where the value is NaN.

    Args:
        points: as for :func:`category_map`.
        value: of each row.
        title: of the scale.
        axes: their titles.
    """
    figure = go.Figure()
    values = np.asarray(value, float)
    known = np.isfinite(values)
    if not known.all():
        faint = {**_POINT, "color": UNKNOWN, "size": 4, "opacity": 0.3}
        _add_points(figure, points, np.flatnonzero(~known), "Not known", faint)
    scale = {"title": {"text": title, "side": "right"}, "thickness": 12, "tickformat": ".0%"}
    marker = {
        **_POINT,
        "color": values[known],
        "cmin": 0,
        "cmax": 1,
        "colorscale": "Viridis",
        "colorbar": scale,
    }
    _add_points(figure, points, np.flatnonzero(known), title, marker, showlegend=False)
    return _finish(figure, axes)


def category_colors(names: Sequence[str]) -> dict[str, str]:
    """A color a category, the most frequent first; those beyond the palette are gray."""
    return {name: SEVERAL[place] if place < len(SEVERAL) - 1 else UNKNOWN for place, name in enumerate(names)}


def _add_points(
    figure: Any, points: pd.DataFrame, rows: "np.ndarray[Any, Any]", name: str, marker: dict[str, Any], **more: Any
) -> None:
    chosen = points.iloc[rows]
    add = figure.add_scattergl if len(points) > MAX_DRAWN_POINTS else figure.add_scatter
    add(
        x=chosen["x"],
        y=chosen["y"],
        mode="markers",
        name=name,
        text=chosen["name"],
        customdata=rows.tolist(),
        marker=marker,
        unselected={"marker": {"opacity": 0.15}},
        hovertemplate="%{text}<extra></extra>",
        **more,
    )


def _finish(figure: Any, axes: Axes) -> Any:
    figure.update_xaxes(title=axes[0], showticklabels=False, zeroline=False)
    figure.update_yaxes(title=axes[1], showticklabels=False, zeroline=False)
    apply_theme(figure, height=HEIGHT)
    # The buttons of the selection are a part of the page, and not only for those who look for them.
    figure.update_layout(dragmode="lasso", modebar={"color": TRAINING, "activecolor": SEVERAL[0]})
    return figure
