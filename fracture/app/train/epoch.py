"""What a network that trains says of the validation images after its last epoch."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fracture import charts
from fracture.app.shared import dataset_cache
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.evaluation.metrics import CONFUSION
from fracture.imaging.thumbnails import thumbnails
from fracture.training.runs.progress import Progress

STIR, ARROWS = 0.005, {1: "↑", 0: "→", -1: "↓"}
"""A probability that moves by less than this from one epoch to the next stays where it is."""

RIGHT, WRONG = ":green[:material/check:]", ":red[:material/close:]"


def show_look(progress: Progress) -> None:
    """The confusion matrix, and a few images that are followed from epoch to epoch."""
    if progress.look is None or progress.data is None:
        return
    names = progress.data["label_names"]
    left, right = st.columns((2, 3))
    with left:
        cells = dict(zip(CONFUSION, progress.look["confusion"], strict=True))
        chart = charts.confusion(cells, names)
        st.vega_lite_chart(chart.data, chart.spec, alt=f"Confusion matrix after epoch {progress.look['epoch']}")
        st.caption(f"All validation images after epoch {progress.look['epoch']}, at a probability of one half.")
    with right:
        _followed(progress, names)


def _followed(progress: Progress, names: Sequence[str]) -> None:
    """The same few validation images from epoch to epoch, and what is thought of them."""
    if progress.followed is None or progress.look is None or not progress.look["probabilities"]:
        return
    now = progress.look["probabilities"]
    before = progress.looked_before["probabilities"] if progress.looked_before else now
    paths, labels = progress.followed["paths"], progress.followed["labels"]
    here = dataset_cache.digests_of(paths)
    then = progress.followed.get("sha256s", here)  # events of before have none
    if not len(paths) == len(labels) == len(now) == len(before) == len(then):  # of another training by this name
        return
    pictures = thumbnails(paths, 160)
    same = [now_there == was_there for now_there, was_there in zip(here, then, strict=True)]
    rows = zip(pictures, same, paths, labels, now, before, strict=True)
    with st.grid("auto", min_column_width=110):
        for picture, unchanged, path, label, value, last in rows:
            with st.container(gap="small"):
                if isinstance(picture, bytes) and unchanged:
                    show_picture(picture, f"Radiograph {Path(path).name}")
                arrow = ARROWS[(value > last + STIR) - (value < last - STIR)]
                sign = RIGHT if (value >= 0.5) == bool(label) else WRONG
                st.markdown(
                    f"{escape_markdown(names[1])} **{value:.0%}** {arrow}  \n{sign} truth: "
                    f"{escape_markdown(names[label])}"
                )
    st.caption(
        f"{len(paths)} validation images: the probability of *{escape_markdown(names[1])}*, and whether it "
        "rose or fell in the "
        f"last epoch; {RIGHT} right and {WRONG} wrong at a probability of one half."
    )
