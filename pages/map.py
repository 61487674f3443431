"""The data map: images as points, near each other where a network's features are alike."""

import streamlit as st

from fracture.app.data_map.show import show_map
from fracture.app.shared.features.material import choose_material
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.inference.classifier import NOTICE

ensure_routed("map")
with page_head("Data map"):
    material = choose_material()
show_map(material)
st.caption(NOTICE)
