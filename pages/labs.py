"""Two labs: leakage between training and validation images, and shortcuts that a model takes."""

import streamlit as st

from fracture.app.experiments.leakage import show_leakage
from fracture.app.experiments.occlusion import show_occlusion
from fracture.app.experiments.shortcut import show_ablation
from fracture.app.shared.widgets import ensure_routed
from fracture.inference.classifier import NOTICE

ensure_routed("labs")
st.title("Labs")
lab = st.segmented_control(
    "Lab",
    ["Leakage", "Shortcuts"],
    default="Leakage",
    required=True,
    key="lab",
    bind="query-params",
    label_visibility="collapsed",
)
if lab == "Leakage":
    show_leakage()
else:
    show_occlusion()
    show_ablation()
st.caption(NOTICE)
