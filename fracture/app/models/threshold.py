"""The operating point: one slider, and all that moves with it."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture import charts
from fracture.app.models.results import COUNTED, POINTS, named_points
from fracture.app.shared import prediction_cache
from fracture.app.shared.widgets import escape_markdown, format_percent, format_threshold, show_errors
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import ValidationResult

FIGURES = {
    "sensitivity": ("Sensitivity", "Of those that are {}, the share that is found."),
    "specificity": ("Specificity", "Of those that are not {}, the share that is rightly cleared."),
    "ppv": ("PPV", "Positive predictive value: of those called {}, the share that is."),
    "npv": ("NPV", "Negative predictive value: of those cleared, the share that is not {}."),
}


@st.fragment
@show_errors()  # within: what a fragment raises does not reach its caller
def show_operating_point(folder: ModelFolder, card: Card, judged: ValidationResult, level: str) -> None:
    """Figures, curves, confusion and a hundred patients at a threshold that the visitor moves."""
    labels = (card["labels"][0], card["labels"][1])
    table = prediction_cache.scored(folder, level, judged.only)
    threshold = _choose_threshold(card["thresholds"], f"operating point of {folder.version}", labels[1])
    at = prediction_cache.operating_point(folder, level, threshold, judged.only)
    _figures(at, labels[1], COUNTED[level])
    _curves(table, threshold)
    left, right = st.columns(2)
    with left:
        _show(charts.confusion(at["confusion"], labels), f"Confusion matrix by {level}")
    share = float(table["label"].mean())
    _hundred(right, at, labels[1], share, f"prevalence {folder.version} {level} {judged.only}")


def _choose_threshold(thresholds: dict[str, float], key: str, positive: str) -> float:
    """The slider, and the named points that move it."""
    st.session_state.setdefault(key, float(thresholds["balanced"]))
    with st.container(horizontal=True):
        for name, value in named_points(thresholds).items():
            chosen = abs(value - st.session_state[key]) < 5e-4  # half a step of the slider
            st.button(
                POINTS[name],
                key=f"point {name}",
                type="primary" if chosen else "secondary",
                on_click=_move,
                args=(key, value),
                help=f"From {format_threshold(value)} on",
            )
    threshold: float = st.slider(
        f"Called {escape_markdown(positive)} from this probability on", 0.0, 1.0, step=0.001, format="percent", key=key
    )
    return threshold


def _move(key: str, value: float) -> None:
    st.session_state[key] = value


def _figures(at: dict[str, Any], positive: str, counted: str) -> None:
    with st.grid(4, min_column_width=150):
        for name, (title, meaning) in FIGURES.items():
            found = at[name]
            value = "not defined" if found["value"] is None else f"{found['value']:.1%}"
            ends = "no interval" if found["low"] is None else f"{found['low'] * 100:.1f} to {found['high']:.1%}"
            with st.container():
                meant = meaning.format(escape_markdown(positive))
                st.metric(title, value, ends, delta_color="off", delta_arrow="off", help=meant, border=True)
    share = sum(at["confusion"][name] for name in ("true_positive", "false_negative"))
    kappa = at.get("kappa")
    agreement = f", kappa {kappa['value']:.2f}" if kappa and kappa["value"] is not None else ""
    st.caption(
        f"Accuracy {format_percent(at['accuracy'])}{agreement}. Below each figure its 95 % interval. PPV "
        "and NPV hold where, "
        f"as here, {share:,} of {sum(at['confusion'].values()):,} {counted} are {escape_markdown(positive)}."
    )


def _curves(table: pd.DataFrame, threshold: float) -> None:
    label, probability = table["label"].to_numpy(), table["probability"].to_numpy()
    if len(np.unique(label)) < 2:
        st.caption("Curves over all thresholds need validation images of both labels; these have only one.")
        return
    left, right = st.columns(2)
    with left:
        _show(charts.roc(label, probability, threshold), "ROC curve with the operating point")
    with right:
        _show(charts.precision_recall(label, probability, threshold), "Precision-recall curve with the operating point")


def _hundred(place: DeltaGenerator, at: dict[str, Any], positive: str, share: float, key: str) -> None:
    """What the operating point means for a hundred patients, of whom as many have it as the visitor says.

    ``place``: where the picture goes; the slider and the words stand below.
    """
    if at["sensitivity"]["value"] is None or at["specificity"]["value"] is None:
        place.caption("What it means for a hundred patients cannot be said without validation images of both labels.")
        return
    as_measured = min(99, max(1, round(100 * share)))
    percent = st.slider(
        f"How many of 100 are {escape_markdown(positive)}", 1, max(50, as_measured), as_measured, key=key,
        help="It starts at the share among the validation images. In an emergency room it is lower than in most data "
        "sets, and a finding is then more often a false alarm.",
    )  # fmt: skip
    counts = charts.round_to_hundred(at["sensitivity"]["value"], at["specificity"]["value"], percent / 100)
    words = hundred_in_words(counts, positive)
    with place:
        _show(charts.hundred(counts), words.replace("*", ""))
    st.markdown(words)


def hundred_in_words(counts: dict[str, int], positive: str) -> str:
    """The four counts of :func:`fracture.charts.round_to_hundred` as sentences."""
    found, missed, alarms, cleared = (counts[outcome] for outcome in charts.OUTCOMES)
    called, name = found + alarms, escape_markdown(positive)
    believed = f" Of the {called} called {name}, {found} are." if called else f" None is called {name}."
    return (
        f"**{found + missed}** of 100 are {name}: **{found}** found, **{missed}** missed. "
        f"**{alarms + cleared}** are not: **{alarms}** false alarms, **{cleared}** rightly cleared.{believed}"
    )


def _show(chart: charts.Moving, alt: str) -> None:
    st.vega_lite_chart(chart.data, chart.spec, alt=alt)
