"""The tab Threshold: one slider, and all metrics and charts that depend on it."""

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture import charts
from fracture.app.models.results import named_points
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.frame.chart import show_vega_chart
from fracture.app.shared.prediction_cache import PredictivePoint
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.estimate import format_percent
from fracture.formatting import format_threshold
from fracture.registry.card import Card
from fracture.registry.metric_names import COUNTED, metric_title, point_title
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import ValidationResult

MEANINGS: dict[Literal["sensitivity", "specificity", "ppv", "npv"], str] = {
    "sensitivity": "The share of {} cases that the model finds.",
    "specificity": "The share of cases without {} that the model clears.",
    "ppv": "Positive predictive value: the share of cases called {} that are {}.",
    "npv": "Negative predictive value: the share of cleared cases that are not {}.",
}

HALF_A_STEP = 5e-4
"""Of the slider: a named point within it is the chosen one."""


# A fragment: each move of the slider draws this section again, and not the whole page.
@st.fragment
@show_errors()  # inside the fragment: its caller does not see what a fragment raises
def show_operating_point(folder: ModelFolder, card: Card, result: ValidationResult, level: str) -> None:
    """Metrics, curves, confusion matrix and a hundred patients at a threshold that the visitor moves."""
    positive = card.labels[1]
    table = prediction_cache.scored(folder, level, result.only)
    threshold = _choose_threshold(card.thresholds, f"threshold {folder.version}", positive)
    point = prediction_cache.operating_point(folder, level, threshold, result.only)
    state.CHOSEN_POINT.set(None if abs(threshold - card.thresholds["balanced"]) < HALF_A_STEP else point)
    label = table["label"].to_numpy()
    histogram, matrix, hundred = st.columns(3)
    with histogram:
        chart = charts.score_histogram(label, table["probability"].to_numpy(), threshold, card.labels)
        alt = f"Probabilities of the validation {COUNTED[level]} by label, with the threshold"
        show_vega_chart(chart, alt, "score histogram")
    with matrix:
        chart = charts.confusion(point["confusion"], card.labels)
        show_vega_chart(chart, f"Confusion matrix by {level}", "confusion matrix")
    _show_hundred(hundred, point, positive, float(label.mean()), f"prevalence {folder.version} {level} {result.only}")
    _show_metrics(point, positive, COUNTED[level])
    _show_curves(table, threshold)


def _choose_threshold(thresholds: dict[str, float], key: str, positive: str) -> float:
    """The slider, and the named points that move it."""
    # Set before the slider is drawn: the buttons above it show which of them agrees with it.
    st.session_state.setdefault(key, thresholds["balanced"])
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with right.container(horizontal=True, horizontal_alignment="right"):
        for name, value in named_points(thresholds).items():
            chosen = abs(value - st.session_state[key]) < HALF_A_STEP
            st.button(
                point_title(name),
                key=f"point {name}",
                type="primary" if chosen else "secondary",
                on_click=_move,
                args=(key, value),
                help=f"Threshold {format_threshold(value)}",
            )
    threshold: float = left.slider(
        f"Threshold for {escape_markdown(positive)}",
        0.0,
        1.0,
        step=0.001,
        format="percent",
        key=key,
        persist_state="session",
    )
    return threshold


def _move(key: str, value: float) -> None:
    st.session_state[key] = value


def _show_metrics(point: PredictivePoint, positive: str, counted: str) -> None:
    name = escape_markdown(positive)
    with st.grid(4, min_column_width=150):
        for metric, meaning in MEANINGS.items():
            found = point[metric]
            value = "not defined" if found["value"] is None else f"{found['value']:.1%}"
            interval = "no interval" if found["low"] is None else f"{found['low'] * 100:.1f} to {found['high']:.1%}"
            with st.container():
                st.metric(
                    metric_title(metric),
                    value,
                    interval,
                    delta_color="off",
                    delta_arrow="off",
                    help=meaning.replace("{}", name),
                    border=True,
                )
    kappa = point.get("kappa")
    agreement = f", kappa {kappa['value']:.2f}" if kappa and kappa["value"] is not None else ""
    cells = point["confusion"]
    positives = cells["true_positive"] + cells["false_negative"]
    st.caption(
        f"95% intervals below each metric. Accuracy {format_percent(point['accuracy'])}{agreement}. PPV and NPV depend "
        f"on the prevalence: here {positives:,} of {sum(cells.values()):,} {counted} are {name}."
    )


def _show_curves(table: pd.DataFrame, threshold: float) -> None:
    label = table["label"].to_numpy()
    probability = table["probability"].to_numpy()
    if len(np.unique(label)) < 2:
        st.caption("ROC and precision-recall curves need validation images of both labels. These have only one.")
        return
    left, right = st.columns(2)
    with left:
        curve = charts.roc(label, probability, threshold)
        show_vega_chart(curve, "ROC curve with the operating point", "ROC curve")
    with right:
        curve = charts.precision_recall(label, probability, threshold)
        show_vega_chart(curve, "Precision-recall curve with the operating point", "precision-recall curve")


def _show_hundred(place: DeltaGenerator, point: PredictivePoint, positive: str, share: float, key: str) -> None:
    """The operating point's natural frequencies: a hundred patients, at a prevalence that the visitor chooses.

    ``place``: the column of the icon array; the slider and the words stand below the row.
    """
    sensitivity = point["sensitivity"]["value"]
    specificity = point["specificity"]["value"]
    if sensitivity is None or specificity is None:
        place.caption("The chart of a hundred patients needs validation images of both labels.")
        return
    as_measured = min(99, max(1, round(100 * share)))
    percent = st.slider(
        f"Prevalence of {escape_markdown(positive)} in 100 patients",
        1,
        max(50, as_measured),
        as_measured,
        key=key,
        persist_state="session",
        help="It starts at the share among the validation images. In an emergency room the prevalence is lower than in "
        "most data sets, so that more of the positive results are false alarms.",
    )
    counts = charts.natural_frequencies(sensitivity, specificity, percent / 100)
    words = describe_hundred(counts, positive)
    with place:
        show_vega_chart(charts.icon_array(counts), words.replace("*", ""), "hundred patients")
    st.markdown(words)


def describe_hundred(counts: dict[str, int], positive: str) -> str:
    """The four counts of :func:`fracture.charts.natural_frequencies` as sentences."""
    found, missed, alarms, cleared = map(counts.__getitem__, charts.OUTCOMES)
    called = found + alarms
    name = escape_markdown(positive)
    correct = f" Of the {called} called {name}, {found} are." if called else f" None is called {name}."
    return (
        f"**{found + missed}** of 100 are {name}: **{found}** found, **{missed}** missed. "
        f"**{alarms + cleared}** are not: **{alarms}** false alarms, **{cleared}** correctly cleared.{correct}"
    )
