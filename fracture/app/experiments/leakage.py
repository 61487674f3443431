"""The leakage lab: the same images split by image and by patient, and a head trained on each split."""

from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.material import with_bench
from fracture.app.experiments.search import with_progress
from fracture.app.shared import state
from fracture.app.shared.widgets import learn_more, show_chart, show_errors
from fracture.experiments.leakage import SPLIT_KINDS, Outcome, compare_splits, gap
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run

OVERFITTING = {"learning_rate": 0.03, "dropout": 0.0, "l2": 0.0, "epochs": 100, "batch_size": 64}
"""Settings with which a head memorizes its training images."""


def show_leakage(run: Run | None) -> None:
    """Train heads on both kinds of splits, then show the gap with its interval."""
    st.header("Data leakage")
    st.caption(
        "Views of one patient look alike. A split by image puts some of them on both sides, and the held-out AUC "
        "becomes too optimistic."
    )
    learn_more(
        "learn leakage",
        "- The lab splits the same images by image and by patient, and trains the same head on each split.\n"
        "- Split by image, the head can recognize the patient instead of the finding.\n"
        "- Each head trains to its last epoch, so that the held-out images select nothing.\n"
        "- Shuffled labels are the strictest test: there is nothing to learn, so that each AUC above 0.5 is "
        "leakage (after Zhang et al., ICLR 2017).\n"
        "- The interval of the gap allows for the overlap of the splits (Nadeau and Bengio, 2003).",
    )
    with_bench(run, _show_experiment)


@st.fragment
def _show_experiment(run: Run, bench: Bench) -> None:
    splits = st.slider("Splits of each kind", 2, 20, 5, key="splits", persist_state="session")
    overfitting = st.toggle(
        "Allow overfitting",
        key="overfitting",
        persist_state="session",
        help="A high learning rate, many epochs, no dropout, no L2. A head that memorizes its training set leaks more.",
    )
    shuffled = st.toggle(
        "Shuffle labels",
        key="shuffled labels",
        persist_state="session",
        help="Each patient gets the label of another one. An honest split then shows an AUC of about 0.5.",
    )
    entry = state.experiment("leakage", run)
    with show_errors():
        if st.button("Start experiment", type="primary", icon=":material/call_split:", key="run leakage"):
            tried = replace(bench, config=bench.config.changed(**OVERFITTING)) if overfitting else bench
            outcomes = compare_splits(tried, splits, shuffle_labels=shuffled)
            results = list(with_progress(outcomes, splits * len(SPLIT_KINDS), "Training heads"))
            entry.set((results, shuffled))
    found = entry.get()
    if found is not None:
        _show_outcomes(*found)


def _show_outcomes(outcomes: list[Outcome], shuffled: bool) -> None:
    rows = pd.DataFrame([{**asdict(each), "auc": each.auc} for each in outcomes])
    left, right = st.columns(2)
    with left:
        show_chart(charts.leakage_gaps(rows), "leakage gaps", "AUC by image and by patient, a line for each split")
    with right:
        _explain_gap(rows, outcomes, shuffled)


def _explain_gap(rows: pd.DataFrame, outcomes: list[Outcome], shuffled: bool) -> None:
    means = rows.groupby("way")["auc"].mean()
    shared = rows.groupby("way")["shared"].mean()
    found = gap(outcomes)
    value = float(found["value"] or 0.0)
    low = float(found["low"] or 0.0)
    high = float(found["high"] or 0.0)
    with st.container(horizontal=True):
        st.metric("Split by image", f"{means['image']:.3f}", width=150)
        st.metric("Split by patient", f"{means['group']:.3f}", width=150)
        st.metric("Gap", f"{value:+.3f}", width=120)
    st.markdown(
        f"Mean AUC on held-out images. Split by image, {shared['image']:.0%} of the held-out images belong to patients "
        f"(or groups) of the training set; split by patient, none. 95% interval of the gap: {low:+.3f} to {high:+.3f}."
    )
    if not shared["image"]:
        st.markdown("**This data set names no patients**: each image is a group, so that both splits are the same.")
    elif low > 0 and shuffled:
        st.markdown("**The split by image leaks.** With shuffled labels, the head can only recognize patients.")
    elif low > 0:
        st.markdown("**The split by image leaks.** The gap is what the head knows about patients, not about findings.")
    else:
        st.markdown(
            "**The gap is not significant: its interval includes zero.** These frozen features may identify patients "
            "poorly, or there are too few splits. Split by patient all the same: a split by image cannot show whether "
            "it leaks."
        )
