"""What all figures share: their colours and their plain look."""

from collections.abc import Iterable
from typing import Any

NEGATIVE, POSITIVE, ACCENT = "#2E86C9", "#D55E00", "#009E73"
TRAINING, VALIDATION = NEGATIVE, POSITIVE
SEVERAL = (NEGATIVE, POSITIVE, ACCENT, "#CC79A7", "#E69F00", "#56B4E9")
"""For one line a model."""


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour a name, in their order; there are ``len(SEVERAL)``, and names beyond that have none."""
    return dict(zip(names, SEVERAL, strict=False))


def plain(figure: Any, height: int = 340, legend_rows: int = 1) -> Any:
    """The figure without ground of its own; height in px. The legend stands above, with room for so many rows."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 46 + 20 * legend_rows, "b": 10},
        title={"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
