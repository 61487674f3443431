"""The leakage lab: a split by image lets a head recognize patients, and its held-out AUC is too optimistic."""

import streamlit as st

from fracture.app.experiments.leakage import show_leakage
from fracture.app.shared.features.material import choose_material
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.inference.classifier import NOTICE

ensure_routed("leakage")
with page_head("Leakage"):
    material = choose_material()
show_leakage(material)
st.caption(NOTICE)
