"""The same images split by image and by patient: what the mistake pretends."""

from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.material import on_a_bench
from fracture.app.experiments.search import with_progress
from fracture.app.shared.widgets import show_chart, show_errors
from fracture.experiments.leakage import WAYS, Outcome, compare_splits, gap
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run

FREE: dict[str, Any] = {"learning_rate": 0.03, "dropout": 0.0, "l2": 0.0, "epochs": 100, "batch_size": 64}
"""Choices that leave a head free to learn images by heart."""


def show_leakage() -> None:
    """A head for each split, both ways; then the gap with its interval, and what it means."""
    st.markdown(
        "The views of a patient resemble each other. Split by image, and some of them are trained on while others are "
        "held out: the head can recognise the patient instead of the finding, and the held-out figure flatters it. "
        "Here the same images are split in both ways, and the same head is trained on each."
    )
    on_a_bench(_experiment)


@st.fragment
def _experiment(run: Run, bench: Bench) -> None:
    seeds = st.slider("Splits of each way", 2, 20, 5, key="splits", persist_state="session")
    free = st.toggle(
        "Free to learn by heart", key="free head", persist_state="session",
        help="A high learning rate, many epochs, no dropout, no L2. A head that learns more by heart leaks more.",
    )  # fmt: skip
    by_lot = st.toggle(
        "Deal the labels out by lot", key="labels by lot", persist_state="session",
        help="Each patient gets another one's label. Then there is nothing to learn, and an honest split must say so: "
        "an AUC about 0.5. What a split by image shows above that is leakage alone.",
    )  # fmt: skip
    key = f"leakage of {run.name} {run.started}"
    with show_errors():
        if st.button("Split and train", type="primary", icon=":material/call_split:", key="split and train"):
            tried = replace(bench, config=bench.config.changed(**FREE)) if free else bench
            each = with_progress(
                compare_splits(tried, seeds, shuffle_labels=by_lot), seeds * len(WAYS), "Training heads"
            )
            st.session_state[key] = (list(each), by_lot)
    if key in st.session_state:
        _result(*st.session_state[key])


def _result(outcomes: list[Outcome], by_lot: bool) -> None:
    rows = pd.DataFrame([{**asdict(each), "auc": each.auc} for each in outcomes])
    left, right = st.columns(2)
    with left:
        show_chart(charts.gaps_of_splits(rows), "gaps of splits", "AUC by image and by patient, a line for each split")
    with right:
        _words(rows, outcomes, by_lot)


def _words(rows: pd.DataFrame, outcomes: list[Outcome], by_lot: bool) -> None:
    means, shared = (rows.groupby("way")[name].mean() for name in ("auc", "shared"))
    found = gap(outcomes)
    value, low, high = (float(found[name] or 0.0) for name in ("value", "low", "high"))
    with st.container(horizontal=True):
        st.metric("Split by image", f"{means['image']:.3f}", width=150)
        st.metric("Split by patient", f"{means['group']:.3f}", width=150)
        st.metric("Gap", f"{value:+.3f}", width=120)
    st.markdown(
        f"Mean AUC on held-out images. Split by image, {shared['image']:.0%} of them are of a patient (or group) that "
        f"is trained on as well; split by patient, none. The gap's 95 % interval is {low:+.3f} to {high:+.3f}."
    )
    if not shared["image"]:
        st.markdown("**These data name no patients**: each image is a group of its own, and both splits are the same.")
    elif low > 0:
        st.markdown(
            "**The split by image pretends.** The gap is what the head knows of patients"
            + (": of bones, these labels say nothing." if by_lot else ", not of findings.")
        )
    else:
        st.markdown(
            "**Here the gap cannot be told from none**: these frozen features say little of who a patient is, or there "
            "are too few splits to tell. That one data set is forgiving is no reason to split by image: "
            "whether the next one is, no split by image will say."
        )
    st.caption(
        "Every head was trained to its last epoch, so that held-out images had no say. The interval allows for splits "
        "of the same images being alike (Nadeau and Bengio, 2003)."
    )
