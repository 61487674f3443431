"""The results after the last epoch of a run: a confusion matrix and a few images, of those that choose the epoch."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fracture import charts
from fracture.app.shared import dataset_cache
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import RadiographError
from fracture.evaluation.metrics import CONFUSION
from fracture.imaging.thumbnails import thumbnails
from fracture.training.runs.progress import RunProgress

MIN_ARROW_CHANGE = 0.005
"""Smaller changes of a probability from one epoch to the next get no arrow up or down."""

THUMBNAIL_SIZE = 160
"""px"""

CORRECT = ":green[:material/check:]"
WRONG = ":red[:material/close:]"


def show_epoch(progress: RunProgress) -> None:
    """The confusion matrix, and a few images that are followed from epoch to epoch."""
    if progress.look is None or progress.data is None:
        return
    names = progress.data["label_names"]
    epoch = progress.look["epoch"]
    left, right = st.columns((2, 3))
    with left:
        cells = dict(zip(CONFUSION, progress.look["confusion"], strict=True))
        chart = charts.confusion(cells, names)
        st.vega_lite_chart(chart.data, chart.spec, alt=f"Confusion matrix after epoch {epoch}")
        st.caption(f"All {_part(progress)} images after epoch {epoch}, at a threshold of 50%.")
    with right:
        _show_followed(progress, names)


def _part(progress: RunProgress) -> str:
    """The part that chooses the epoch."""
    return "selection" if progress.selection_images else "validation"


def _show_followed(progress: RunProgress, names: Sequence[str]) -> None:
    """The same few images after each epoch, with their current probabilities."""
    if progress.followed is None or progress.look is None or not progress.look["probabilities"]:
        return
    paths = progress.followed["paths"]
    labels = progress.followed["labels"]
    now = progress.look["probabilities"]
    before = progress.looked_before["probabilities"] if progress.looked_before else now
    current_files = dataset_cache.digests_of([Path(path) for path in paths])
    recorded_files = progress.followed.get("sha256s", current_files)  # older events do not record them
    if not len(paths) == len(labels) == len(now) == len(before) == len(recorded_files):
        return  # the events mix two runs of the same name
    pictures = thumbnails(paths, THUMBNAIL_SIZE)
    with st.grid("auto", min_column_width=110):
        for place, path in enumerate(paths):
            with st.container(gap="small"):
                # A file that was replaced since is not the image that the model saw.
                if current_files[place] == recorded_files[place]:
                    _show_thumbnail(pictures[place], path)
                st.markdown(_describe(names, labels[place], now[place], before[place]))
    st.caption(
        f"Probability of *{escape_markdown(names[1])}* for {len(paths)} {_part(progress)} images; the arrow shows its "
        f"change in the last epoch. {CORRECT} correct and {WRONG} wrong at a threshold of 50%."
    )


def _show_thumbnail(picture: bytes | RadiographError, path: str) -> None:
    if isinstance(picture, bytes):  # else the reason why there is none
        show_picture(picture, f"Radiograph {Path(path).name}")


def _describe(names: Sequence[str], label: int, probability: float, before: float) -> str:
    """The probability with its arrow, and the true label."""
    mark = CORRECT if (probability >= 0.5) == bool(label) else WRONG
    return (
        f"{escape_markdown(names[1])} **{probability:.0%}** {_arrow(probability - before)}  \n"
        f"{mark} truth: {escape_markdown(names[label])}"
    )


def _arrow(change: float) -> str:
    if change > MIN_ARROW_CHANGE:
        return "↑"
    if change < -MIN_ARROW_CHANGE:
        return "↓"
    return "→"
