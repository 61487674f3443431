"""The results after the last epoch of a run: a confusion matrix and a few images, of those that choose the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from fracture import charts
from fracture.app.shared import dataset_cache
from fracture.app.shared.frame.chart import show_vega_chart
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.app.train.curves import show_curve
from fracture.errors import RadiographError
from fracture.evaluation.metrics import CONFUSION
from fracture.imaging.thumbnails import thumbnails
from fracture.training.runs.event_types import LookEvent
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

MIN_ARROW_CHANGE = 0.005
"""Smaller changes of a probability from one epoch to the next get no arrow up or down."""

THUMBNAIL_SIZE = 160
"""px"""

MIN_TILE_WIDTH = 134
"""px: eight followed images stand in one row of a laptop, each with its words in two lines."""

CORRECT = ":green[:material/check:]"
WRONG = ":red[:material/close:]"


def show_epoch(run: Run, progress: RunProgress, whole: RunProgress) -> None:
    """A few images that are followed from epoch to epoch, their probabilities so far, and the confusion matrix.

    Args:
        run: as it stands.
        progress: up to the epoch that is shown.
        whole: of the run as it stands, which the axes have room for.
    """
    if progress.look is None or progress.data is None:
        return
    names = progress.data["label_names"]
    followed = _followed(progress)
    if followed:
        _show_followed(followed, progress, names)
    has_auc = "val_auc" in whole.history
    places = iter(st.columns(1 + bool(followed) + has_auc))
    if followed:
        with next(places):
            _show_probabilities(run, followed, whole, names)
    if has_auc:
        with next(places):
            show_curve(run, progress, whole, "auc")
    with next(places):
        _show_confusion(progress.look, progress, names)


def _show_confusion(look: LookEvent, progress: RunProgress, names: tuple[str, str]) -> None:
    epoch = look["epoch"]
    cells = dict(zip(CONFUSION, look["confusion"], strict=True))
    chart = charts.confusion(cells, names)
    # The same words after each epoch, which the caption names: others would mount a new chart.
    show_vega_chart(chart, "Confusion matrix after an epoch", "confusion of epoch")
    st.caption(f"All {_part(progress)} images after epoch {epoch}, at a threshold of 50%.")


def _part(progress: RunProgress) -> str:
    """The part that chooses the epoch."""
    return "selection" if progress.selection_images else "validation"


@dataclass(frozen=True)
class _Followed:
    """The images that are followed, and their probabilities after each epoch so far."""

    paths: list[str]
    labels: list[Literal[0, 1]]
    same_files: list[bool]
    """Whether a file is still the one that the model saw."""
    probabilities: dict[int, list[float]]
    """By epoch: one for each image."""


def _followed(progress: RunProgress) -> _Followed | None:
    """None where no image is followed, or where the events mix two runs of the same name."""
    if progress.followed is None:
        return None
    paths = progress.followed["paths"]
    labels = progress.followed["labels"]
    probabilities = {look["epoch"]: look["probabilities"] for look in progress.looks}
    current_files = dataset_cache.digests_of([Path(path) for path in paths])
    recorded_files = progress.followed.get("sha256s", current_files)  # older events do not record them
    lengths = {len(paths), len(labels), len(recorded_files), *map(len, probabilities.values())}
    if len(lengths) > 1 or not paths:
        return None
    same = [current == recorded for current, recorded in zip(current_files, recorded_files, strict=True)]
    return _Followed(paths, labels, same, probabilities)


def _show_followed(followed: _Followed, progress: RunProgress, names: Sequence[str]) -> None:
    """The same few images after each epoch, with their current probabilities."""
    *earlier, now = followed.probabilities.values()
    before = earlier[-1] if earlier else now
    pictures = thumbnails(followed.paths, THUMBNAIL_SIZE)
    with st.grid("auto", min_column_width=MIN_TILE_WIDTH, key="followed images"):
        for place, path in enumerate(followed.paths):
            with st.container(gap="small"):
                # A file that was replaced since is not the image that the model saw.
                if followed.same_files[place]:
                    _show_thumbnail(pictures[place], path)
                words = _describe(names, followed.labels[place], now[place], before[place])
                st.markdown(f"{place + 1} · {words}")
    st.caption(
        f"Probability of *{escape_markdown(names[1])}* for {len(now)} {_part(progress)} images; the arrow shows its "
        f"change in the last epoch. {CORRECT} correct and {WRONG} wrong at a threshold of 50%."
    )


def _show_probabilities(run: Run, followed: _Followed, whole: RunProgress, names: Sequence[str]) -> None:
    """The probabilities of these images over the epochs."""
    title = f"Probability of {names[1]}"
    epochs = whole.epochs if run.active else whole.epoch
    chart = charts.followed_curves(followed.probabilities, followed.labels, title, epochs)
    show_vega_chart(chart, f"{title} by epoch, a line for each image that is followed", f"followed {run.name}")
    st.caption(
        f"A line for each of these images; solid ones are {escape_markdown(names[1])}, dashed ones "
        f"{escape_markdown(names[0])}."
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
