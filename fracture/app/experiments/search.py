"""Many heads in a row: the learning curve over the number of patients, and the hyperparameter search."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TypeVar

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.playground import with_settings
from fracture.app.shared import state
from fracture.app.shared.widgets import learn_more, show_chart, show_errors
from fracture.experiments.learning_curve import GROUP_SHARES, Point, learning_curve
from fracture.experiments.search import GRID, Try, grid, sample_hyperparameters, search
from fracture.experiments.workbench import Bench
from fracture.training.config import field_title
from fracture.training.runs.queue import Run

SUBSETS = 3
"""Heads for each number of patients."""

MIN_TRIALS = 8
MAX_TRIALS = 64
"""Of a random search."""

_Item = TypeVar("_Item")


def with_progress(each: Iterable[_Item], total: int, words: str) -> Iterator[_Item]:
    """The same items, with a bar that shows how many have come."""
    bar = st.progress(0.0, words)
    for done, item in enumerate(each, start=1):
        bar.progress(done / total, f"{words}: {done} of {total}")
        yield item
    bar.empty()


@st.fragment
def show_learning_curve(run: Run, bench: Bench) -> None:
    """A button, and then the learning curve: the validation AUC over the number of training patients."""
    st.header("Learning curve")
    st.caption(
        "Would more patients help? The head trains on random subsets of the training patients, with the settings above."
    )
    learn_more(
        "learn learning curve",
        f"The subsets contain {GROUP_SHARES[0]:.0%} to 100% of the training patients, {SUBSETS} random subsets of "
        "each size. A head on few patients trains for as many steps as a head on all: otherwise it would also be "
        "worse because it trained for less.",
    )
    entry = state.experiment("learning curve", run)
    with show_errors():
        if st.button("Compute learning curve", icon=":material/show_chart:", key="run learning curve"):
            points = learning_curve(with_settings(run, bench), SUBSETS)
            entry.set(_table(with_progress(points, SUBSETS * len(GROUP_SHARES), "Training heads")))
    table = entry.get()
    if table is not None:
        show_chart(charts.learning_curve(table), "learning curve", "Validation AUC by number of training patients")
        st.markdown(_describe_trend(table))


def _describe_trend(points: pd.DataFrame) -> str:
    """The gain from the last doubling or so of the patients."""
    counts = sorted(points["groups"].unique())
    last = counts[-1]
    smaller = [each for each in counts[:-1] if each <= 0.6 * last]
    before = smaller[-1] if smaller else counts[0]
    fewer = points.loc[points["groups"] == before, "auc"]
    more = points.loc[points["groups"] == last, "auc"]
    words = (
        f"With {before} patients the AUC is {fewer.min():.3f} to {fewer.max():.3f}, with all {last} it is "
        f"{more.min():.3f} to {more.max():.3f}, on the same validation images. "
    )
    if fewer.max() < more.min():
        return words + "**Every head on all patients is better**: more patients may help further."
    return words + "The ranges overlap: there is no clear gain."


@st.fragment
def show_search(run: Run, bench: Bench) -> None:
    """A search over learning rate, dropout and L2, as parallel coordinates."""
    st.header("Hyperparameter search")
    st.caption("Searches learning rate, dropout and L2; the other settings are those above.")
    entry = state.experiment("search", run)
    left, right = st.columns(2)
    method = left.segmented_control(
        "Method",
        ["random", "grid"],
        default="random",
        required=True,
        key="search method",
        persist_state="session",
        format_func=lambda each: "Random search" if each == "random" else f"Grid of {len(grid())}",
    )
    count = right.slider(
        "Trials", MIN_TRIALS, MAX_TRIALS, 16, key="search size", disabled=method == "grid", persist_state="session"
    )
    with show_errors():
        if st.button("Start search", icon=":material/search:", key="run search"):
            choices = grid() if method == "grid" else sample_hyperparameters(count, bench.config.seed)
            found = search(with_settings(run, bench), choices)
            entry.set(_table(with_progress(found, len(choices), "Training heads")))
    table = entry.get()
    if table is not None:
        alt = "Hyperparameters and the resulting AUCs, a line a trial"
        show_chart(charts.parallel_coordinates(table), "search", alt)
        st.caption(
            "A line a trial. Selection and Other half: the AUC on the half of the validation patients that selects the "
            "best trial, and on the other half."
        )
        st.markdown(_describe_best(table))


def _describe_best(found: pd.DataFrame) -> str:
    """The best trial on the half that selects it, and its lead on the other half."""
    best = found.sort_values("chosen_by").iloc[-1]
    settings = ", ".join(f"{field_title(name)} {best[name]:.2g}" for name in GRID)
    selection_lead = best["chosen_by"] - found["chosen_by"].median()
    other_lead = best["other"] - found["other"].median()
    return (
        f"Best trial: {settings}. Its AUC is {best['chosen_by']:.3f} on the half of the validation patients that "
        f"selected it ({selection_lead:+.3f} against the median trial), and **{best['other']:.3f} on the other half** "
        f"({other_lead:+.3f}). Selection did not use the other half: only the lead there is real."
    )


def _table(results: Iterable[Point | Try]) -> pd.DataFrame:
    """A row each; the hyperparameters of a result become columns."""
    rows = [asdict(each) for each in results]
    return pd.DataFrame([{**row.pop("choices", {}), **row} for row in rows])
