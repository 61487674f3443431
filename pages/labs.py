"""Two experiments to learn from: what a leak between the parts does, and what else than bones a model looks at."""

import streamlit as st

from fracture.app.experiments.leakage import show_leakage
from fracture.app.experiments.occlusion import show_covering
from fracture.app.experiments.shortcut import show_hardware
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
    show_covering()
    show_hardware()
st.caption(NOTICE)
