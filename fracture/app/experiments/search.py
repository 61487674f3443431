"""Many heads in a row: the learning curve over the number of patients, and the hyperparameter search."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.experiments.computed_with import (
    Settings,
    changed_settings,
    head_settings,
    note_section,
    show_settings,
)
from fracture.app.experiments.playground import with_settings
from fracture.app.shared import state
from fracture.app.shared.features.material import Material, note_choice
from fracture.app.shared.metrics import verdict
from fracture.app.shared.widgets import expander, learn_more, show_chart, show_errors
from fracture.estimate import Estimate, format_number
from fracture.experiments.learning_curve import GROUP_SHARES, Point, gain_from_more, learning_curve
from fracture.experiments.presets import SUBSETS, TRIALS
from fracture.experiments.search import GRID, Try, grid, lead_of_best, sample_hyperparameters, search
from fracture.experiments.shipped.results import PointResult, TryResult, shipped_results
from fracture.experiments.workbench import Bench
from fracture.training.config import field_title

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


Found = tuple[pd.DataFrame, Estimate | None, Settings]
"""A row a head, the effect, and the settings that it was computed with."""


@st.fragment
def show_learning_curve(material: Material, bench: Bench) -> None:
    """A button, and the learning curve: the validation AUC over the number of training patients."""
    st.header("Learning curve")
    st.caption(
        "Would more patients help? The head trains on random subsets of the training patients, with the settings above."
    )
    entry = state.experiment("learning curve", material.results_key(bench))
    left, right = st.columns((3, 2), gap="medium")
    with right, show_errors():
        if st.button("Show me", type="primary", icon=":material/show_chart:", key="run learning curve"):
            tried = with_settings(material, bench)
            heads = with_progress(learning_curve(tried, SUBSETS), SUBSETS * len(GROUP_SHARES), "Training heads")
            points = list(heads)
            entry.set((_table(points), gain_from_more(tried, points), head_settings(tried.config)))
    found: Found | None = entry.get() or _shipped_curve(material, bench)
    if found is not None:
        table, gain, used = found
        with left:
            show_chart(charts.learning_curve(table), "learning curve", "Validation AUC by number of training patients")
        with right:
            counts = table["groups"]
            _show_effect(f"Gain: {counts.max()} patients against {counts.min()}", gain)
            _show_settings("learning curve", material, bench, used)
            st.caption(
                "The AUC of the mean probability of the heads on all patients, an ensemble, minus the mean AUC of the "
                "single heads on few. An ensemble is often a little better than its heads, whose AUCs the chart shows."
            )
            st.markdown(_describe_trend(table))
            note_choice(material)
    learn_more(
        "learn learning curve",
        f"The subsets contain {GROUP_SHARES[0]:.0%} to 100% of the training patients, {SUBSETS} random subsets of "
        "each size. A head on few patients trains for as many steps as a head on all: otherwise it would also be "
        "worse because it trained for less.",
    )


def _shipped_curve(material: Material, bench: Bench) -> Found | None:
    results = shipped_results() if material.run is None else None
    if results is None:
        return None
    return _table(results.learning_curve), results.more_patients, head_settings(bench.config)


def _show_settings(section: str, material: Material, bench: Bench, used: Settings, own: Settings | None = None) -> None:
    """The settings behind a result; ``own``: those of its own widgets as they are now, beside the dials above."""
    now = head_settings(with_settings(material, bench).config)
    of_dials = {name: value for name, value in used.items() if name in now}
    changed = changed_settings(of_dials, now)
    note_section(section, material.results_key(bench), of_dials, changed)
    show_settings(used, changed + changed_settings(used, own or {}), "Show me")


def _show_effect(title: str, effect: Estimate | None) -> None:
    """An effect as a number, and whether it is significant."""
    if effect is None or effect["value"] is None:
        return
    st.metric(title, f"{effect['value']:+.3f}")
    st.markdown(f"AUC {format_number(effect)}. {verdict(effect)}")


def _describe_trend(points: pd.DataFrame) -> str:
    """The gain from the last doubling or so of the patients."""
    counts = sorted(points["groups"].unique())
    last = counts[-1]
    smaller = [each for each in counts[:-1] if each <= 0.6 * last]
    before = smaller[-1] if smaller else counts[0]
    fewer = points.loc[points["groups"] == before, "auc"]
    more = points.loc[points["groups"] == last, "auc"]
    words = (
        f"The last step: with {before} patients the AUC is {fewer.min():.3f} to {fewer.max():.3f}, with all {last} it "
        f"is {more.min():.3f} to {more.max():.3f}, on the same validation images. "
    )
    if fewer.max() < more.min():
        return words + "**Every head on all patients is better**: more patients may help further."
    return words + "The ranges overlap: this last step shows no clear gain."


@st.fragment
def show_search(material: Material, bench: Bench) -> None:
    """A search over learning rate, dropout and L2, as parallel coordinates."""
    st.header("Hyperparameter search")
    st.caption("How much is the best of many trials worth? The other settings are those above.")
    entry = state.experiment("search", material.results_key(bench))
    left, right = st.columns((3, 2), gap="medium")
    with right, show_errors():
        pressed, own, choices = _choose_trials(bench)
        if pressed:
            tried = with_settings(material, bench)
            tries = list(with_progress(search(tried, choices), len(choices), "Training heads"))
            entry.set((_table(tries), lead_of_best(tried, tries), {**own, **head_settings(tried.config, GRID)}))
    found: Found | None = entry.get() or _shipped_search(material, bench)
    if found is not None:
        table, lead, used = found
        with left:
            alt = "Hyperparameters and the resulting AUCs, a line a trial"
            show_chart(charts.parallel_coordinates(table), "search", alt)
            st.caption(
                "A line a trial. Selection and Other half: the AUC on the half of the validation patients that selects "
                "the best trial, and on the other half."
            )
        with right:
            _show_effect("Best trial against the others", lead)
            _show_settings("search", material, bench, used, own)
            st.markdown(_describe_best(table))
            note_choice(material)


def _choose_trials(bench: Bench) -> tuple[bool, Settings, list[dict[str, float]]]:
    """The button and the settings: whether it was pressed, the settings in words, and the hyperparameters to try."""
    pressed = st.button("Show me", type="primary", icon=":material/search:", key="run search")
    with expander("Settings", "search settings", ":material/tune:"):
        method = st.segmented_control(
            "Method",
            ["random", "grid"],
            default="random",
            required=True,
            key="search method",
            persist_state="session",
            format_func=lambda each: "Random search" if each == "random" else f"Grid of {len(grid())}",
        )
        count = st.slider(
            "Trials",
            MIN_TRIALS,
            MAX_TRIALS,
            TRIALS,
            key="search size",
            disabled=method == "grid",
            persist_state="session",
        )
    choices = grid() if method == "grid" else sample_hyperparameters(count, bench.config.seed)
    return pressed, _own_settings(method, len(choices)), choices


def _own_settings(method: str, trials: int) -> Settings:
    return {"Method": method, "Trials": str(trials)}


def _shipped_search(material: Material, bench: Bench) -> Found | None:
    results = shipped_results() if material.run is None else None
    if results is None:
        return None
    used = {**_own_settings("random", TRIALS), **head_settings(bench.config, GRID)}
    return _table(results.search), results.best_trial, used


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


def _table(results: Sequence[Point | Try | PointResult | TryResult]) -> pd.DataFrame:
    """A row a head, without its probabilities; the hyperparameters become columns."""
    rows = []
    for each in results:
        values = vars(each)
        known = {name: value for name, value in values.items() if name not in ("choices", "probability")}
        rows.append({**values.get("choices", {}), **known})
    return pd.DataFrame(rows)
