"""Figures of training runs."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fracture.charts.style import (
    ACCENT,
    NEGATIVE_COLOR,
    POSITIVE_COLOR,
    TRAINING,
    VALIDATION,
    apply_theme,
    colors,
    metric_range,
)
from fracture.charts.vega import HEIGHT, ROW_HEIGHT, STAR, VegaChart
from fracture.files import JsonObject
from fracture.registry.metric_names import metric_title

STEPS = "Training, within epochs"
BEST = "Best epoch"

_STAR = {"symbol": "star", "size": 14, "color": ACCENT}
"""The best epoch, in Plotly's charts."""


def training_curves(
    history: Mapping[str, Sequence[float]],
    metric: str,
    epochs: int,
    kept_epoch: int | None,
    steps: Sequence[tuple[float, float]] = (),
    *,
    scale: Mapping[str, Sequence[float]] | None = None,
) -> VegaChart:
    """One metric over the epochs, training and validation.

    The specification is the same for all epochs of a run, so that the curves grow in place.

    Args:
        history: values by Keras's names (``loss``, ``val_loss``, ...), one for each epoch that is done.
        metric: ``loss``, ``accuracy`` or ``auc``.
        epochs: planned for the whole run, so that the axis does not jump while the curves grow.
        kept_epoch: 1-based epoch to mark; None marks none.
        steps: (epochs from 0, metric) within the epochs: a faint line beneath, which is cut off where it leaves the
            range of the epochs.
        scale: a history that the axis has room for, where ``history`` is only the beginning of it.
    """
    validation = history.get(f"val_{metric}", [])
    star = [(kept_epoch, validation[kept_epoch - 1])] if kept_epoch and len(validation) >= kept_epoch else []
    points = {
        STEPS: steps,
        "Training": list(enumerate(history.get(metric, []), 1)),
        "Validation": list(enumerate(validation, 1)),
        BEST: star,
    }
    rows = [(part, epoch, value) for part, line in points.items() for epoch, value in line]
    data = pd.DataFrame(rows, columns=["part", "epoch", "value"]).astype({"epoch": float, "value": float})
    whole = history if scale is None else scale
    up = metric_range(metric, [*whole.get(metric, []), *whole.get(f"val_{metric}", [])])
    # From the very beginning of the first epoch where there are points within it.
    return VegaChart(data, _training_spec(metric, epochs, 0 if steps else 0.5, up))


def _training_spec(metric: str, epochs: int, start: float, up: tuple[float, float]) -> JsonObject:
    name = _metric_name(metric)
    tooltip = _told(name, ".3f")
    steps = {"type": "line", "color": TRAINING, "strokeWidth": 1, "opacity": 0.35, "clip": True}
    return {
        "title": {"text": name, "offset": 0},
        "height": HEIGHT,
        "encoding": {"x": _epoch_axis(epochs, start), "y": _value_axis(up, ".3~g")},
        "layer": [
            {"transform": _only(STEPS), "mark": steps},
            {
                "transform": _only(*_LINES),
                "mark": {"type": "line", "point": {"size": 12}},
                "encoding": {**_line_encoding(), "tooltip": tooltip},
            },
            {
                "transform": _only(BEST),
                "mark": {"type": "point", "filled": True, "size": 320, "opacity": 1, "color": ACCENT},
                "encoding": {"shape": _star_encoding(), "tooltip": tooltip},
            },
        ],
    }


def _only(*parts: str) -> list[JsonObject]:
    return [{"filter": " | ".join(f"(datum.part == '{part}')" for part in parts)}]


_LINES = ["Training", "Validation"]
_LEGEND = {"title": None, "orient": "top", "offset": 4, "padding": 0}


def _line_encoding() -> JsonObject:
    legend = {**_LEGEND, "symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolSize": 400}
    line = {"field": "part", "type": "nominal", "legend": legend}
    return {
        "color": {**line, "scale": {"domain": _LINES, "range": [TRAINING, VALIDATION]}},
        "strokeDash": {**line, "scale": {"domain": _LINES, "range": [[2, 3], [1, 0]]}},
        "strokeWidth": {"condition": {"test": "datum.part == 'Validation'", "value": 2.5}, "value": 1.5},
    }


def _star_encoding() -> JsonObject:
    legend = {**_LEGEND, "symbolFillColor": ACCENT, "symbolStrokeColor": ACCENT, "symbolSize": 200}
    # Not by the field of the lines, whose legend Vega would join with this one.
    return {"datum": BEST, "type": "nominal", "scale": {"domain": [BEST], "range": [STAR]}, "legend": legend}


def followed_curves(
    probabilities: Mapping[int, Sequence[float]], labels: Sequence[int], title: str, epochs: int
) -> VegaChart:
    """The probabilities of a few images over the epochs, each line in the color of the true label.

    Args:
        probabilities: by epoch (1-based), one for each image.
        labels: 0 or 1, one for each image.
        title: of the axis, which names the label whose probability it is.
        epochs: planned for the whole run.
    """
    rows = [
        (f"Image {place + 1}", label, epoch, each[place])
        for place, label in enumerate(labels)
        for epoch, each in probabilities.items()
    ]
    return VegaChart(pd.DataFrame(rows, columns=["part", "label", "epoch", "value"]), _followed_spec(title, epochs))


