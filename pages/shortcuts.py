"""Shortcuts that a model takes: mask parts of an X-ray, and train heads without images of hardware."""

import streamlit as st

from fracture.app.experiments.occlusion import show_occlusion
from fracture.app.experiments.shortcut import show_ablation
from fracture.app.shared.features.material import choose_material
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.inference.classifier import NOTICE

ensure_routed("shortcuts")
with page_head("Shortcuts"):
    material = choose_material()
show_occlusion()
show_ablation(material)
st.caption(NOTICE)
