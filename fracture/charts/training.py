"""Figures of training runs."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from fracture.charts.style import ACCENT, TRAINING, VALIDATION, apply_theme, colors, metric_range
from fracture.registry.metric_names import metric_title


def training_curves(
    history: Mapping[str, Sequence[float]],
    metric: str,
    epochs: int,
    kept_epoch: int | None,
    steps: Sequence[tuple[float, float]] = (),
) -> Any:
    """One metric over the epochs, training and validation.

    Args:
        history: values by Keras's names (``loss``, ``val_loss``, ...), one for each epoch that is done.
        metric: ``loss``, ``accuracy`` or ``auc``.
        epochs: planned for the whole run, so that the axis does not jump while the curves grow.
        kept_epoch: 1-based epoch to mark; None marks none.
        steps: (epochs from 0, metric) within the epochs: a faint line beneath, which is cut off where it leaves the
            range of the epochs.
    """
    figure = go.Figure()
    if steps:
        places, losses = zip(*steps, strict=True)
        thin = {"color": TRAINING, "width": 1}
        figure.add_scatter(
            x=places, y=losses, name="Training, within epochs", mode="lines", line=thin, opacity=0.35, hoverinfo="skip"
        )
    training = list(history.get(metric, []))
    validation = list(history.get(f"val_{metric}", []))
    _add_line(figure, "Training", training, TRAINING, "dot")
    _add_line(figure, "Validation", validation, VALIDATION, "solid")
    if kept_epoch and len(validation) >= kept_epoch:
        figure.add_scatter(
            x=[kept_epoch],
            y=[validation[kept_epoch - 1]],
            name=f"Best epoch ({kept_epoch})",
            mode="markers",
            marker={"symbol": "star", "size": 14, "color": ACCENT},
        )
    _set_epoch_axis(figure, epochs, 0 if steps else 0.5)
    _set_metric_axis(figure, metric, [*training, *validation])
    return apply_theme(figure)


class RunHistory(NamedTuple):
    """The epochs of a run that are done so far."""

    history: Mapping[str, Sequence[float]]
    """Values by Keras's names (``loss``, ``val_loss``, ...)."""
    kept_epoch: int | None
    """1-based; None where none is kept yet."""


def compared_curves(runs: Mapping[str, RunHistory], metric: str, epochs: int) -> Any:
    """One metric over the epochs of several runs by their names.

    Each run has a color: validation as a line with a star at the epoch whose weights the model keeps, training dotted.

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
            star = {"symbol": "star", "size": 14, "color": color}
            figure.add_scatter(
                x=[kept], y=[validation[kept - 1]], mode="markers", marker=star, showlegend=False, hoverinfo="skip"
            )
    _set_epoch_axis(figure, epochs, 0.5)
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


def _set_metric_axis(figure: Any, metric: str, values: Sequence[float]) -> None:
    """Name the metric, on an axis that does not mislead."""
    name = metric_title(metric)
    figure.update_yaxes(title=name, tickformat=".3~g", range=metric_range(metric, values))
    figure.update_layout(title=name, hovermode="x unified")


def _set_epoch_axis(figure: Any, epochs: int, start: float) -> None:
    """An axis over all epochs, with at most ten numbers."""
    last = max(epochs, 1)
    figure.update_xaxes(title="Epoch", range=[start, last + 0.5], tick0=1, dtick=ceil(last / 10))


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the largest validation AUC so far, or where there is none of the lowest validation loss.

    None where no epoch is done yet.
    """
    # The lowest loss is the highest of the negatives; an epoch of NaN is passed over.
    losses = history.get("val_loss", [])
    scores = history.get("val_auc", [-loss for loss in losses])
    if not np.isfinite(scores).any():
        return None
    return int(np.nanargmax(scores)) + 1
