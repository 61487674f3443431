"""Figures of a training."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fracture.charts.style import ACCENT, TRAINING, VALIDATION, plain

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
        steps: where within the epochs, from 0, and the metric there: a faint line beneath.
    """
    figure = go.Figure()
    if steps:
        places, losses = zip(*steps, strict=True)
        thin = {"color": TRAINING, "width": 1}
        figure.add_scatter(x=places, y=losses, name="Steps", mode="lines", line=thin, opacity=0.35, hoverinfo="skip")
    for key, name, colour in ((metric, "Training", TRAINING), (f"val_{metric}", "Validation", VALIDATION)):
        values = list(history.get(key, []))
        mode = "lines" if len(values) > 1 else "markers"
        at = list(range(1, len(values) + 1))
        figure.add_scatter(x=at, y=values, name=name, mode=mode, line={"color": colour, "width": 2})
    if kept_epoch and len(history.get(f"val_{metric}", [])) >= kept_epoch:
        best = history[f"val_{metric}"][kept_epoch - 1]
        figure.add_scatter(
            x=[kept_epoch], y=[best], name=f"Best epoch ({kept_epoch})", mode="markers",
            marker={"symbol": "star", "size": 14, "color": ACCENT},
        )  # fmt: skip
    figure.update_xaxes(
        title="Epoch", range=[0 if steps else 0.5, max(epochs, 1) + 0.5], tick0=1, dtick=ceil(max(epochs, 1) / 10)
    )
    if not history.get(metric) and metric != "loss":
        figure.update_yaxes(range=[0, 1])
    figure.update_yaxes(title=_NAMES.get(metric, metric), tickformat=".3~g")
    figure.update_layout(title=_NAMES.get(metric, metric), hovermode="x unified")
    return plain(figure)


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the largest validation AUC so far, or where there is none of the lowest validation loss.

    None where there is no epoch yet.
    """
    worth = history["val_auc"] if "val_auc" in history else [-loss for loss in history.get("val_loss", [])]
    return int(np.nanargmax(worth)) + 1 if np.isfinite(worth).any() else None
