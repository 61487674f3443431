"""Figures of a training."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from fracture.charts.style import ACCENT, TRAINING, VALIDATION, apply_theme, colours, metric_range

_NAMES = {"loss": "Loss", "accuracy": "Accuracy", "auc": "AUC"}


def curves(
    history: Mapping[str, Sequence[float]],
    metric: str,
    epochs: int,
    kept_epoch: int | None,
    steps: Sequence[tuple[float, float]] = (),
) -> Any:
    """One metric over the epochs, training and validation.

    Args:
        history: values by Keras's names (``loss``, ``val_loss``, ...), as far as the training has come.
        metric: ``loss`` or ``accuracy``.
        epochs: of the whole training, so that the axis does not jump while it grows.
        kept_epoch: 1-based epoch to mark; None marks none.
        steps: where within the epochs, from 0, and the metric there: a faint line beneath, which is cut off where it
            leaves the range of the epochs.
    """
    figure = go.Figure()
    if steps:
        places, losses = zip(*steps, strict=True)
        thin = {"color": TRAINING, "width": 1}
        figure.add_scatter(
            x=places, y=losses, name="Training, within epochs", mode="lines", line=thin, opacity=0.35, hoverinfo="skip"
        )
    training, validation = (list(history.get(key, [])) for key in (metric, f"val_{metric}"))
    _line(figure, "Training", training, TRAINING, "dot")
    _line(figure, "Validation", validation, VALIDATION, "solid")
    if kept_epoch and len(validation) >= kept_epoch:
        figure.add_scatter(
            x=[kept_epoch], y=[validation[kept_epoch - 1]], name=f"Best epoch ({kept_epoch})", mode="markers",
            marker={"symbol": "star", "size": 14, "color": ACCENT},
        )  # fmt: skip
    _epochs(figure, epochs, 0 if steps else 0.5)
    _metric(figure, metric, [*training, *validation])
    return apply_theme(figure)


class Learned(NamedTuple):
    """How a training went so far."""

    history: Mapping[str, Sequence[float]]
    """Values by Keras's names (``loss``, ``val_loss``, ...)."""
    kept_epoch: int | None
    """1-based; None where none is kept yet."""


def overlaid(trainings: Mapping[str, Learned], metric: str, epochs: int) -> Any:
    """One metric over the epochs of several trainings by their names.

    Each has a colour: validation as a line with a star at the epoch whose weights the model keeps, training dotted.

    Args:
        trainings: as far as each has come; one without the metric has no line.
        metric: ``loss``, ``accuracy`` or ``auc``.
        epochs: of the longest of them as planned, so that the axis does not jump while they grow.
    """
    figure, values = go.Figure(), list[float]()
    for name, colour in colours(trainings).items():
        history, kept = trainings[name]
        training, validation = (history.get(key, []) for key in (metric, f"val_{metric}"))
        _line(figure, f"{name}, training", training, colour, "dot", in_legend=False)
        _line(figure, name, validation, colour, "solid")
        values += [*training, *validation]
        if kept and len(validation) >= kept:
            star = {"symbol": "star", "size": 13, "color": colour}
            figure.add_scatter(
                x=[kept], y=[validation[kept - 1]], mode="markers", marker=star, showlegend=False, hoverinfo="skip"
            )
    _epochs(figure, epochs, 0.5)
    _metric(figure, metric, values)
    return apply_theme(figure, height=300 + 20 * len(trainings), legend_rows=len(trainings))


def _line(figure: Any, name: str, values: Sequence[float], colour: str, dash: str, *, in_legend: bool = True) -> None:
    at = list(range(1, len(values) + 1))
    figure.add_scatter(
        x=at,
        y=list(values),
        name=name,
        mode="lines" if len(values) > 1 else "markers",
        showlegend=in_legend,
        line={"color": colour, "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
        hovertemplate=f"%{{y:.3f}}<extra>{name}</extra>",
    )


def _metric(figure: Any, metric: str, values: Sequence[float]) -> None:
    """Name the metric, on an axis that does not mislead."""
    name = _NAMES.get(metric, metric)
    figure.update_yaxes(title=name, tickformat=".3~g", range=metric_range(metric, values))
    figure.update_layout(title=name, hovermode="x unified")


def _epochs(figure: Any, epochs: int, start: float) -> None:
    """An axis over all epochs, with at most ten numbers."""
    figure.update_xaxes(title="Epoch", range=[start, max(epochs, 1) + 0.5], tick0=1, dtick=ceil(max(epochs, 1) / 10))


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the largest validation AUC so far, or where there is none of the lowest validation loss.

    None where there is no epoch yet.
    """
    worth = history["val_auc"] if "val_auc" in history else [-loss for loss in history.get("val_loss", [])]
    return int(np.nanargmax(worth)) + 1 if np.isfinite(worth).any() else None
