"""What is wrong with a data set, why that matters, and the way to the images that it is about."""

import os
from collections.abc import Callable

import streamlit as st

from fracture.app.shared import dataset_cache, state
from fracture.app.shared.dialogs import any_open
from fracture.app.shared.widgets import choose_model, duration, escape_markdown, expander, show_errors
from fracture.data import measurements
from fracture.data.checks import Problem, by_severity
from fracture.data.dataset import Dataset
from fracture.data.decisions import apply_decisions
from fracture.evaluation import label_issues

ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}

AT_ONCE = 600
"""Images that are looked at without being asked: a few seconds."""

SECONDS_EACH = 0.007
"""Of one core, for an image of 512 px."""


SECONDS_ASKED = 0.03
"""For what a model sees in an image, and whether it doubts its label."""


def show_findings(data: Dataset, version: str, complete: bool = True) -> None:
    """Each finding with its count, why it matters, and a button that shows exactly its images.

    ``complete``: no more images are to come, so that those that are there may be looked at.
    """
    missing = len(data.table) - len(dataset_cache.measured(data, version))
    looked = state.analyzed(data.root, version).get()
    if complete and 0 < missing <= AT_ONCE and not looked and not any_open():
        _look(data, version)
    found = list(dataset_cache.problems(data, version))
    if doubted := state.label_issues(data.root).get():
        found = by_severity([*found, doubted])
    count = f"{len(found)} finding{'' if len(found) == 1 else 's'}" if found else "nothing found"
    partly = f"; {missing:,} images not looked at yet" if missing else ""
    with expander(f"Checks: {count}{partly}", "checks", ":material/rule:"):
        for problem in found:
            _finding(problem, data)
        if not found:
            st.markdown("Every file can be found, and no group is on both sides of the split.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if missing and complete:
                _offer_to_look(data, version, missing)
            _offer_to_doubt(data)


def _finding(problem: Problem, data: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="small", width="stretch"):
            st.markdown(f"{ICONS[problem.severity]} {escape_markdown(problem.message)}")
            st.caption(escape_markdown(problem.why))
        if problem.images:
            st.button(
                f"Show {len(problem.images):,}", key=f"show {problem.kind}", icon=":material/image_search:",
                on_click=_show, args=(problem, data),
            )  # fmt: skip


def _show(problem: Problem, data: Dataset) -> None:
    """Its images are in the gallery below, which a folded list of findings leaves in sight."""
    state.finding(data.root).set(problem)
    state.CHECKS_OPEN.set(False)


def _offer_to_look(data: Dataset, version: str, missing: int) -> None:
    seconds = missing * SECONDS_EACH / (os.cpu_count() or 1)
    words = f"Look at {missing:,} images, about {duration(seconds)}"
    if st.button(
        words, icon=":material/visibility:", key="analyze images", help="For copies, damage, blank and inverted images."
    ):
        _look(data, version)


def _look(data: Dataset, version: str) -> None:
    """Look at all images; what is interrupted goes on where it was the next time."""
    measurements.measure(data.table, _bar("Looking at the images"))
    state.analyzed(data.root, version).set(True)
    dataset_cache.forget_measurements()
    st.rerun()


def _offer_to_doubt(data: Dataset) -> None:
    model = choose_model()
    if model is None:
        return
    first = (
        f"About {duration(len(data.table) * SECONDS_ASKED)} for {len(data.table):,} images; less where it knows them."
    )
    if st.button("Which labels does it doubt?", icon=":material/psychology_alt:", key="find label issues", help=first):
        with show_errors():
            found = label_issues.find_label_issues(apply_decisions(data), model, _bar("Asking the model"))
            told = label_issues.problem(found, data.label_names, model.name)
            state.label_issues(data.root).set(told)
            if told is not None:
                st.rerun()
            st.info("It takes none of the labels for wrong.", icon=":material/check:")


def _bar(what: str) -> Callable[[int, int], None]:
    """A bar, and what tells it how many of how many images are done."""
    bar = st.progress(0.0, text=what)

    def say(done: int, total: int) -> None:
        bar.progress(done / max(total, 1), text=f"{what}: {done:,} of {total:,}")

    return say