def _followed_spec(title: str, epochs: int) -> JsonObject:
    label = {"field": "label", "type": "nominal", "legend": None}
    color = {**label, "scale": {"domain": [0, 1], "range": [NEGATIVE_COLOR, POSITIVE_COLOR]}}
    dashes = {**label, "scale": {"domain": [0, 1], "range": [[6, 4], [1, 0]]}}
    image = {"field": "part", "type": "nominal"}
    lines = {
        "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 12}},
        "encoding": {"color": color, "strokeDash": dashes, "detail": image, "tooltip": _told(title, ".0%")},
    }
    half = {
        "mark": {"type": "rule", "color": TRAINING, "strokeWidth": 1, "strokeDash": [2, 3]},
        "encoding": {"y": {"datum": 0.5}, "x": None},
    }
    return {
        "title": title,
        "height": ROW_HEIGHT,
        "encoding": {"x": _epoch_axis(epochs, 0.5), "y": _value_axis((-0.02, 1.02), ".0%")},
        "layer": [half, lines],
    }


def _told(title: str, number: str) -> list[JsonObject]:
    """What the pointer tells, and the numbers' file contains."""
    return [{"field": "epoch", "title": "Epoch"}, {"field": "value", "title": title, "format": number}]


def _epoch_axis(epochs: int, start: float) -> JsonObject:
    """An axis over all epochs, with at most ten numbers."""
    last = max(epochs, 1)
    axis = {"values": list(range(1, last + 1, ceil(last / 10))), "format": "d", "grid": False}
    scale = {"domain": [start, last + 0.5], "nice": False}
    return {"field": "epoch", "type": "quantitative", "title": "Epoch", "scale": scale, "axis": axis}


def _value_axis(ends: tuple[float, float], number: str) -> JsonObject:
    scale = {"domain": list(ends), "nice": False}
    axis = {"format": number, "tickCount": 6}
    return {"field": "value", "type": "quantitative", "title": None, "scale": scale, "axis": axis}


class RunHistory(NamedTuple):
    """The epochs of a run that are done so far."""

    history: Mapping[str, Sequence[float]]
    """Values by Keras's names (``loss``, ``val_loss``, ...)."""
    kept_epoch: int | None
    """1-based; None where none is kept yet."""


def compared_curves(runs: Mapping[str, RunHistory], metric: str, epochs: int) -> Any:
    """One metric over the epochs of several runs by their names.

    Each run has a color: validation as a line with a green star at the epoch whose weights the model keeps, training
    dotted.

    Args:
        runs: as far as each has come; one without the metric has no line.
        metric: ``loss``, ``accuracy`` or ``auc``.
        epochs: planned for the longest of them, so that the axis does not jump while the curves grow.
    """
    figure = go.Figure()
    values: list[float] = []
    for name, color in colors(runs).items():
        history, kept = runs[name]
        training = history.get(metric, [])
        validation = history.get(f"val_{metric}", [])
        _add_line(figure, f"{name}, training", training, color, "dot", in_legend=False)
        _add_line(figure, name, validation, color, "solid")
        values += [*training, *validation]
        if kept and len(validation) >= kept:
            star = {**_STAR, "line": {"color": color, "width": 1.5}}
            figure.add_scatter(
                x=[kept], y=[validation[kept - 1]], mode="markers", marker=star, showlegend=False, hoverinfo="skip"
            )
    _set_epoch_axis(figure, epochs)
    _set_metric_axis(figure, metric, values)
    return apply_theme(figure, height=300 + 20 * len(runs), legend_rows=len(runs))


def _add_line(
    figure: Any, name: str, values: Sequence[float], color: str, dash: str, *, in_legend: bool = True
) -> None:
    figure.add_scatter(
        x=list(range(1, len(values) + 1)),
        y=list(values),
        name=name,
        mode="lines" if len(values) > 1 else "markers",
        showlegend=in_legend,
        line={"color": color, "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
        hovertemplate=f"%{{y:.3f}}<extra>{name}</extra>",
    )


def _metric_name(metric: str) -> str:
    # Keras computes the AUC over the images of an epoch, also where the card's own is by study.
    return f"{metric_title(metric)} by image" if metric == "auc" else metric_title(metric)


def _set_metric_axis(figure: Any, metric: str, values: Sequence[float]) -> None:
    """Name the metric, on an axis that does not mislead."""
    name = _metric_name(metric)
    figure.update_yaxes(title=name, tickformat=".3~g", range=metric_range(metric, values))
    figure.update_layout(title=name, hovermode="x unified")


def _set_epoch_axis(figure: Any, epochs: int) -> None:
    """An axis over all epochs, with at most ten numbers."""
    last = max(epochs, 1)
    figure.update_xaxes(title="Epoch", range=[0.5, last + 0.5], tick0=1, dtick=ceil(last / 10))


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the largest validation AUC so far; of equal ones, or without AUC, of the lowest loss.

    None where no epoch is done yet.
    """
    losses = history.get("val_loss", [])
    aucs = history.get("val_auc", [0.0] * len(losses))
    scores = list(zip(aucs, (-loss for loss in losses), strict=True))
    known = [epoch for epoch, score in enumerate(scores) if np.isfinite(score).all()]
    return max(known, key=scores.__getitem__) + 1 if known else None
