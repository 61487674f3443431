"""The leakage lab: the same images split by image and by patient, and a head trained on each split."""

from collections.abc import Iterator
from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.material import Material, note_choice, with_bench
from fracture.app.experiments.search import with_progress
from fracture.app.shared import state
from fracture.app.shared.metrics import verdict
from fracture.app.shared.widgets import expander, learn_more, show_chart, show_errors
from fracture.experiments import presets
from fracture.experiments.leakage import SPLIT_KINDS, Outcome, compare_splits, gap
from fracture.experiments.presets import LEAKAGE_SPLITS, OVERFITTING
from fracture.experiments.shipped.results import shipped_results
from fracture.experiments.workbench import Bench

Found = tuple[list[Outcome], bool]
"""The heads, and whether labels were shuffled."""


def show_leakage(material: Material | None) -> None:
    """Train heads on both kinds of splits, then show the gap with its interval."""
    st.caption(
        "Views of one patient look alike: a split by image puts some of them on both sides, and a head that has "
        "learned nothing about findings still seems to know something."
    )
    with_bench(material, _show_experiment)
    learn_more(
        "learn leakage",
        "- The lab splits the same images by image and by patient, and trains the same head on each split.\n"
        "- Split by image, the head can recognize the patient instead of the finding.\n"
        "- Each head trains to its last epoch, so that the held-out images select nothing.\n"
        "- Shuffled labels are the strictest test: there is nothing to learn, so that each AUC above 0.5 is "
        "leakage (after Zhang et al., ICLR 2017).\n"
        "- The interval of the gap allows for the overlap of the splits (Nadeau and Bengio, 2003).",
    )


@st.fragment
def _show_experiment(material: Material, bench: Bench) -> None:
    entry = state.experiment("leakage", material.results_key(bench))
    left, right = st.columns((3, 2), gap="large")
    with right, show_errors():
        started = _start(bench)
        if started is not None:
            outcomes, total, shuffled = started
            entry.set((list(with_progress(outcomes, total, "Training heads")), shuffled))
    found: Found | None = entry.get() or _shipped(material)
    if found is None:
        left.info("*Show me* trains heads on both kinds of splits.", icon=":material/call_split:")
        return
    rows = pd.DataFrame([{**asdict(each), "auc": each.auc} for each in found[0]])
    with left:
        show_chart(charts.leakage_gaps(rows), "leakage gaps", "AUC by image and by patient, a line for each split")
    with right:
        _explain_gap(rows, *found)
        note_choice(material)


def _start(bench: Bench) -> tuple[Iterator[Outcome], int, bool] | None:
    """The buttons and the settings; the heads to train and how many, where a visitor has pressed one."""
    show_me = st.button(
        "Show me",
        type="primary",
        icon=":material/play_arrow:",
        key="show leakage",
        help=f"{LEAKAGE_SPLITS} splits of each kind, shuffled labels, and settings that allow overfitting.",
    )
    with expander("Settings", "leakage settings", ":material/tune:"):
        splits = st.slider("Splits of each kind", 2, 20, 5, key="splits", persist_state="session")
        overfitting = st.toggle(
            "Allow overfitting",
            key="overfitting",
            persist_state="session",
            help="A high learning rate, many epochs, no dropout, no L2. A head that memorizes its training set leaks "
            "more.",
        )
        shuffled = st.toggle(
            "Shuffle labels",
            key="shuffled labels",
            persist_state="session",
            help="Each patient gets the label of another one. An honest split then shows an AUC of about 0.5.",
        )
        chosen = st.button("Start experiment", icon=":material/call_split:", key="run leakage")
    if show_me:
        return presets.show_leakage(bench), LEAKAGE_SPLITS * len(SPLIT_KINDS), True
    if not chosen:
        return None
    tried = replace(bench, config=bench.config.changed(**OVERFITTING)) if overfitting else bench
    return compare_splits(tried, splits, shuffle_labels=shuffled), splits * len(SPLIT_KINDS), shuffled


def _shipped(material: Material) -> Found | None:
    """What *Show me* gave on the shipped features, which a visitor sees first."""
    results = shipped_results() if material.run is None else None
    return None if results is None else (results.outcomes(), True)


def _explain_gap(rows: pd.DataFrame, outcomes: list[Outcome], shuffled: bool) -> None:
    means = rows.groupby("way")["auc"].mean()
    shared = rows.groupby("way")["shared"].mean()
    found = gap(outcomes)
    value = float(found["value"] or 0.0)
    low = float(found["low"] or 0.0)
    high = float(found["high"] or 0.0)
    with st.container(horizontal=True):
        st.metric("Split by image", f"{means['image']:.3f}", width=120)
        st.metric("Split by patient", f"{means['group']:.3f}", width=120)
        st.metric("Gap", f"{value:+.3f}", width=150)
    labels = "Labels shuffled. " if shuffled else ""
    st.markdown(
        f"{labels}Mean AUC on held-out images. Split by image, {shared['image']:.0%} of them belong to patients (or "
        f"groups) of the training set; split by patient, none. 95% interval of the gap: {low:+.3f} to {high:+.3f}. "
        f"{verdict(found)}"
    )
    st.markdown(_conclusion(shared_by_image=float(shared["image"]), leaks=low > 0, shuffled=shuffled))


def _conclusion(*, shared_by_image: float, leaks: bool, shuffled: bool) -> str:
    if not shared_by_image:
        return "**This data set names no patients**: each image is a group, so that both splits are the same."
    if leaks and shuffled:
        return "**The split by image leaks.** With shuffled labels, the head can only recognize patients."
    if leaks:
        return "**The split by image leaks.** The gap is what the head knows about patients, not about findings."
    return (
        "These frozen features may identify patients poorly, or there are too few splits. Split by patient all the "
        "same: a split by image cannot show whether it leaks."
    )
