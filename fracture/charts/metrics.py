"""Figures of a model's validation: curves over all thresholds side by side, and calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fracture.charts.style import MODEL, apply_theme, colors

Scored = tuple[NDArray[Any], NDArray[Any]]
"""Labels (N,), 0 or 1, both of them there, and probabilities (N,)."""

SHARE_AXIS = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.25, "zeroline": False}
"""What an axis of shares looks like."""


def roc_curves(models: Mapping[str, Scored], color_of: Mapping[str, str] | None = None) -> Any:
    """The ROC curves of several models by their names; ``color_of`` each, where other figures beside it have them."""
    from sklearn.metrics import roc_curve

    figure = go.Figure()
    add_chance(figure, [0, 1], at=(0.72, 0.72))
    for name, color in (color_of or colors(models)).items():
        label, probability = models[name]
        false_positives, sensitivity, _ = roc_curve(label, probability)
        line = _line(name, color, "%{x:.1%} false positives, sensitivity %{y:.1%}")
        figure.add_scatter(x=false_positives, y=sensitivity, **line)
    figure.update_layout(title="ROC curve")
    return _set_share_axes(figure, "False positive rate (1 - specificity)", "Sensitivity", len(models))


def precision_recall_curves(models: Mapping[str, Scored], color_of: Mapping[str, str] | None = None) -> Any:
    """The precision-recall curves of several models by their names, and the precision that chance reaches.

    ``color_of`` each, where other figures beside it have them.
    """
    from sklearn.metrics import precision_recall_curve

    figure = go.Figure()
    prevalences = {float(np.mean(label)) for label, _ in models.values()}
    for share in sorted(prevalences):
        add_chance(figure, [share, share], at=(0.12, share))
    for name, color in (color_of or colors(models)).items():
        label, probability = models[name]
        precision, recall, _ = precision_recall_curve(label, probability, drop_intermediate=True)
        line = _line(name, color, "sensitivity %{x:.1%}, precision %{y:.1%}")
        # scikit-learn appends (0, 1), at which nothing was measured.
        figure.add_scatter(x=recall[:-1], y=precision[:-1], **line)
    figure.update_layout(title="Precision-recall curve")
    return _set_share_axes(figure, "Sensitivity (recall)", "Precision (PPV)", len(models))


def reliability(bins: Sequence[Mapping[str, Any]], positive: str) -> Any:
    """The reliability diagram: observed against predicted share of positives with 95 % intervals, and counts below.

    Args:
        bins: ``low, high, count, mean_probability, share_positive, share_low, share_high``, empty ones left out of the
            upper part.
        positive: the model's word for the positive label.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="Perfect", line={"dash": "dot", "color": "gray"}, hoverinfo="skip"
    )
    _add_observed(figure, [each for each in bins if each["count"] and each["share_positive"] is not None])
    _add_counts(figure, bins)
    _set_share_axes(figure, f"Predicted probability of {positive}", f"Share that is {positive}")
    figure.update_layout(
        title="Reliability diagram",
        yaxis={"domain": [0.3, 1]},
        xaxis={"anchor": "y2"},
        bargap=0,
        yaxis2={"domain": [0, 0.16], "showticklabels": False, "showgrid": False, "zeroline": False, "anchor": "x"},
    )
    figure.update_layout(height=440)
    return figure


def _add_observed(figure: Any, bins: Sequence[Mapping[str, Any]]) -> None:
    """A point a bin, with its interval; a bar has no length where the interval is not known."""
    above = []
    below = []
    # Plotly takes distances from the point, not the ends of the interval.
    for each in bins:
        share = each["share_positive"]
        above.append(0.0 if each["share_high"] is None else each["share_high"] - share)
        below.append(0.0 if each["share_low"] is None else share - each["share_low"])
    figure.add_scatter(
        x=[each["mean_probability"] for each in bins],
        y=[each["share_positive"] for each in bins],
        mode="lines+markers",
        name="Model",
        line={"color": MODEL},
        marker={"size": 9},
        error_y={"type": "data", "array": above, "arrayminus": below, "thickness": 1.5},
        customdata=[each["count"] for each in bins],
        hovertemplate="predicted %{x:.0%}, observed %{y:.0%} of %{customdata:,}<extra></extra>",
    )


def _add_counts(figure: Any, bins: Sequence[Mapping[str, Any]]) -> None:
    figure.add_bar(
        x=[(each["low"] + each["high"]) / 2 for each in bins],
        width=[each["high"] - each["low"] for each in bins],
        y=[each["count"] for each in bins],
        text=[f"{each['count']:,}" for each in bins],
        yaxis="y2",
        marker={"color": MODEL, "opacity": 0.5},
        textposition="outside",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def _line(name: str, color: str, hover: str) -> dict[str, Any]:
    line = {"color": color, "width": 2}
    return {"mode": "lines", "name": name, "line": line, "hovertemplate": f"{hover}<extra>{name}</extra>"}


def add_chance(figure: Any, up: list[float], at: tuple[float, float]) -> None:
    """The line of guessing, named at a place of its own: a legend would cover the title."""
    figure.add_scatter(
        x=[0, 1],
        y=up,
        mode="lines",
        name="Chance",
        line={"dash": "dot", "color": "gray"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_annotation(x=at[0], y=at[1], text="chance", showarrow=False, yshift=-12, xshift=14, font_color="gray")


def _set_share_axes(figure: Any, across: str, up: str, models: int = 1) -> Any:
    """Both axes are shares. Several models, whose names may be long, may take a row of the legend each."""
    figure.update_xaxes(title=across, **SHARE_AXIS)
    figure.update_yaxes(title=up, **SHARE_AXIS)
    return apply_theme(figure, height=300 + 20 * models, legend_rows=models)
