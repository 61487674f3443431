"""The picture as the network gets it, and the maps of one of its blocks beside it."""

import numpy as np
import streamlit as st
from PIL import Image

from fracture.app.network.passes import CHANNELS, Network
from fracture.app.shared.frame import presenting
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.charts.network.maps import map_picture
from fracture.inference.inside.structure import BLOCKS, LAST

BLOCK_KEY = "network block"

TILE_PX = 144
"""Side of the picture of a map: a whole number of px for each of mixed10's cells at 427 px."""

TITLES = {"conv1": "First convolution", "pool1": "First pooling", "pool2": "Second pooling"}
"""Of the blocks of the stem; the others go by their names in Keras."""


def show_blocks(network: Network) -> None:
    """The input at the left; a slider from the stem to mixed10, and the strongest channels of that block."""
    left, right = st.columns((1, 3), gap="medium")
    with left:
        show_input(network)
    with right:
        block = _choose_block()
        _show_maps(network, block)
    learn_more(
        "learn blocks",
        "- Each small picture is one channel: white where it answers most, black where it does not. Each is scaled to "
        "its own brightest cell.\n"
        "- The stem answers to edges and lines. Later blocks see more of the picture in each cell, and fewer cells: "
        "their channels answer to shapes, and can no longer be named by looking.\n"
        "- The maps come from a second copy of the network, which is loaded for one image and forgotten. It computes "
        "as the served one does: the logit is the same.",
    )


def show_input(network: Network) -> None:
    """The fitted picture, with what was done to it, and the logits of both copies of the network."""
    served = network.served
    size = len(served.pixels)
    how = network.model.card.input.fit
    show_picture(Image.fromarray(served.pixels), f"{network.image.name} as the network gets it")
    truth = f" Truth: {escape_markdown(network.image.truth)}." if network.image.truth else ""
    height, width = network.image.radiograph.pixels.shape
    st.caption(
        f"What the network gets: {size} × {size} px, gray, {_FITS.get(how, how)} from {width:,} × {height:,} px.{truth}"
    )


_FITS = {"letterbox": "letterboxed", "stretch": "stretched"}


def _choose_block() -> str:
    """A slider through the depth of the network; the arrow keys of a presentation step through it, too."""
    st.session_state.setdefault(BLOCK_KEY, BLOCKS[0])
    block: str = st.select_slider("Block, from the image to the head", BLOCKS, key=BLOCK_KEY, persist_state="session")
    if presenting.is_on():
        with st.container(horizontal=True, vertical_alignment="center"):
            presenting.draw_steps("block", BLOCKS.index(block), len(BLOCKS), _show_block)
    return block


def _show_block(position: int) -> None:
    st.session_state[BLOCK_KEY] = BLOCKS[position]


def _show_maps(network: Network, block: str) -> None:
    found = network.block(block)
    height, width = found.maps.shape[1:]
    title = TITLES.get(block, block.capitalize())
    st.caption(
        f"{title}: {found.total:,} channels of {width} × {height} cells. Below each of the {CHANNELS} with the highest "
        "means: its number and its mean."
    )
    with st.grid(6, min_column_width=96, key="network maps"):
        for channel, mean, each in zip(found.channels, found.means, found.maps, strict=True):
            alt = f"Feature map of channel {channel} of {title}"
            show_picture(map_picture(each, TILE_PX), alt, f"{channel} · {mean:.2f}")
    if block == LAST:
        st.caption("The logit is the weighted sum of the means of these maps: see *Channels*.")


def logit_line(network: Network, inside: float) -> str:
    """Whether both copies of the network agree."""
    served = network.served.straight.logit
    if np.float32(inside) == np.float32(served):
        return f"Logit {served:.3f}, the served model's"
    return f"Logit {inside:.3f}; the served model, on {network.model.runtime}, {served:.3f}"
