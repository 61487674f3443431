"""Figures of training runs."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
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
from fracture.registry.metric_names import metric_title

HEIGHT = 300
"""Of the curves of one run, in px: the page shows two of them beside each other without scrolling."""

_STAR = {"symbol": "star", "size": 14, "color": ACCENT}
"""The best epoch, in every chart."""


def training_curves(
    history: Mapping[str, Sequence[float]],
    metric: str,
    epochs: int,
    kept_epoch: int | None,
    steps: Sequence[tuple[float, float]] = (),
    *,
    scale: Mapping[str, Sequence[float]] | None = None,
) -> Any:
    """One metric over the epochs, training and validation.

    Args:
        history: values by Keras's names (``loss``, ``val_loss``, ...), one for each epoch that is done.
        metric: ``loss``, ``accuracy`` or ``auc``.
        epochs: planned for the whole run, so that the axis does not jump while the curves grow.
        kept_epoch: 1-based epoch to mark; None marks none.
        steps: (epochs from 0, metric) within the epochs: a faint line beneath, which is cut off where it leaves the
            range of the epochs.
        scale: a history that the axis has room for, where ``history`` is only the beginning of it.
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
            marker=_STAR,
        )
    _set_epoch_axis(figure, epochs, 0 if steps else 0.5)
    whole = history if scale is None else scale
    _set_metric_axis(figure, metric, [*whole.get(metric, []), *whole.get(f"val_{metric}", [])])
    return apply_theme(figure, HEIGHT)


def followed_curves(
    probabilities: Mapping[int, Sequence[float]], labels: Sequence[int], title: str, epochs: int
) -> Any:
    """The probabilities of a few images over the epochs, each line in the color of the true label.

    Args:
        probabilities: by epoch (1-based), one for each image.
        labels: 0 or 1, one for each image.
        title: of the axis, which names the label whose probability it is.
        epochs: planned for the whole run.
    """
    figure = go.Figure()
    for place, label in enumerate(labels):
        values = {epoch: each[place] for epoch, each in probabilities.items()}
        _add_followed_line(figure, f"Image {place + 1}", values, label)
    figure.add_hline(0.5, line={"color": TRAINING, "width": 1, "dash": "dot"})
    _set_epoch_axis(figure, epochs, 0.5)
    figure.update_yaxes(title=title, tickformat=".0%", range=(-0.02, 1.02))
    figure.update_layout(title=title, hovermode="x unified")
    return apply_theme(figure, HEIGHT, legend_rows=0)


def _add_followed_line(figure: Any, name: str, values: Mapping[int, float], label: int) -> None:
    color, dash = (POSITIVE_COLOR, "solid") if label else (NEGATIVE_COLOR, "dash")
    figure.add_scatter(
        x=list(values),
        y=list(values.values()),
        name=name,
        mode="lines" if len(values) > 1 else "markers",
        line={"color": color, "width": 2, "dash": dash},
        marker={"color": color},
        showlegend=False,
        hovertemplate=f"%{{y:.0%}}<extra>{name}</extra>",
    )


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
    # Keras computes it over the images of an epoch, also where the card's own is by study.
    name = f"{metric_title(metric)} by image" if metric == "auc" else metric_title(metric)
    figure.update_yaxes(title=name, tickformat=".3~g", range=metric_range(metric, values))
    figure.update_layout(title=name, hovermode="x unified")


def _set_epoch_axis(figure: Any, epochs: int, start: float) -> None:
    """An axis over all epochs, with at most ten numbers."""
    last = max(epochs, 1)
    figure.update_xaxes(title="Epoch", range=[start, last + 0.5], tick0=1, dtick=ceil(last / 10))


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the largest validation AUC so far; of equal ones, or without AUC, of the lowest loss.

    None where no epoch is done yet.
    """
    losses = history.get("val_loss", [])
    aucs = history.get("val_auc", [0.0] * len(losses))
    scores = list(zip(aucs, (-loss for loss in losses), strict=True))
    known = [epoch for epoch, score in enumerate(scores) if np.isfinite(score).all()]
    return max(known, key=scores.__getitem__) + 1 if known else None
