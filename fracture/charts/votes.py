"""Charts of a class vote: the votes on one image as they come in, and the class beside the model at the end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fracture.charts.metrics import SHARE_AXIS, Scored, add_chance
from fracture.charts.style import MODEL, NEGATIVE_COLOR, POSITIVE_COLOR, SEVERAL, apply_theme
from fracture.charts.vega import VegaChart
from fracture.files import JsonObject

READERS = SEVERAL[4]
"""Of a class and its students."""

MIN_TOP = 5
"""Votes at the upper end of the axis at least, so that it stands still while the first ones come in."""


def vote_histogram(
    counts: Mapping[Any, int], labels: tuple[str, str], confidences: Sequence[str], height: int
) -> VegaChart:
    """The number of votes by label and confidence, from sure of the negative label to sure of the positive one.

    It takes new votes in place, without a flicker.

    Args:
        counts: by a tuple (positive, step of confidence).
        labels: of 0 and of 1.
        confidences: the steps in words, the least confident first.
        height: in px.
    """
    steps = range(len(confidences))
    order = [*((False, step) for step in reversed(steps)), *((True, step) for step in steps)]
    rows = [
        {"place": place, "label": labels[int(positive)], "confidence": confidences[step], "votes": votes}
        for place, (positive, step) in enumerate(order)
        for votes in [counts.get((positive, step), 0)]
    ]
    data = pd.DataFrame(rows)
    return VegaChart(data.assign(top=_round_up(int(data["votes"].max()))), _histogram_spec(labels, confidences, height))


def _round_up(votes: int) -> int:
    """The upper end of the axis, in steps so coarse that it seldom moves."""
    return max(MIN_TOP, -(-(votes + 1) // 5) * 5)


def _histogram_spec(labels: tuple[str, str], confidences: Sequence[str], height: int) -> JsonObject:
    words = [*reversed(confidences), *confidences]
    across = {
        "field": "place",
        "type": "ordinal",
        "title": None,
        # In several lines, so that large labels of a presentation stand side by side.
        "axis": {"labelAngle": 0, "labelOverlap": False, "labelExpr": f"split({words}[datum.value], ' ')"},
    }
    up = {"field": "votes", "type": "quantitative", "title": "Votes", "axis": {"tickMinStep": 1, "tickCount": 5}}
    color = {
        "field": "label",
        "type": "nominal",
        "scale": {"domain": list(labels), "range": [NEGATIVE_COLOR, POSITIVE_COLOR]},
        "legend": {"title": None, "orient": "top"},
    }
    return {
        "height": height,
        "encoding": {"x": across},
        "layer": [
            {"mark": {"type": "point", "opacity": 0}, "encoding": {"y": {**up, "field": "top"}}},
            {"mark": {"type": "bar"}, "encoding": {"y": up, "color": color, "tooltip": _TOOLTIP}},
            {
                "transform": [{"filter": "datum.votes > 0"}],
                "mark": {"type": "text", "dy": -8, "fontSize": 14, "color": "gray"},
                "encoding": {"y": up, "text": {"field": "votes"}},
            },
        ],
    }


_TOOLTIP = [
    {"field": "label", "title": "Label"},
    {"field": "confidence", "title": "Confidence"},
    {"field": "votes", "title": "Votes"},
]


def class_roc(
    model: Scored,
    model_point: tuple[float, float],
    readers: Scored,
    majority: tuple[float, float],
    students: Mapping[str, tuple[float, float]],
) -> Any:
    """The ROC curves of a model and of a class on the same images, the majority, and each student.

    Args:
        model: labels and the model's probabilities.
        model_point: (false positive rate, sensitivity) at its threshold.
        readers: labels and the class's mean confidence scores.
        majority: the point of the class's majority.
        students: a point each, by a name that the pointer shows.
    """
    figure = go.Figure()
    add_chance(figure, [0, 1], at=(0.72, 0.72))
    _add_curve(figure, "Model", MODEL, model)
    _add_curve(figure, "Class, by mean confidence", READERS, readers)
    if students:
        names = list(students)
        _add_points(figure, "Student", READERS, list(students.values()), names, size=10, opacity=0.45)
    _add_points(figure, "Class, majority", READERS, [majority], ["Class, majority"], size=18, symbol="diamond")
    _add_points(figure, "Model, its threshold", MODEL, [model_point], ["Model, its threshold"], size=16)
    figure.update_xaxes(title="False positive rate (1 - specificity)", **SHARE_AXIS)
    figure.update_yaxes(title="Sensitivity", **SHARE_AXIS)
    return apply_theme(figure, height=400, legend_rows=2)


def _add_curve(figure: Any, name: str, color: str, scored: Scored) -> None:
    false_positives, sensitivity = _roc(*scored)
    figure.add_scatter(
        x=false_positives, y=sensitivity, mode="lines", name=name, line={"color": color, "width": 2}, hoverinfo="skip"
    )


def _roc(label: NDArray[Any], score: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.metrics import roc_curve

    false_positives, sensitivity, _ = roc_curve(label, score)
    return false_positives, sensitivity


def _add_points(
    figure: Any,
    name: str,
    color: str,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    **marker: Any,
) -> None:
    figure.add_scatter(
        x=[point[0] for point in points],
        y=[point[1] for point in points],
        mode="markers",
        name=name,
        text=list(names),
        marker={"color": color, **marker},
        cliponaxis=False,
        hovertemplate="%{text}: %{x:.0%} false positives, sensitivity %{y:.0%}<extra></extra>",
    )
