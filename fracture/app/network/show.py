"""The parts of the page, of which only the open one is computed."""

import streamlit as st

from fracture.app.network.blocks import logit_line, show_blocks
from fracture.app.network.channels import show_channels
from fracture.app.network.image import choose_image
from fracture.app.network.occlusion import show_sliding
from fracture.app.network.passes import Network
from fracture.app.network.weights import show_weights
from fracture.app.shared import prediction_cache
from fracture.app.shared.widgets import show_errors
from fracture.registry.model_folder import ModelFolder

TABS = ("Feature maps", "Channels", "Class-activation map", "Occlusion")


def show_network(folder: ModelFolder) -> None:
    """Choose an image, and look at its way through the network."""
    with show_errors():
        image = choose_image(folder)
        if image is None:
            st.info("Choose an X-ray, and the page shows its way through the network.", icon=":material/image_search:")
            return
        _show_tabs(Network(folder, prediction_cache.classifier(folder), image))


@st.fragment
def _show_tabs(network: Network) -> None:
    """Only the open part is computed."""
    parts = (_show_maps, show_channels, show_weights, show_sliding)
    tabs = st.tabs(TABS, key="network tab", on_change="rerun")
    for tab, show in zip(tabs, parts, strict=True):
        with tab, show_errors():
            if tab.open:
                show(network)


def _show_maps(network: Network) -> None:
    show_blocks(network)
    st.caption(logit_line(network, network.head.logit))
