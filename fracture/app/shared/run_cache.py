"""The progress of runs for their visitors: events are read incrementally, and figures redrawn only for new ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fracture import charts
from fracture.app.shared import state
from fracture.training.events import read_events
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

STEPS_PER_REDRAW = 5
"""Points within an epoch that are collected until a curve is redrawn."""


@dataclass
class _EventsRead:
    """A run's progress, and up to which byte its events were read."""

    progress: RunProgress
    offset: int = 0


def progress(run: Run) -> RunProgress:
    """The progress of a run; each call reads only the events since the last one."""
    read = state.get_or_create(f"progress of {run.name} {run.started}", lambda: _EventsRead(RunProgress(run.config)))
    # A click may end this script at any use of session state, but not between these two lines.
    events, read.offset = read_events(run.folder.events, read.offset)
    read.progress.add(events)
    found = read.progress
    # Resumed, and its process has emitted no event since, or failed before it could.
    if (run.active or run.state == "failed") and 0 < found.said < run.queued:
        found.begin()
    return found


def curves(run: Run, progress: RunProgress, metric: str, whole: RunProgress) -> charts.VegaChart:
    """The chart of :func:`fracture.charts.training_curves`, redrawn only when there are new events.

    Args:
        run: as it stands.
        progress: up to the epoch that is shown.
        metric: ``loss``, ``accuracy`` or ``auc``.
        whole: of the run as it stands, which the axes have room for.
    """
    epochs = whole.epochs if run.active else whole.epoch
    kept = progress.kept_epoch or charts.best_epoch(progress.history)
    steps: list[Any] = []
    # Epochs tell more about an ended run; and version 0.1.0 included the loss of the boxes in its steps.
    if metric == "loss" and run.active:
        complete = len(progress.step_losses) // STEPS_PER_REDRAW * STEPS_PER_REDRAW
        steps = progress.step_losses[:complete]
    latest = progress.history.get(metric, [])[-1:]
    key = f"{[run.name, run.started, metric, epochs, kept, progress.epoch, whole.epoch, latest]} {steps[-1:]}"
    chart: charts.VegaChart = _figure(
        key, lambda: charts.training_curves(progress.history, metric, epochs, kept, steps, scale=whole.history)
    )
    return chart


def overlaid(histories: Mapping[str, charts.RunHistory], metric: str, epochs: int) -> Any:
    """The figure of :func:`fracture.charts.compared_curves`, redrawn only when there are new epochs."""
    seen = {}
    for name, each in histories.items():
        seen[name] = (each.kept_epoch, each.history.get(f"val_{metric}"))
    return _figure(f"overlaid {metric} {epochs} {seen}", lambda: charts.compared_curves(histories, metric, epochs))


# A replay of 60 frames and two charts, which a class may watch again.
@st.cache_resource(max_entries=128, show_spinner=False)
def _figure(key: str, _draw: Callable[[], Any]) -> Any:  # noqa: ARG001  all that the figure depends on
    return _draw()
