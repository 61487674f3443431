"""The strongest channels of mixed10 for an image: what each adds to the logit, where it answers, and to what else."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fracture.app.network.exemplars import show_exemplars
from fracture.app.network.passes import Network
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, learn_more, show_chart
from fracture.charts.network.contributions import contribution_bars
from fracture.charts.overlays import heat_overlay
from fracture.inference.heatmap import MIXED10, on_square
from fracture.inference.inside.head import WeightedMaps

CHANNELS = 10

OPACITY = 0.6
"""Of maps over the picture."""


class Sum(NamedTuple):
    """The parts of a logit."""

    shown: float
    """Of the strongest channels."""
    others: float
    """Of all other channels."""
    bias: float
    cells: float


def show_channels(network: Network) -> None:
    """The bars at the left; at the right one channel, its map and the images that excite it most."""
    head = network.head
    strongest = head.strongest(CHANNELS)
    left, right = st.columns((2, 3), gap="medium")
    with left:
        contributions = head.contributions[strongest].tolist()
        figure = contribution_bars(strongest, contributions, network.model.labels)
        show_chart(figure, "contributions", "Contributions of the strongest channels to the logit")
        st.caption(_add_up(head, strongest))
    with right:
        channel = choose_channel(head, "network channel")
        _show_channel(network, head, channel)
    learn_more(
        "learn channels",
        "- A channel of mixed10 adds its weight times the mean of its map to the logit. The weight was learned; the "
        "map is of this image.\n"
        "- 2,048 channels share the work. The strongest ten rarely hold half of the sum, so that a single channel "
        "explains little by itself.\n"
        "- The images that excite a channel most hint at what it answers to; the name that one would like to give it "
        "is a guess.",
    )


def choose_channel(head: WeightedMaps, key: str) -> int:
    """A picker of one of the strongest channels, with their contributions."""
    strongest = head.strongest(CHANNELS)
    # Another image has other channels: a channel that is no longer offered would be an error.
    if st.session_state.get(key) not in strongest:
        st.session_state[key] = strongest[0]
    channel: int = st.selectbox(
        "Channel of mixed10",
        strongest,
        format_func=lambda each: f"Channel {each}, {head.contributions[each]:+.3f}",
        key=key,
    )
    return channel


def show_map(network: Network, cells: NDArray[np.float32], scale: float, alt: str) -> None:
    """A map of mixed10 (h, w), over the picture as the network gets it; ``scale``: what is drawn at full opacity."""
    pixels = network.served.pixels
    heat = on_square(cells, len(pixels), MIXED10)
    show_picture(heat_overlay(pixels, heat, OPACITY, scale), alt)


def _show_channel(network: Network, head: WeightedMaps, channel: int) -> None:
    left, right = st.columns((2, 3), gap="small")
    with left:
        cells = head.activation_map([channel])
        show_map(network, cells, float(np.abs(cells).max()), f"Where channel {channel} answers")
        weight = float(head.weights[channel])
        mean = float(head.features[channel])
        st.caption(f"Weight {weight:+.3f} × mean {mean:.3f} = {weight * mean:+.3f}")
    with right:
        show_exemplars(channel, network.model, network.folder)


def split_sum(head: WeightedMaps, strongest: list[int]) -> Sum:
    """The logit as a sum."""
    shown = float(head.contributions[strongest].sum())
    return Sum(shown, float(head.contributions.sum()) - shown, head.bias, head.cells)


def _add_up(head: WeightedMaps, strongest: list[int]) -> str:
    parts = split_sum(head, strongest)
    cells = f" {parts.cells:+.3f} of the likeliest cell" if abs(parts.cells) > NOTHING else ""
    return (
        f"Logit {head.logit:.3f} = {parts.shown:+.3f} of these {len(strongest)} {parts.others:+.3f} of the other "
        f"channels {parts.bias:+.3f} bias{cells}."
    )


NOTHING = 1e-3
"""Less is the rounding of sums, and nothing that a network adds."""


def labels_in_words(network: Network) -> str:
    """The meaning of the colors."""
    positive = escape_markdown(network.model.labels[1])
    return f"Orange is evidence for *{positive}*, blue against it."
