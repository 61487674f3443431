"""A radiograph large, as a figure to look at or to draw on."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

GROUND = "#000000"
"""Background around the image, as on a reading screen."""


def still(image: Image.Image, name: str, height: int = 480) -> Any:
    """A figure of the image alone, ``height`` px high, that stays as it is: a finger on it moves the page.

    ``name``: for which Plotly keeps what was drawn on it.
    """
    columns, rows = image.size
    figure = go.Figure()
    figure.add_layout_image(source=image, xref="x", yref="y", x=0, y=0, sizex=columns, sizey=rows, sizing="stretch")
    figure.update_xaxes(range=[0, columns], visible=False, constrain="domain", fixedrange=True)
    figure.update_yaxes(range=[rows, 0], visible=False, scaleanchor="x", constrain="domain", fixedrange=True)
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor=GROUND,
        plot_bgcolor=GROUND,
        dragmode=False,
        uirevision=name,
    )
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
