"""Figures that judge models: curves over all thresholds side by side, and calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fracture.charts.style import NEGATIVE, apply_theme, colours

Scored = tuple[NDArray[Any], NDArray[Any]]
"""Labels (N,), 0 or 1, both of them there, and probabilities (N,)."""

_SHARE = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.25, "zeroline": False}


def rocs(models: Mapping[str, Scored], colour_of: Mapping[str, str] | None = None) -> Any:
    """The ROC curves of several models by their names; ``colour_of`` each, where other figures beside it have them."""
    from sklearn.metrics import roc_curve

    figure = go.Figure()
    _chance(figure, [0, 1], at=(0.72, 0.72))
    for name, colour in (colour_of or colours(models)).items():
        label, probability = models[name]
        false_alarms, sensitivity, _ = roc_curve(label, probability)
        line = _line(name, colour, "%{x:.1%} false alarms, sensitivity %{y:.1%}")
        figure.add_scatter(x=false_alarms, y=sensitivity, **line)
    figure.update_layout(title="ROC curve")
    return _square(figure, "False alarms (1 - specificity)", "Sensitivity", len(models))


def precision_recalls(models: Mapping[str, Scored], colour_of: Mapping[str, str] | None = None) -> Any:
    """The precision-recall curves of several models by their names, and the precision that chance reaches.

    ``colour_of`` each, where other figures beside it have them.
    """
    from sklearn.metrics import precision_recall_curve

    figure = go.Figure()
    for share in sorted({float(np.mean(label)) for label, _ in models.values()}):
        _chance(figure, [share, share], at=(0.12, share))
    for name, colour in (colour_of or colours(models)).items():
        label, probability = models[name]
        precision, recall, _ = precision_recall_curve(label, probability, drop_intermediate=True)
        line = _line(name, colour, "sensitivity %{x:.1%}, precision %{y:.1%}")
        figure.add_scatter(x=recall[:-1], y=precision[:-1], **line)  # the last, (0, 1), is no measurement
    figure.update_layout(title="Precision-recall curve")
    return _square(figure, "Sensitivity (recall)", "Precision (PPV)", len(models))


def reliability(bins: Sequence[Mapping[str, Any]], positive: str) -> Any:
    """What share was positive where the model said so much, with 95 % intervals, above how many it said that of.

    Args:
        bins: ``low, high, count, mean_probability, share_positive, share_low, share_high``, empty ones left out of the
            upper part.
        positive: the model's word for the positive label.
    """
    full = [each for each in bins if each["count"] and each["share_positive"] is not None]
    said, share = ([each[name] for each in full] for name in ("mean_probability", "share_positive"))
    ends = [(each["share_low"], each["share_high"]) for each in full]
    up = [0.0 if high is None else high - at for (_, high), at in zip(ends, share, strict=True)]
    down = [0.0 if low is None else at - low for (low, _), at in zip(ends, share, strict=True)]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="Perfect", line={"dash": "dot", "color": "gray"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=said, y=share, mode="lines+markers", name="Model", line={"color": NEGATIVE}, marker={"size": 9},
        error_y={"type": "data", "array": up, "arrayminus": down, "thickness": 1.5},
        customdata=[each["count"] for each in full],
        hovertemplate="said %{x:.0%}, true of %{y:.0%} of %{customdata:,}<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        x=[(each["low"] + each["high"]) / 2 for each in bins], width=[each["high"] - each["low"] for each in bins],
        y=[each["count"] for each in bins], text=[f"{each['count']:,}" for each in bins], yaxis="y2",
        marker={"color": NEGATIVE, "opacity": 0.5}, textposition="outside", cliponaxis=False, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    _square(figure, f"Probability of {positive}, as the model says", f"Share that is {positive}")
    figure.update_layout(
        title="Reliability", yaxis={"domain": [0.3, 1]}, xaxis={"anchor": "y2"}, bargap=0,
        yaxis2={"domain": [0, 0.16], "showticklabels": False, "showgrid": False, "zeroline": False, "anchor": "x"},
    )  # fmt: skip
    figure.update_layout(height=440)
    return figure


def _line(name: str, colour: str, hover: str) -> dict[str, Any]:
    line = {"color": colour, "width": 2}
    return {"mode": "lines", "name": name, "line": line, "hovertemplate": f"{hover}<extra>{name}</extra>"}


def _chance(figure: Any, up: list[float], at: tuple[float, float]) -> None:
    """What guessing reaches, from left to right, named at a place of its own: a legend would cover the title."""
    figure.add_scatter(
        x=[0, 1], y=up, mode="lines", name="Chance", line={"dash": "dot", "color": "gray"}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
    figure.add_annotation(x=at[0], y=at[1], text="chance", showarrow=False, yshift=-12, xshift=14, font_color="gray")


def _square(figure: Any, across: str, up: str, models: int = 1) -> Any:
    """Both axes are shares. Several models, whose names may be long, may take a row of the legend each."""
    figure.update_xaxes(title=across, **_SHARE)
    figure.update_yaxes(title=up, **_SHARE)
    return apply_theme(figure, height=300 + 20 * models, legend_rows=models)
