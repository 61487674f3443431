"""Train InceptionV3 on a data set and watch it learn."""

import streamlit as st

from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import ensure_routed, no_dataset_hint, show_errors
from fracture.app.train.form import submissions, training_form
from fracture.app.train.run import show_run
from fracture.training.runs import queue


def show_runs(known: dict[str, queue.Run]) -> None:
    """One of the trainings that this machine knows; a link to this page with ``?run=NAME`` finds it again."""
    submitted = submissions()
    if submitted.newest in known:
        st.session_state["run"] = submitted.newest
        submitted.newest = ""
    name = st.selectbox("Training", list(known), key="run", bind="query-params")
    if name in known:
        st.fragment(show_run, run_every=1.0 if known[name].active else None)(known[name].folder)


ensure_routed("train")
st.title("Train")
with show_errors():
    queue.advance()  # those that wait, where the one before them was killed
known = {run.name: run for run in sorted(queue.runs(), key=lambda run: not run.active)}  # the one at work first
# Folded away once a training of one's own is there to be looked at, so that nothing moves when another starts or ends.
alone = all(run.folder.bundled for run in known.values())
key = f"new run {submissions().number}"  # another one after each start, which is folded
with st.expander("Set up a training", expanded=alone, key=key, icon=":material/model_training:"), show_errors():
    data = choose_dataset()
    if data:
        training_form(data)
    else:
        no_dataset_hint()
if known:
    show_runs(known)
else:
    st.caption("Trainings appear here, live and afterwards.")
