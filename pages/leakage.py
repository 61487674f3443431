"""The leakage lab: a split by image lets a head recognize patients, and its held-out AUC is too optimistic."""

import streamlit as st

from fracture.app.experiments.leakage import show_leakage
from fracture.app.experiments.material import choose_bench
from fracture.app.shared.widgets import ensure_routed, page_head
from fracture.inference.classifier import NOTICE

ensure_routed("leakage")
with page_head("Leakage"):
    run = choose_bench()
show_leakage(run)
st.caption(NOTICE)
