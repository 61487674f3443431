"""The steps of a run from reading the images to the exported model, each as done, current or still to come."""

import streamlit as st

from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

TITLES = {
    "read": "Read images",
    "features": "Extract features",
    "warm up": "Warm up",
    "train": "Train",
    "evaluate": "Evaluate",
    "save": "Export",
}
"""By the stages of a run's events, and *warm up*: the first epoch of fine-tuning, in which the learning rate rises."""

# With spaces at which no line breaks: a phone shows the steps in two lines.
_DONE = ":green[:material/check_circle:]\u00a0{}"
_CURRENT = ":violet[:material/arrow_circle_right:]\u00a0**{}**"
_ENDED = ":red[:material/cancel:]\u00a0**{}**"
_PENDING = ":gray[:material/circle:\u00a0{}]"


def show_steps(run: Run, progress: RunProgress) -> None:
    """All steps in one line; a queued run is at none of them."""
    steps = _steps(progress)
    # The run of an earlier version, or one that came as a model, may have no events.
    # A resumed run may fail beside the model that it made when it was stopped.
    complete = run.folder.usable and run.state in ("finished", "stopped")
    reached = len(steps) if complete else steps.index(_step(progress))
    words = []
    for place, step in enumerate(steps):
        pattern = _DONE if place < reached else _PENDING
        if place == reached and run.state != "queued":
            pattern = _CURRENT if run.active else _ENDED
        words.append(pattern.format(TITLES[step].replace(" ", "\u00a0")))
    st.markdown("&emsp; ".join(words))


def _steps(progress: RunProgress) -> list[str]:
    steps = list(progress.stages)
    if "features" not in steps:
        steps.insert(steps.index("train"), "warm up")
    return steps


def _step(progress: RunProgress) -> str:
    warms_up = progress.stage == "train" and progress.epoch == 0 and "features" not in progress.stages
    return "warm up" if warms_up else progress.stage
