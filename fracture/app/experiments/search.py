"""Many heads one after the other: over the number of patients, and over choices."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TypeVar

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.playground import as_dialled
from fracture.app.shared.widgets import show_chart, show_errors
from fracture.experiments.learning_curve import GROUP_SHARES, Point, learning_curve
from fracture.experiments.search import GRID, Try, grid, sample_hyperparameters, search
from fracture.experiments.workbench import Bench
from fracture.training.runs.queue import Run

DRAWS = 3
"""Heads for each number of patients."""

TRIES = (8, 64)
"""Fewest and most of a search by lot."""

Each = TypeVar("Each")


def with_progress(each: Iterable[Each], total: int, words: str) -> Iterator[Each]:
    """The same, one after the other, with a bar that shows how many have come."""
    bar = st.progress(0.0, words)
    for done, one in enumerate(each, start=1):
        bar.progress(done / total, f"{words}: {done} of {total}")
        yield one
    bar.empty()


@st.fragment
def show_learning_curve(run: Run, bench: Bench) -> None:
    """Would more patients help? A button, and then the learning curve."""
    key = f"learning curve of {run.name} {run.started}"
    st.markdown(
        f"The head learns from {GROUP_SHARES[0]:.0%} to all of the training patients, {DRAWS} times each with other "
        "patients, by the choices of the dials, and with as many steps for few patients as for all."
    )
    with show_errors():
        if st.button("Draw the learning curve", icon=":material/show_chart:", key="draw learning curve"):
            heads = with_progress(
                learning_curve(as_dialled(run, bench), DRAWS), DRAWS * len(GROUP_SHARES), "Training heads"
            )
            st.session_state[key] = _table(heads)
    if (points := st.session_state.get(key)) is not None:
        show_chart(charts.more_patients(points), "learning curve", "Validation AUC by number of training patients")
        st.markdown(_trend(points))


def _trend(points: pd.DataFrame) -> str:
    """What the last doubling or so of the patients has brought."""
    counts = sorted(points["groups"].unique())
    last, before = counts[-1], next((each for each in reversed(counts[:-1]) if each <= 0.6 * counts[-1]), counts[0])
    fewer, more = (points.loc[points["groups"] == groups, "auc"] for groups in (before, last))
    words = (
        f"With {before} patients the AUC is {fewer.min():.3f} to {fewer.max():.3f}, with all {last} it is "
        f"{more.min():.3f} to {more.max():.3f}, on the same validation images. "
    )
    if fewer.max() < more.min():
        return words + "**Each head that learned from all did better**: more patients may well help further."
    return words + "The draws overlap: that is no clear gain."


@st.fragment
def show_search(run: Run, bench: Bench) -> None:
    """A search over learning rate, dropout and L2, as parallel coordinates."""
    key = f"search of {run.name} {run.started}"
    st.markdown("Over learning rate, dropout and L2; the other choices are those of the dials.")
    left, right = st.columns(2)
    way = left.segmented_control(
        "Search", ["lot", "grid"], default="lot", required=True, key="way to search", persist_state="session",
        format_func=lambda each: "By lot" if each == "lot" else f"Grid of {len(grid())}",
    )  # fmt: skip
    tries = right.slider("Tries", *TRIES, 16, key="tries", disabled=way == "grid", persist_state="session")
    with show_errors():
        if st.button("Search", icon=":material/search:", key="begin search"):
            choices = grid() if way == "grid" else sample_hyperparameters(tries, bench.config.seed)
            st.session_state[key] = _table(
                with_progress(search(as_dialled(run, bench), choices), len(choices), "Training heads")
            )
    if (found := st.session_state.get(key)) is not None:
        show_chart(charts.searched(found), "searched", "Choices and the AUC that came of them, a line a head")
        st.caption(
            "A line a head. The last two are AUCs: on the half of the validation patients to choose by, and the other."
        )
        st.markdown(_worth(found))


def _worth(found: pd.DataFrame) -> str:
    """The best by one half of the validation patients, and what it is worth on the other."""
    best = found.sort_values("chosen_by").iloc[-1]
    middle = found["chosen_by"].median(), found["other"].median()
    names = ", ".join(f"{name.replace('_', ' ')} {best[name]:.2g}" for name in GRID)
    return (
        f"Best by the half of the validation patients that is used to choose: {names}, with an AUC of "
        f"{best['chosen_by']:.3f} there ({best['chosen_by'] - middle[0]:+.3f} against the median try) and "
        f"**{best['other']:.3f} on the other half** ({best['other'] - middle[1]:+.3f}). That half had no say in the "
        "choice: how much of the lead is left there is what the choice is worth."
    )


def _table(results: Iterable[Point | Try]) -> pd.DataFrame:
    """A row each; what a result holds as a dict becomes columns."""
    rows = [asdict(each) for each in results]
    return pd.DataFrame([{**row.pop("choices", {}), **row} for row in rows])
