"""What all figures share: their colors and their plain look."""

import copy
import math
from collections.abc import Iterable
from typing import Any

NEGATIVE_COLOR = "#2E86C9"
"""Of the negative label, and of nothing else."""
POSITIVE_COLOR = "#D55E00"
"""Of the positive label, and of nothing else."""
ACCENT = "#009E73"
"""Of the one point that counts: the kept epoch, the chosen threshold."""
TRAINING = "#767676"
VALIDATION = "#8E63CE"
MODEL = VALIDATION
"""Of a model's metrics, which are of validation images."""
SEVERAL = (MODEL, "#7D8B1F", "#CC79A7", "#A6761D", "#1F9AA8", TRAINING)
"""For charts with one line a model."""

LABEL_PX = 20
"""Of labels in a presentation."""
TITLE_PX = 26
"""Of titles in a presentation."""


def colors(names: Iterable[str]) -> dict[str, str]:
    """A color a name, in their order; there are ``len(SEVERAL)``, and names beyond that have none."""
    return dict(zip(names, SEVERAL, strict=False))


def metric_range(metric: str, values: Iterable[float]) -> tuple[float, float]:
    """The ends of an axis of a metric, by Keras's name: the range that the metric can have, not that of the values.

    Scaled to its own values, the noise of a few thousandths fills a chart and looks like progress. A loss begins at 0
    and ends at the next quarter above the largest value; AUC and accuracy go from chance to perfect, and further down
    where values do. The steps are coarse so that the axis stands still while a run grows.
    """
    known = [value for value in values if math.isfinite(value)]
    if metric.removeprefix("val_") == "loss":
        quarters = math.floor(max(known, default=0.99) / 0.25) + 1
        return 0.0, quarters * 0.25
    tenth = math.floor(min(known, default=0.5) * 10) / 10
    return min(0.5, tenth) - _MARGIN, 1 + _MARGIN


_MARGIN = 0.02
"""Beyond both ends of an axis of shares, so that a line along one of them is not cut."""


def apply_theme(figure: Any, height: int = 340, legend_rows: int = 1) -> Any:
    """The figure with a transparent background; height in px. The legend stands above, with room for so many rows."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 46 + 20 * legend_rows, "b": 10},
        title={"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        modebar={"bgcolor": "rgba(0,0,0,0)"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def enlarge(figure: Any, height: int | None = None) -> Any:
    """A copy of a figure for the last row of a classroom: large labels, thick lines and large points.

    It is ``height`` px high, or higher than the figure by a third.

    A figure of an image alone stays as it is: it would get a band above it, and stand higher than the one beside it.
    """
    larger = copy.deepcopy(figure)
    if not larger.data:
        return larger
    layout = larger.layout
    layout.update(
        font_size=LABEL_PX, title_font_size=TITLE_PX, legend_font_size=LABEL_PX, hoverlabel_font_size=LABEL_PX
    )
    layout.update(height=height or round((layout.height or 450) * _TALLER))
    layout.margin.t = round((layout.margin.t or 60) * _TALLER)
    for update_axes in (larger.update_xaxes, larger.update_yaxes):
        update_axes(tickfont_size=LABEL_PX, title_font_size=LABEL_PX)
    larger.update_annotations(font_size=LABEL_PX)
    for trace in larger.data:
        _thicken(trace)
    return larger


_TALLER = 1.3
_THICKER = 1.8
_LINE_PX = 2
"""Plotly's own width of a line."""
_POINT_PX = 6
"""Plotly's own diameter of a point."""


def _thicken(trace: Any) -> None:
    if trace.type == "parcoords":
        trace.update(labelfont_size=LABEL_PX, tickfont_size=LABEL_PX)
    elif trace.type == "scatter":
        trace.line.width = (trace.line.width or _LINE_PX) * _THICKER
        size = trace.marker.size
        if size is None or isinstance(size, (int, float)):
            trace.marker.size = (size or _POINT_PX) * _THICKER
