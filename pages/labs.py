"""Two experiments to learn from: what a leak between the parts does, and what else than bones a model looks at."""

import streamlit as st

from fracture.app.widgets import through_the_router

through_the_router("labs")
st.title("Labs")
