"""Train InceptionV3 on a data set and watch it learn."""

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import ensure_routed, no_dataset_hint, page_head, show_errors
from fracture.app.train.form import training_form
from fracture.app.train.run import show_run
from fracture.training.runs import queue


def show_runs(known: dict[str, queue.Run]) -> None:
    """A picker for the runs of this machine, and the chosen one; ``?run=NAME`` links to a run."""
    submitted = state.submissions()
    # Selected before the picker is drawn: afterwards Streamlit refuses to change the value of its key.
    if submitted.newest in known:
        state.RUN.set(submitted.newest)
        submitted.newest = ""
    name = st.selectbox("Run", list(known), key=state.RUN.key, bind="query-params")
    if name in known:
        # Made here and not by a decorator: whether it repeats itself depends on the run.
        st.fragment(show_run, run_every=1.0 if known[name].active else None)(known[name].folder)


ensure_routed("train")
with page_head("Train"):
    data = choose_dataset()
with show_errors():
    queue.advance()  # where the process that should have started the next run was killed
known = {run.name: run for run in sorted(queue.runs(), key=lambda run: not run.active)}
# Expanded only while there is no run of the visitor's own, so that nothing moves when another run starts or ends.
no_own_runs = all(run.folder.bundled for run in known.values())
# The number makes it another expander after each start: a new one is folded.
key = f"new run {state.submissions().number}"
with st.expander("New run", expanded=no_own_runs, key=key, icon=":material/model_training:"), show_errors():
    if data:
        training_form(data)
    else:
        no_dataset_hint()
if known:
    show_runs(known)
else:
    st.caption("No runs yet. A run appears here as soon as it starts.")
