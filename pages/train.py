"""Train InceptionV3 on a data set and watch it learn."""

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.dataset_picker import choose_dataset
from fracture.app.shared.widgets import (
    ensure_routed,
    linked_name,
    may_change,
    no_dataset_hint,
    page_head,
    show_errors,
)
from fracture.app.train.form import training_form
from fracture.app.train.run import seconds_between_looks, show_run
from fracture.training.runs import queue

NEW, RUNS = "New", "Runs"


def choose_view(known: dict[str, queue.Run]) -> str:
    """The form of a new run, or a run; a run opens by itself where one was just started, is linked or is at work."""
    submitted = state.submissions()
    view = state.train_view(submitted.number)
    linked = linked_name("run")
    # Selected before the pickers are drawn: afterwards Streamlit refuses to change the values of their keys.
    if submitted.newest in known:
        state.RUN.set(submitted.newest)
        view.set(RUNS)
        submitted.newest = ""
    elif view.get() is None:
        at_work = any(run.active and may_change(run.folder.path) for run in known.values())
        view.set(RUNS if linked or at_work else NEW)
        state.REPLAYED_RUN.set("")
    chosen = st.segmented_control(
        "View",
        [NEW, RUNS],
        required=True,
        format_func={NEW: ":material/add: New run", RUNS: ":material/monitoring: Runs"}.__getitem__,
        key=view.key,
        label_visibility="collapsed",
    )
    return str(chosen)


def show_form(data: str | None) -> None:
    """The form of a new run on a data set."""
    if data:
        training_form(data)
    else:
        no_dataset_hint()


def choose_run(known: dict[str, queue.Run]) -> str | None:
    """A picker for the runs of this machine; ``?run=NAME`` links to a run."""
    name: str | None = st.selectbox("Run", list(known), key=state.RUN.key, bind="query-params")
    return name


ensure_routed("train")
# The view and the picker stand in one row, beside the title.
picker = page_head("Train").container(horizontal=True, vertical_alignment="bottom")
with show_errors():
    queue.advance()  # where the process that should have started the next run was killed
known = {run.name: run for run in sorted(queue.runs(), key=lambda run: not run.active)}
with picker:
    view = choose_view(known)
if view == NEW:
    with picker:
        data = choose_dataset()
    with st.container(key="new run"), show_errors():
        show_form(data)
elif known:
    with picker:
        chosen = choose_run(known)
    if chosen in known:
        seconds = seconds_between_looks(known[chosen])
        # Made here and not by a decorator: whether it repeats itself depends on the run.
        st.fragment(show_run, run_every=seconds)(known[chosen].folder, seconds)
else:
    st.caption("No runs yet. A run appears here as soon as it starts.")
