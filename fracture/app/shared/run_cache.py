"""How trainings stand, for whoever watches: read on from where one was, drawn anew only when there is more to see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fracture import charts
from fracture.training.events import read_events
from fracture.training.runs.progress import Progress
from fracture.training.runs.queue import Run


def progress(run: Run) -> Progress:
    """How a training stands; each call reads only what it has said since the last one."""
    seen = st.session_state.setdefault(f"progress of {run.name} {run.started}", _Seen(Progress(run.config)))
    # A click may end this script at any use of session state, but not between these two lines.
    events, seen.offset = read_events(run.folder.events, seen.offset)
    seen.progress.add(events)
    shown: Progress = seen.progress
    if run.active and 0 < shown.said < run.queued:  # resumed, and its process has not spoken yet
        shown.begin()
    return shown


STEPS_AT_ONCE = 5
"""Points within the epochs that wait for each other until a curve is drawn anew."""


def curves(run: Run, progress: Progress, metric: str, epochs: int, kept: int | None) -> Any:
    """The figure of :func:`fracture.charts.training_curves`, made anew only when there is more to be seen."""
    steps = progress.step_losses[: len(progress.step_losses) // STEPS_AT_ONCE * STEPS_AT_ONCE]
    # Of a run that has ended the epochs tell more; and a former version counted the loss of the boxes in the steps.
    steps = steps if metric == "loss" and run.active else []
    seen = [run.name, run.started, metric, epochs, kept, progress.epoch, progress.history.get(metric, [])[-1:]]
    return _drawn(f"{seen} {steps[-1:]}", lambda: charts.training_curves(progress.history, metric, epochs, kept, steps))


def overlaid(learned: Mapping[str, charts.RunHistory], metric: str, epochs: int) -> Any:
    """The figure of :func:`fracture.charts.compared_curves`, made anew only when there is more to be seen."""
    seen = {name: (each.kept_epoch, each.history.get(f"val_{metric}")) for name, each in learned.items()}
    return _drawn(f"overlaid {metric} {epochs} {seen}", lambda: charts.compared_curves(learned, metric, epochs))


@st.cache_resource(max_entries=16, show_spinner=False)
def _drawn(seen: str, _draw: Callable[[], Any]) -> Any:  # noqa: ARG001  what is seen in it is the key
    return _draw()


@dataclass
class _Seen:
    """What this visitor has been shown of a training, and up to which byte of its events."""

    progress: Progress
    offset: int = 0
