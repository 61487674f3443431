"""What is being made at this moment, whoever began it: runs, imports and phantoms, each with its progress."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fracture.app.dataset import import_dialog, phantom_dialog
from fracture.app.shared import run_cache
from fracture.app.shared.widgets import escape_markdown, link, show_errors
from fracture.data.folders import list_datasets
from fracture.importers.job import find_import
from fracture.phantoms.job import find_drawing
from fracture.training.runs import queue
from fracture.training.runs.progress import stopping_words

LIVE = 2.0
"""Seconds between two looks at what is being made."""


@dataclass(frozen=True)
class Activity:
    """One thing that is being made, or waits to be."""

    name: str
    """Of the run, or of the data set."""
    words: str
    """What is being done, and how far it is."""
    share: float
    """How much of it is done, 0 to 1."""
    page: str
    """Where it is watched and stopped."""


def show_activities() -> bool:
    """A list under a heading, which follows what is in it; nothing where nothing is being made. Whether it is shown."""
    found = activities()
    if found:
        st.header("Running now")
    st.fragment(_list, run_every=LIVE if found else None)([each.name for each in found])
    return bool(found)


def activities() -> list[Activity]:
    """All that is being made, from what lies on disk: runs in the order of the queue, then data sets."""
    active = sorted((run for run in queue.runs() if run.active), key=lambda run: (run.state == "queued", run.queued))
    data = [found for folder in list_datasets() if (found := _being_filled(folder))]
    return [*map(_training, active), *data]


def _list(shown: list[str]) -> None:
    with show_errors():
        queue.advance()  # those that wait, where the one before them was killed
    found = activities()
    if [each.name for each in found] != shown:  # what stands around the list must know
        st.rerun()
    for each in found:
        with st.container(border=True):
            st.progress(each.share, text=each.words)
            watched = {"run": each.name} if each.page == "train" else {"data": each.name}
            link(each.page, f"Watch {escape_markdown(each.name)}", ":material/monitoring:", **watched)


def _training(run: queue.Run) -> Activity:
    progress = run_cache.progress(run)
    doing = stopping_words(progress) if run.stopping else progress.doing
    words = "in the queue" if run.state == "queued" else doing
    share = 0.0 if run.state == "queued" else progress.share  # what it did before it was resumed is not this wait's
    return Activity(run.name, f"Training: {words}", share, "train")


def _being_filled(folder: Path) -> Activity | None:
    incoming, drawing = find_import(folder), find_drawing(folder)
    if incoming and incoming.active:
        words = f"Importing: {import_dialog.progress_words(incoming.progress)}"
        return Activity(folder.name, words, import_dialog.share(incoming.progress), "dataset")
    if drawing and drawing.active:
        return Activity(
            folder.name, phantom_dialog.progress_words(drawing), drawing.done / drawing.plan.patients, "dataset"
        )
    return None
