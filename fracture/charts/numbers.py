"""The numbers that a figure shows, as a table: what a visitor downloads beside its picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from fracture.charts.vega import VegaChart
from fracture.files import JsonObject

SERIES = "series"
"""The column with the name of a point's line."""


def to_table(figure: Any) -> pd.DataFrame:
    """The points of a Plotly figure, a row each: their series, both coordinates, and the ends of their intervals.

    Columns are named after the axes. A parallel-coordinates plot has a row for each line and a column for each axis.
    Lines that only guide the eye, which neither legend nor pointer names, are left out. Empty for a figure that shows
    an image.
    """
    parts = [_lines(each) if each.type == "parcoords" else _points(figure, each) for each in _shown(figure)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def vega_to_table(chart: VegaChart) -> pd.DataFrame:
    """The numbers of a Vega-Lite chart, as the pointer tells them: a row for each mark that it names.

    Marks of which the pointer tells a single word, such as icons, are counted.
    """
    layers = chart.spec.get("layer", [chart.spec])
    told = [_told(chart, layer) for layer in layers]
    table = pd.concat([each for each in told if not each.empty])
    table = table[~table.index.duplicated()]  # a mark may be in several layers
    if table.shape[1] == 1:
        return table.value_counts(sort=False).rename("Count").reset_index()
    return table.reset_index(drop=True)


def _told(chart: VegaChart, layer: JsonObject) -> pd.DataFrame:
    """What a layer's tooltips tell, with the series first; empty for a layer without them."""
    encoding = {**chart.spec.get("encoding", {}), **layer.get("encoding", {})}
    tooltip = encoding.get("tooltip", [])
    titles = {each["field"]: each["title"] for each in (tooltip if isinstance(tooltip, list) else [tooltip])}
    if not titles:
        return pd.DataFrame()
    rows = chart.data
    for transform in layer.get("transform", []):
        rows = rows.query(transform["filter"].replace("datum.", ""))
    if "part" in rows:
        titles = {"part": SERIES, **titles}
    return rows[list(titles)].rename(columns=titles)


def _shown(figure: Any) -> Iterator[Any]:
    for trace in figure.data:
        if trace.type == "parcoords" or not (trace.showlegend is False and trace.hoverinfo == "skip"):
            yield trace


def _lines(trace: Any) -> pd.DataFrame:
    return pd.DataFrame({each.name or each.label: np.asarray(each["values"]) for each in trace.dimensions})


def _points(figure: Any, trace: Any) -> pd.DataFrame:
    found: dict[str, Any] = {SERIES: trace.name or ""}
    for letter in "xy":
        values = pd.Series(list(trace[letter]))
        title = _axis_title(figure, trace, letter)
        found[title] = values
        error = trace[f"error_{letter}"]
        if error.array is not None:
            above = np.asarray(error.array, float)
            below = above if error.arrayminus is None else np.asarray(error.arrayminus, float)
            found |= {f"{title}, low": values - below, f"{title}, high": values + above}
    return pd.DataFrame(found)


def _axis_title(figure: Any, trace: Any, letter: str) -> str:
    """The title of the axis that a trace belongs to; ``x`` or ``y`` without one."""
    axis = getattr(trace, f"{letter}axis") or letter  # x, x2, ...
    title: str | None = figure.layout[f"{letter}axis{axis[1:]}"].title.text
    return title or letter
