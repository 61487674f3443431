"""Plotly figures from plain data; pages and notebooks share them.

Colours are after Okabe and Ito (2008), whose palette people with colour-blindness can tell apart, the blue lightened so
that it stands out on light and on dark ground alike. Backgrounds are transparent: a figure takes the ground it is on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image, ImageDraw

NEGATIVE, POSITIVE, ACCENT = "#2E86C9", "#D55E00", "#009E73"
TRAINING, VALIDATION = NEGATIVE, POSITIVE
FOR, AGAINST = (255, 96, 0), (0, 128, 255)
"""RGB of the heat map: what speaks for the positive label, and what against it."""

TRUTH = (240, 228, 66)
"""RGB of what is known to be there."""

_NAMES = {"loss": "Loss", "accuracy": "Accuracy"}


def curves(history: Mapping[str, Sequence[float]], metric: str, epochs: int, kept_epoch: int | None) -> Any:
    """One metric over the epochs, training and validation.

    Args:
        history: values by Keras's names (``loss``, ``val_loss``, ...), as far as the training has come.
        metric: ``loss`` or ``accuracy``.
        epochs: of the whole training, so that the axis does not jump while it grows.
        kept_epoch: 1-based epoch to mark; None marks none.
    """
    figure = go.Figure()
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
    figure.update_xaxes(title="Epoch", range=[0.5, max(epochs, 1) + 0.5], tickformat="d")
    figure.update_yaxes(title=_NAMES.get(metric, metric), tickformat=".3~g")
    figure.update_layout(title=_NAMES.get(metric, metric), hovermode="x unified")
    return _plain(figure)


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The 1-based epoch of the lowest validation loss so far; None where there is none yet."""
    losses = list(history.get("val_loss", []))
    return int(np.nanargmin(losses)) + 1 if np.isfinite(losses).any() else None


def class_balance(counts: pd.DataFrame, label_names: tuple[str, str], by: str) -> Any:
    """Images of each label, by ``split`` or ``body_part``; ``counts`` as :func:`fracture.data.dataset.counts` gives."""
    figure = go.Figure()
    totals = counts.groupby([by, "label"])["images"].sum().unstack("label", fill_value=0)
    for label, colour in enumerate((NEGATIVE, POSITIVE)):
        values = totals[label].tolist() if label in totals else [0] * len(totals)
        figure.add_bar(
            x=totals.index.tolist(), y=values, name=label_names[label], marker_color=colour,
            text=[f"{value:,}" if value else "" for value in values],
        )  # fmt: skip
    figure.update_layout(title=f"Images by {by.replace('_', ' ')}", barmode="group")
    figure.update_xaxes(type="category")
    return _plain(figure)


def confusion(cells: Mapping[str, int], label_names: tuple[str, str]) -> Any:
    """The confusion matrix, rows by truth: each cell its count and its share of the row."""
    matrix = np.array(
        [[cells["true_negative"], cells["false_positive"]], [cells["false_negative"], cells["true_positive"]]]
    )
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    text = [[f"{matrix[r, c]:,}<br>{share[r, c]:.0%}" for c in range(2)] for r in range(2)]
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=list(label_names),
            y=list(label_names),
            text=text,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale="Blues",
            showscale=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title="Model says", side="bottom")
    figure.update_yaxes(title="Truth", autorange="reversed")
    figure.update_layout(title="Confusion matrix")
    return _plain(figure)


def roc(label: NDArray[Any], probability: NDArray[Any], threshold: float) -> Any:
    """Sensitivity against false alarms over all thresholds, one threshold marked. Both labels must be there."""
    from sklearn.metrics import roc_curve

    false_alarms, sensitivity, _ = roc_curve(label, probability)
    called = probability >= threshold
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="Chance", line={"dash": "dot", "color": "gray"})
    figure.add_scatter(x=false_alarms, y=sensitivity, mode="lines", name="Model", line={"color": NEGATIVE, "width": 2})
    figure.add_scatter(
        x=[called[label == 0].mean()], y=[called[label == 1].mean()], mode="markers",
        name=f"Threshold {threshold:.2f}", marker={"symbol": "star", "size": 14, "color": ACCENT},
    )  # fmt: skip
    figure.update_xaxes(title="False alarms (1 - specificity)", range=[-0.02, 1.02])
    figure.update_yaxes(title="Sensitivity", range=[-0.02, 1.02])
    figure.update_layout(title="ROC curve")
    return _plain(figure)


def heat_overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32], opacity: float, scale: float) -> Image.Image:
    """An image (H, W) with its heat map over it, in colour. The map covers the image and may be coarser: (h, w).

    Orange is what speaks for the positive label, blue what speaks against it; where the map is near zero the image
    shows through unchanged. ``scale`` is the heat that gets the full ``opacity``, 0 to 1.
    """
    picture = Image.fromarray(pixels).convert("RGB")
    share: NDArray[np.float32] = np.clip(np.abs(heat) / scale if scale > 0 else heat * 0, 0, 1)
    mask = Image.fromarray((share * (255 * opacity)).astype(np.uint8)).resize(picture.size, Image.Resampling.BILINEAR)
    colour = Image.fromarray(np.where(heat[..., None] > 0, FOR, AGAINST).astype(np.uint8)).resize(picture.size, 0)
    return Image.composite(colour, picture, mask)


def outlined(
    picture: Image.Image | NDArray[np.uint8], boxes: Sequence[tuple[float, float, float, float]], scale: float = 1.0
) -> Image.Image:
    """An image in colour with a line around each box (x, y, w, h); ``scale`` is its px per px of the boxes."""
    shown = (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).convert("RGB")
    thick = max(2, shown.width // 256)
    for x, y, w, h in boxes:
        corners = (x * scale - thick, y * scale - thick, (x + w) * scale + thick - 1, (y + h) * scale + thick - 1)
        ImageDraw.Draw(shown).rectangle(corners, outline=TRUTH, width=thick)
    return shown


def _plain(figure: Any) -> Any:
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
