"""The occlusion map beside the class-activation map: two answers to the question where the evidence is."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fracture.app.network.channels import OPACITY, labels_in_words, show_map
from fracture.app.network.passes import Network
from fracture.app.shared import state
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.charts.overlays import heat_overlay
from fracture.inference.heatmap import heat_map, on_square
from fracture.inference.inside.patch import PATCH_SHARE, PLACES, layout, slide
from fracture.inference.prediction import probability_of

Logits = NDArray[np.float32]

ACTIVATION = "Class-activation map"

CELLS = "Heat map of cells"


def show_sliding(network: Network) -> None:
    """A button that slides the patch, and both maps side by side."""
    entry = state.experiment("occlusion map", network.key)
    left, middle, right = st.columns(3, gap="medium")
    with right:
        _offer(network)
        kind = _choose_heat(network)
    with left:
        _show_heat(network, kind)
    with middle:
        logits: Logits | None = entry.get()
        if logits is None:
            show_picture(Image.fromarray(network.served.pixels), "The X-ray, not covered yet")
            st.caption("The occlusion map appears here.")
        else:
            _show_map(network, logits)
    with right:
        if logits is not None:
            _show_extremes(network, logits)
    learn_more(
        "learn sliding",
        f"- A patch of the picture's mean gray, {PATCH_SHARE:.0%} of its side, takes {PLACES} × {PLACES} places, and "
        "the network runs at each (Zeiler and Fergus, ECCV 2014).\n"
        "- Orange: covered there, the probability falls, so that the network used what is there. Blue: it rises.\n"
        "- The class-activation map shows what the last cells add; the occlusion map what is lost. They may differ: "
        "each cell sees far beyond its square, and a gray patch is itself something new.",
    )


def _choose_heat(network: Network) -> str:
    """The class-activation map, or the map of the cells that *Classify* shows, where the network has them."""
    if not network.model.shows_places:
        return ACTIVATION
    kind: str = st.segmented_control(
        "Map beside it", (ACTIVATION, CELLS), default=ACTIVATION, required=True, key="network heat"
    )
    return kind


def _show_heat(network: Network, kind: str) -> None:
    if kind == CELLS:
        served = network.served
        heat = heat_map(served.straight, None, len(served.pixels))
        show_picture(heat_overlay(served.pixels, heat, OPACITY, 1.0), "Heat map of the cells")
        st.caption("For each place the probability that a reader would draw a box there; trained on boxes.")
        return
    cells = network.head.activation_map()
    show_map(network, cells, float(np.abs(cells).max()), ACTIVATION)
    st.caption(f"Class-activation map. {labels_in_words(network)}")


def _offer(network: Network) -> None:
    pressed = st.button(
        "Slide patch",
        type="primary",
        icon=":material/play_arrow:",
        key="slide patch",
        help=f"Runs the network on {PLACES**2} covered pictures.",
    )
    if pressed:
        state.experiment("occlusion map", network.key).set(_slide(network))


def _slide(network: Network) -> Logits:
    """The logits of all covered pictures; the progress is shown meanwhile."""
    shown = st.progress(0.0, text="Sliding the patch")
    logits = np.zeros((PLACES, PLACES), np.float32)
    for each in slide(network.served.pixels, network.model.logits):
        logits = each.logits
        shown.progress(each.done / each.total, text=f"Sliding the patch: {each.done} of {each.total} places")
    shown.empty()
    return logits


def _show_map(network: Network, logits: Logits) -> None:
    """What the logit loses where the patch is."""
    pixels = network.served.pixels
    lost = network.served.straight.logit - logits
    heat = on_square(lost, len(pixels), layout(len(pixels)))
    show_picture(heat_overlay(pixels, heat, OPACITY, float(np.abs(lost).max())), "Occlusion map")
    st.caption("Occlusion map. Orange: covered there, the logit falls; blue: it rises.")


def _show_extremes(network: Network, logits: Logits) -> None:
    temperature = network.model.card.temperature or 1.0
    original, low, high = (
        probability_of(float(value), temperature)
        for value in (network.served.straight.logit, logits.min(), logits.max())
    )
    positive = escape_markdown(network.model.labels[1])
    st.metric(f"Probability of {positive}", f"{original:.1%}", width=220)
    st.markdown(
        f"Covered at one of {PLACES**2} places, this probability is between **{low:.1%}** and **{high:.1%}**. "
        "All of the image alone, without its mirror image."
    )
