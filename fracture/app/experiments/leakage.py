"""The leakage lab: the same images split by image and by patient, and a head trained on each split."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture import charts
from fracture.app.experiments.computed_with import Settings, changed_settings, head_settings, show_settings
from fracture.app.experiments.search import with_progress
from fracture.app.shared import state
from fracture.app.shared.features.material import Material, note_choice, with_bench
from fracture.app.shared.metrics import verdict
from fracture.app.shared.widgets import expander, learn_more, show_chart, show_errors
from fracture.experiments import presets
from fracture.experiments.leakage import SPLIT_KINDS, Outcome, compare_splits, gap
from fracture.experiments.presets import LEAKAGE_SPLITS, OVERFITTING
from fracture.experiments.shipped.results import shipped_results
from fracture.experiments.workbench import Bench

SPLITS = 5
"""Of each kind, unless a visitor chooses another number."""


@dataclass(frozen=True)
class Found:
    """The heads of an experiment, and what they were trained with."""

    outcomes: list[Outcome]
    shuffled: bool
    """Whether labels were shuffled."""
    used: Settings
    dials: Settings
    """The settings of the page at that time; *Show me* does not use them."""


@dataclass(frozen=True)
class _Asked:
    """What a visitor's press on a button asks for."""

    outcomes: Iterator[Outcome]
    splits: int
    """Of each kind."""
    shuffled: bool
    used: Settings


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
    left, right = st.columns((3, 2), gap="medium")
    with right, show_errors():
        # The bar stands beside the button, in a row that is as high without it: the numbers below stay in place.
        row = st.container(horizontal=True, vertical_alignment="center", key="leakage row")
        asked, dials = _start(bench, row)
        if asked is not None:
            with row:
                heads = with_progress(asked.outcomes, asked.splits * len(SPLIT_KINDS), "Training heads")
                outcomes = list(heads)
            entry.set(Found(outcomes, asked.shuffled, asked.used, dials))
    found: Found | None = entry.get() or _shipped(material, bench)
    if found is None:
        left.info("*Show me* trains heads on both kinds of splits.", icon=":material/call_split:")
        return
    rows = pd.DataFrame([{**asdict(each), "auc": each.auc} for each in found.outcomes])
    with left:
        show_chart(charts.leakage_gaps(rows), "leakage gaps", "AUC by image and by patient, a line for each split")
    with right:
        _explain_gap(rows, found.outcomes, found.shuffled)
        show_settings(found.used, changed_settings(found.dials, dials), "Start experiment")
        note_choice(material)


def _start(bench: Bench, row: DeltaGenerator) -> tuple[_Asked | None, Settings]:
    """The buttons and the settings; what to train, where a visitor has pressed a button, and the settings in words."""
    show_me = row.button(
        "Show me",
        type="primary",
        icon=":material/play_arrow:",
        key="show leakage",
        help=f"{LEAKAGE_SPLITS} splits of each kind, shuffled labels, and settings that allow overfitting.",
    )
    with expander("Settings", "leakage settings", ":material/tune:"):
        splits = st.slider("Splits of each kind", 2, 20, SPLITS, key="splits", persist_state="session")
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
    dials = _in_words(splits, overfitting=overfitting, shuffled=shuffled)
    if show_me:
        return _Asked(presets.show_leakage(bench), LEAKAGE_SPLITS, True, _of_preset(bench)), dials
    if not chosen:
        return None, dials
    tried = _tried(bench, overfitting=overfitting)
    outcomes = compare_splits(tried, splits, shuffle_labels=shuffled)
    return _Asked(outcomes, splits, shuffled, {**dials, **head_settings(tried.config)}), dials


def _tried(bench: Bench, *, overfitting: bool) -> Bench:
    return replace(bench, config=bench.config.changed(**OVERFITTING)) if overfitting else bench


def _in_words(splits: int, *, overfitting: bool, shuffled: bool) -> Settings:
    return {
        "Splits of each kind": str(splits),
        "Overfitting": "allowed" if overfitting else "not allowed",
        "Labels": "shuffled" if shuffled else "as they are",
    }


def _of_preset(bench: Bench) -> Settings:
    """What *Show me* trains with; see :func:`fracture.experiments.presets.show_leakage`."""
    words = _in_words(LEAKAGE_SPLITS, overfitting=True, shuffled=True)
    return {**words, **head_settings(_tried(bench, overfitting=True).config)}


def _shipped(material: Material, bench: Bench) -> Found | None:
    """What *Show me* gave on the shipped features, which a visitor sees first."""
    results = shipped_results() if material.run is None else None
    if results is None:
        return None
    at_first = _in_words(SPLITS, overfitting=False, shuffled=False)
    return Found(results.outcomes(), True, _of_preset(bench), at_first)


def _explain_gap(rows: pd.DataFrame, outcomes: list[Outcome], shuffled: bool) -> None:
    means = rows.groupby("way")["auc"].mean()
    shared = rows.groupby("way")["shared"].mean()
    found = gap(outcomes)
    value = float(found["value"] or 0.0)
    low = float(found["low"] or 0.0)
    high = float(found["high"] or 0.0)
    with st.container(horizontal=True):
        # In the order of the chart.
        st.metric("Split by patient", f"{means['group']:.3f}", width=120)
        st.metric("Split by image", f"{means['image']:.3f}", width=120)
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
