"""What channels add to a logit."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from fracture.charts.style import NEGATIVE_COLOR, POSITIVE_COLOR, apply_theme


def contribution_bars(channels: Sequence[int], contributions: Sequence[float], label_names: tuple[str, str]) -> Any:
    """A bar a channel, the first at the top: to the right for the positive label, to the left for the negative one.

    Args:
        channels: their numbers.
        contributions: what each adds to the logit.
        label_names: of 0 and of 1.
    """
    figure = go.Figure()
    sides = ((label_names[1], POSITIVE_COLOR, True), (label_names[0], NEGATIVE_COLOR, False))
    for name, color, wanted in sides:
        places = [place for place, value in enumerate(contributions) if (value > 0) == wanted]
        figure.add_bar(
            x=[contributions[place] for place in places],
            y=[f"channel {channels[place]}" for place in places],
            orientation="h",
            marker={"color": color},
            name=f"For {name}",
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    names = [f"channel {channel}" for channel in channels]
    # Rows by both labels together, and not first those of one and then those of the other.
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed", automargin=True)
    figure.update_xaxes(title="Contribution to the logit", zeroline=True)
    figure.update_layout(title="Strongest channels", bargap=0.25, showlegend=True)
    return apply_theme(figure, height=380)
