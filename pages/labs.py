"""The former address of the labs, which are the pages Leakage and Shortcuts now."""

import streamlit as st

from fracture.app.shared.widgets import ensure_routed, lead_to

ensure_routed("labs")
lead_to("shortcuts" if st.query_params.get("lab") == "Shortcuts" else "leakage", without=("lab",))
