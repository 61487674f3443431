"""Figures of heads that train at once: one beside those before it, and many together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fracture.charts.style import ACCENT, NEGATIVE, POSITIVE, TRAINING, VALIDATION, apply_theme, metric_range
from fracture.charts.vega import HEIGHT, Moving

GHOSTS = 6
"""Tries before the one at hand that are still shown."""

_TITLES = {"loss": "Loss", "val_auc": "Validation AUC"}


def tries(histories: Sequence[Mapping[str, Sequence[float]]], kept_epoch: int, metrics: Sequence[str]) -> Moving:
    """Curves of the last of several trainings, and of those before it as ghosts.

    Args:
        histories: values by epoch, by Keras's names, the training at hand last.
        kept_epoch: its 1-based epoch to mark.
        metrics: one name, or those of training and validation.
    """
    shown = histories[-1 - GHOSTS :]
    parts = [
        pd.DataFrame({"epoch": range(1, len(each[name]) + 1), "value": each[name], "line": name, "age": age})
        for age, each in zip(range(len(shown) - 1, -1, -1), shown, strict=True)
        for name in metrics
    ]
    data = pd.concat(parts, ignore_index=True)
    data["kept"] = (data["age"] == 0) & (data["epoch"] == kept_epoch) & (data["line"] == metrics[-1])
    data["try"] = data["line"] + " " + data["age"].astype(str)
    return Moving(data, _tries_spec(metrics, metric_range(metrics[0], data["value"])))


def _tries_spec(metrics: Sequence[str], up: tuple[float, float]) -> dict[str, Any]:
    names = ["Training", "Validation"][-len(metrics) :]
    colour = {
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
    dashes = {**colour, "scale": {"domain": list(metrics), "range": [[2, 3], [1, 0]][-len(metrics) :]}}
    ghostly = {"condition": {"test": "datum.age == 0", "value": 1}, "value": 0.22}
    said = [{"field": "epoch", "title": "Epoch"}, {"field": "value", "title": "Value", "format": ".3f"}]
    line = {"field": "try", "type": "nominal"}
    thick = {"condition": {"test": "datum.age == 0", "value": 2.5}, "value": 1.5}
    return {
        "title": {"text": _TITLES[metrics[0]], "offset": 0},
        "height": HEIGHT,
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": {"tickMinStep": 1}},
            "y": {"field": "value", "type": "quantitative", "title": None, "scale": {"domain": up, "nice": False}},
            "color": colour,
        },
        "layer": [
            {
                "mark": {"type": "line", "point": {"size": 12}},
                "encoding": {
                    "detail": line,
                    "strokeDash": dashes,
                    "opacity": ghostly,
                    "strokeWidth": thick,
                    "tooltip": said,
                },
            },
            {
                "transform": [{"filter": "datum.kept"}],
                "mark": {"type": "point", "filled": True, "size": 160, "opacity": 1, "shape": "diamond"},
                "encoding": {"color": {"value": ACCENT}, "tooltip": said},
            },
        ],
    }


def more_patients(points: pd.DataFrame) -> Any:
    """The learning curve: ``groups`` and ``auc`` of several heads each, as points, and their mean as a line."""
    means = points.groupby("groups", as_index=False)["auc"].mean()
    figure = go.Figure()
    figure.add_scatter(
        x=means["groups"], y=means["auc"], mode="lines", name="Mean", line={"color": VALIDATION, "width": 2}
    )
    figure.add_scatter(
        x=points["groups"], y=points["auc"], mode="markers", name="One draw of patients",
        marker={"color": VALIDATION, "opacity": 0.5, "size": 8}, customdata=points["images"],
        hovertemplate="%{x} patients, %{customdata} images: AUC %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="Training patients (or groups)", type="log", tickvals=means["groups"].tolist())
    figure.update_yaxes(title="Validation AUC", range=metric_range("auc", points["auc"]))
    figure.update_layout(title="Learning curve")
    return apply_theme(figure)


def searched(found: pd.DataFrame) -> Any:
    """Choices and what came of them, a line a try, as parallel coordinates.

    ``found``: learning_rate, dropout, l2, and the AUCs chosen_by and other.
    """
    logarithmic = [_on_decades(found, name, title) for name, title in (("learning_rate", "Rate"), ("l2", "L2"))]
    both = [*found["chosen_by"], *found["other"]]
    auc = {"tickformat": ".3f", "range": metric_range("auc", both)}
    figure = go.Figure(
        go.Parcoords(
            labelfont={"size": 14},
            tickfont={"size": 12},
            line={"color": found["chosen_by"], "colorscale": "Viridis", "showscale": False},
            dimensions=[
                logarithmic[0],
                {"label": "Dropout", "values": found["dropout"], "range": [0, max(0.6, found["dropout"].max())]},
                logarithmic[1],
                {"label": "Chosen by", "values": found["chosen_by"], **auc},
                {"label": "Other half", "values": found["other"], **auc},
            ],
        )
    )
    apply_theme(figure)
    figure.update_layout(margin={"l": 60, "r": 60, "t": 60, "b": 24})
    return figure


def _on_decades(found: pd.DataFrame, name: str, title: str) -> dict[str, Any]:
    values = np.log10(found[name])
    ticks = list(range(int(np.floor(values.min())), int(np.ceil(values.max())) + 1))
    return {"label": title, "values": values, "tickvals": ticks, "ticktext": [f"1e{tick}" for tick in ticks]}


def gaps_of_splits(outcomes: pd.DataFrame) -> Any:
    """The AUC on held-out images where images were split and where groups were: a line for each split.

    ``outcomes``: way (image or group), seed, auc.
    """
    figure = go.Figure()
    names = {"group": "Split by patient", "image": "Split by image"}
    for seed, both in outcomes.groupby("seed"):
        ordered = both.set_index("way").reindex(["group", "image"])["auc"]
        figure.add_scatter(
            x=list(names.values()), y=ordered, mode="lines", line={"color": "gray", "width": 1}, showlegend=False,
            hoverinfo="skip", name=f"Split {seed}",
        )  # fmt: skip
    for way, colour in (("group", NEGATIVE), ("image", POSITIVE)):
        those = outcomes[outcomes["way"] == way]
        figure.add_scatter(
            x=[names[way]] * len(those), y=those["auc"], mode="markers", marker={"color": colour, "size": 10},
            name=names[way], showlegend=False, hovertemplate="AUC %{y:.3f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0.5, line={"dash": "dot", "color": "gray"}, annotation_text="chance")
    figure.update_yaxes(title="AUC on held-out images", range=metric_range("auc", outcomes["auc"]))
    figure.update_xaxes(range=[-0.4, 1.4])
    figure.update_layout(title="The same images, split in two ways")
    return apply_theme(figure)
