"""Figures of heads on cached features: one trial beside the trials before it, and many together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fracture.charts.style import (
    ACCENT,
    MODEL,
    TRAINING,
    VALIDATION,
    apply_theme,
    metric_range,
)
from fracture.charts.vega import HEIGHT, STAR, VegaChart
from fracture.estimate import Estimate
from fracture.files import JsonObject
from fracture.registry.metric_names import metric_title

EARLIER = 6
"""Trials before the latest one that are still shown."""


def trial_curves(
    histories: Sequence[Mapping[str, Sequence[float]]], kept_epoch: int, metrics: Sequence[str]
) -> VegaChart:
    """Curves of the latest of several trials, with the trials before it as faint lines.

    Args:
        histories: values by epoch, by Keras's names, the latest trial last.
        kept_epoch: its 1-based epoch to mark.
        metrics: one name, or those of training and validation.
    """
    shown = histories[-1 - EARLIER :]
    ages = range(len(shown) - 1, -1, -1)
    parts = []
    for age, history in zip(ages, shown, strict=True):
        for name in metrics:
            values = history[name]
            epochs = range(1, len(values) + 1)
            title = f"{_line_title(name)}, {_describe_age(age)}"
            lines = {"epoch": epochs, "value": values, "line": name, "age": age, "trial": title}
            parts.append(pd.DataFrame(lines))
    data = pd.concat(parts, ignore_index=True)
    data["kept"] = (data["age"] == 0) & (data["epoch"] == kept_epoch) & (data["line"] == metrics[-1])
    return VegaChart(data, _trials_spec(metrics, metric_range(metrics[0], data["value"])))


def _line_title(name: str) -> str:
    return "Validation" if name.startswith("val_") else "Training"


def _describe_age(age: int) -> str:
    """How many trials before the latest one."""
    return ("latest trial", "trial before")[age] if age < 2 else f"{age} trials before"


def _trials_spec(metrics: Sequence[str], up: tuple[float, float]) -> JsonObject:
    # One metric alone is that of validation: its name, color and dashes come last.
    names = [_line_title(name) for name in metrics]
    color = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": list(metrics), "range": [TRAINING, VALIDATION][-len(metrics) :]},
        "legend": {
            "title": None,
            "orient": "top",
            "offset": 4,
            "padding": 0,
            "symbolType": "stroke",
            "symbolStrokeWidth": 2.5,
            "symbolSize": 400,
            "labelExpr": f"{dict(zip(metrics, names, strict=True))}[datum.label]",
        },
    }
    dashes = {**color, "scale": {"domain": list(metrics), "range": [[2, 3], [1, 0]][-len(metrics) :]}}
    faded = {"condition": {"test": "datum.age == 0", "value": 1}, "value": 0.22}
    told = {"trial": {"title": "Line"}, "epoch": {"title": "Epoch"}, "value": {"title": "Value", "format": ".3f"}}
    tooltip = [{"field": field, **given} for field, given in told.items()]
    line = {"field": "trial", "type": "nominal"}
    thick = {"condition": {"test": "datum.age == 0", "value": 2.5}, "value": 1.5}
    return {
        "title": {"text": _trials_title(metrics), "offset": 0},
        "height": HEIGHT,
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"tickMinStep": 1}},
            "y": {"field": "value", "type": "quantitative", "title": None, "scale": {"domain": up, "nice": False}},
            "color": color,
        },
        "layer": [
            {
                "mark": {"type": "line", "point": {"size": 12}},
                "encoding": {
                    "detail": line,
                    "strokeDash": dashes,
                    "opacity": faded,
                    "strokeWidth": thick,
                    "tooltip": tooltip,
                },
            },
            {
                "transform": [{"filter": "datum.kept"}],
                "mark": {"type": "point", "filled": True, "size": 320, "opacity": 1, "shape": STAR},
                "encoding": {"color": {"value": ACCENT}, "tooltip": tooltip},
            },
        ],
    }


def _trials_title(metrics: Sequence[str]) -> str:
    title = metric_title(metrics[0])
    return title if len(metrics) > 1 else f"Validation {title}"


def learning_curve(points: pd.DataFrame) -> Any:
    """The learning curve: ``groups`` and ``auc`` of several heads each, as points, and their mean as a line."""
    means = points.groupby("groups", as_index=False)["auc"].mean()
    figure = go.Figure()
    figure.add_scatter(
        x=means["groups"], y=means["auc"], mode="lines", name="Mean", line={"color": VALIDATION, "width": 2}
    )
    figure.add_scatter(
        x=points["groups"],
        y=points["auc"],
        mode="markers",
        name="One random subset",
        marker={"color": VALIDATION, "opacity": 0.5, "size": 8},
        customdata=points["images"],
        hovertemplate="%{x} patients, %{customdata} images: AUC %{y:.3f}<extra></extra>",
    )
    figure.update_xaxes(title="Training patients (or groups)", type="log", tickvals=means["groups"].tolist())
    figure.update_yaxes(title="Validation AUC", range=metric_range("auc", points["auc"]))
    figure.update_layout(title="Learning curve")
    return apply_theme(figure)


def parallel_coordinates(found: pd.DataFrame) -> Any:
    """Hyperparameters and the resulting AUCs, a line a trial.

    ``found``: learning_rate, dropout, l2, and the AUCs chosen_by and other.
    """
    both = [*found["chosen_by"], *found["other"]]
    auc = {"tickformat": ".3f", "range": metric_range("auc", both)}
    figure = go.Figure(
        go.Parcoords(
            labelfont={"size": 14},
            tickfont={"size": 12},
            line={"color": found["chosen_by"], "colorscale": "Viridis", "showscale": False},
            dimensions=[
                _log_dimension(found, "learning_rate", "Rate"),
                {"label": "Dropout", "values": found["dropout"], "range": [0, max(0.6, found["dropout"].max())]},
                _log_dimension(found, "l2", "L2"),
                {"label": "Selection", "values": found["chosen_by"], **auc},
                {"label": "Other half", "values": found["other"], **auc},
            ],
        )
    )
    apply_theme(figure)
    figure.update_layout(margin={"l": 60, "r": 60, "t": 60, "b": 24})
    return figure


def _log_dimension(found: pd.DataFrame, name: str, title: str) -> JsonObject:
    values = np.log10(found[name])
    ticks = list(range(int(np.floor(values.min())), int(np.ceil(values.max())) + 1))
    texts = [f"1e{tick}" for tick in ticks]
    return {"label": title, "name": f"log10 {name}", "values": values, "tickvals": ticks, "ticktext": texts}


def leakage_gaps(outcomes: pd.DataFrame) -> Any:
    """The AUC on held-out images, split by image and split by group: a line for each pair of splits.

    ``outcomes``: way (image or group), seed, auc.
    """
    figure = go.Figure()
    names = {"group": "Split by patient", "image": "Split by image"}
    for seed, both in outcomes.groupby("seed"):
        ordered = both.set_index("way").reindex(["group", "image"])["auc"]
        figure.add_scatter(
            x=list(names.values()),
            y=ordered,
            mode="lines",
            line={"color": "gray", "width": 1},
            showlegend=False,
            hoverinfo="skip",
            name=f"Split {seed}",
        )
    for way, color in (("group", TRAINING), ("image", MODEL)):
        points = outcomes[outcomes["way"] == way]
        figure.add_scatter(
            x=[names[way]] * len(points),
            y=points["auc"],
            mode="markers",
            marker={"color": color, "size": 10},
            name=names[way],
            showlegend=False,
            hovertemplate="AUC %{y:.3f}<extra></extra>",
        )
    figure.add_hline(y=0.5, line={"dash": "dot", "color": "gray"}, annotation_text="chance")
    figure.update_yaxes(title="AUC on held-out images", range=metric_range("auc", outcomes["auc"]))
    figure.update_xaxes(range=[-0.4, 1.4])
    figure.update_layout(title="Held-out AUC by kind of split")
    return apply_theme(figure)


def auc_intervals(aucs: Mapping[str, Estimate], title: str) -> Any:
    """AUCs with their 95 % intervals, one above the other, the first at the top.

    Args:
        aucs: by the words beside each.
        title: what they are AUCs of.
    """
    known = {name: each for name, each in aucs.items() if each["value"] is not None}
    values = [each["value"] or 0.0 for each in known.values()]
    # A bound of 0 is a bound, and none is no interval.
    high = [value if each["high"] is None else each["high"] for each, value in zip(known.values(), values, strict=True)]
    low = [value if each["low"] is None else each["low"] for each, value in zip(known.values(), values, strict=True)]
    above = [bound - value for bound, value in zip(high, values, strict=True)]
    below = [value - bound for bound, value in zip(low, values, strict=True)]
    figure = go.Figure()
    figure.add_scatter(
        x=values,
        y=list(known),
        mode="markers",
        marker={"color": MODEL, "size": 11},
        error_x={"type": "data", "array": above, "arrayminus": below, "thickness": 2, "width": 0},
        showlegend=False,
        hovertemplate="%{y}: AUC %{x:.3f}<extra></extra>",
    )
    lowest = [value - under for value, under in zip(values, below, strict=True)]
    figure.update_xaxes(title="AUC", range=metric_range("auc", lowest))
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(title=title)
    return apply_theme(figure, height=300)
