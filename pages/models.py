"""All runs and models: a table; one of them in tabs, or several side by side."""

import streamlit as st

from fracture.app.models.choice import choose_runs
from fracture.app.models.comparison.several import show_several
from fracture.app.models.table import show_all_runs
from fracture.app.models.tabs import show_one
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import ensure_routed, no_model_hint, page_head, show_errors
from fracture.inference.classifier import NOTICE
from fracture.training.runs import queue
from fracture.training.runs.compare import every_run

ensure_routed("models")
head = page_head("Models")
known: dict[str, queue.Run] = {}
with show_errors():
    queue.advance()  # where the process that should have started the next run was killed
    known = {run.name: run for run in every_run()}
if not known:
    no_model_hint()
    st.stop()
with head:
    chosen = choose_runs(known)
if not presenting.is_on():
    show_all_runs(list(known.values()))
with show_errors():
    if len(chosen) > 1:
        show_several(chosen)
    elif chosen:
        show_one(chosen[0])
if presenting.is_on():  # one thing at a time: the model fills the first screen
    st.header("All runs and models", anchor=False)
    show_all_runs(list(known.values()))
st.caption(NOTICE)
