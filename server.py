"""The app with the REST interface beside its pages: ``streamlit run server.py``; see docs/deployment.md."""

from pathlib import Path

import streamlit as st

from fracture.api.routes import api_routes
from fracture.logs import configure_logs

configure_logs()
app = st.App(Path(__file__).with_name("streamlit_app.py"), routes=[api_routes()])
