"""Inside the network: one X-ray, the maps of each block, and how they become the answer."""

import streamlit as st

from fracture.app.network.show import show_network
from fracture.app.shared.widgets import choose_model, ensure_routed, no_model_hint, page_head
from fracture.inference.classifier import NOTICE

ensure_routed("inside")
with page_head("Inside the network"):
    folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
show_network(folder)
st.caption(NOTICE)
