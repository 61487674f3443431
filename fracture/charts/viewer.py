"""A radiograph large: window and level, inversion, zoom."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

GROUND = "#000000"
"""Background around the image, as on a reading screen."""


def windowed(pixels: NDArray[np.uint8], window: int, level: int, inverted: bool = False) -> NDArray[np.uint8]:
    """Gray levels (H, W) stretched so that those of ``window`` around ``level`` fill the range from black to white.

    As in DICOM PS3.3 C.11.2.1.2.1. ``window``: 1 to 256, how many levels; ``level``: 0 to 255, their middle. 256 and
    128 change nothing.
    """
    # 256 levels are computed, and looked up for each pixel.
    levels = np.arange(256, dtype=np.float64)
    stretched = ((levels - (level - 0.5)) / max(window - 1, 1) + 0.5) * 255
    table = np.rint(stretched.clip(0, 255)).astype(np.uint8)
    shown: NDArray[np.uint8] = (255 - table if inverted else table)[pixels]
    return shown


def viewer(image: Image.Image, name: str, height: int = 620) -> Any:
    """A figure of the image alone, which can be zoomed and moved; ``height`` in px.

    ``name``: where the zoom is kept while it stays the same.
    """
    columns, rows = image.size
    figure = go.Figure()
    figure.add_layout_image(source=image, xref="x", yref="y", x=0, y=0, sizex=columns, sizey=rows, sizing="stretch")
    figure.update_xaxes(range=[0, columns], visible=False, constrain="domain")
    figure.update_yaxes(range=[rows, 0], visible=False, scaleanchor="x", constrain="domain")
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor=GROUND,
        plot_bgcolor=GROUND,
        dragmode="pan",
        uirevision=name,
    )
    return figure


def still(image: Image.Image, name: str, height: int = 480) -> Any:
    """A figure as :func:`viewer` makes it that stays as it is, so that a finger on it moves the page."""
    figure = viewer(image, name, height)
    figure.update_layout(dragmode=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure


MESH = 48
"""Invisible points along each side of an image to draw on: Plotly selects points, not areas."""


def canvas(image: Image.Image, name: str, height: int = 480) -> Any:
    """A figure as :func:`still` makes it, on which boxes and free outlines can be drawn as Plotly's selections.

    They come in px of ``image``.
    """
    columns, rows = image.size
    figure = still(image, name, height)
    across, down = np.meshgrid(np.linspace(0, columns, MESH), np.linspace(0, rows, MESH))
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=across.ravel(),
        y=down.ravel(),
        mode="markers",
        marker={"opacity": 0, "size": 2},
        hoverinfo="skip",
        selected=unseen,
        unselected=unseen,
        showlegend=False,
    )
    figure.update_layout(dragmode="select", newselection={"line": {"color": "#E69F00", "width": 2}})
    return figure
