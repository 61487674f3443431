"""Everything that is being made now, no matter who started it: runs, imports and phantoms, with their progress."""

from dataclasses import dataclass

import streamlit as st

from fracture.app.shared import job_status, run_cache
from fracture.app.shared.widgets import escape_markdown, link, show_errors
from fracture.data.folders import list_datasets
from fracture.training.runs import queue
from fracture.training.runs.progress import stopping_words

REFRESH_SECONDS = 2.0
"""Between two updates of the list."""


@dataclass(frozen=True)
class Activity:
    """A job that is running or queued."""

    name: str
    """The name of the run, or of the data set."""
    words: str
    """What the job is doing, and how far it is."""
    share: float
    """How much of it is done, 0 to 1."""
    page: str
    """The page that shows it in full and can stop it."""


def show_activities() -> None:
    """A live list under a heading; nothing where nothing is being made."""
    found = activities()
    if found:
        st.header("Running now")
    # Made here and not by a decorator: whether it repeats itself depends on the list.
    st.fragment(_list, run_every=REFRESH_SECONDS if found else None)([each.name for each in found])


def activities() -> list[Activity]:
    """All jobs, as their folders say: runs in the order of the queue, then data sets."""
    active = [run for run in queue.runs() if run.active]
    active.sort(key=lambda run: (run.state == "queued", run.queued))
    found = [_run_activity(run) for run in active]
    for folder in list_datasets():
        job = job_status.find_job(folder)
        if job is not None and job.active:
            found.append(_data_activity(job))
    return found


def _list(shown: list[str]) -> None:
    with show_errors():
        queue.advance()  # the next run, where the one before it was killed
    found = activities()
    if [each.name for each in found] != shown:  # the page around the list depends on it
        st.rerun()
    for each in found:
        with st.container(border=True):
            st.progress(each.share, text=each.words)
            watched = {"run": each.name} if each.page == "train" else {"data": each.name}
            link(each.page, f"Watch {escape_markdown(each.name)}", ":material/monitoring:", **watched)


def _run_activity(run: queue.Run) -> Activity:
    if run.state == "queued":
        return Activity(run.name, "Training: in the queue", 0.0, "train")
    progress = run_cache.progress(run)
    doing = stopping_words(progress) if run.stopping else progress.doing
    return Activity(run.name, f"Training: {doing}", progress.share, "train")


def _data_activity(job: job_status.Job) -> Activity:
    return Activity(job.root.name, job_status.progress_words(job), job.share, "data")
