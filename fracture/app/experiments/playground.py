"""The settings of the playground, and the head that trains with them at once."""

from dataclasses import replace

import streamlit as st

from fracture import charts
from fracture.app.experiments.computed_with import sections_outdated
from fracture.app.experiments.dials import choose_settings
from fracture.app.experiments.trial import Trial, trial_of
from fracture.app.shared import state
from fracture.app.shared.features.material import Material
from fracture.app.shared.frame.chart import show_vega_chart
from fracture.app.shared.metrics import verdict
from fracture.app.shared.state import Entry, policy, press_lock, runs_of_trials
from fracture.app.shared.widgets import escape_markdown, expander, link, show_errors
from fracture.estimate import format_number, format_percent
from fracture.evaluation.metrics import auc_difference
from fracture.experiments.workbench import Bench
from fracture.registry.metric_names import RATES, metric_name, metric_title
from fracture.registry.model_folder import free_name, model_folder
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.diagnosis import diagnose_fit

MANY_TRIALS = 10
"""From this many trials on, a warning says that the best one looks better than it is."""

MIN_AUC_CHANGE = 5e-4
"""A smaller change of the AUC would be shown as 0.000."""


# A fragment: each move of a slider trains a head, and draws neither the learning curve nor the search again.
@st.fragment
def play(material: Material, bench: Bench) -> None:
    """The settings, and beside them the head that trains with each change."""
    left, right = st.columns((1, 3), gap="medium")
    with left:
        config, groups = choose_settings(bench, material.key)
        state.playground_settings(material.key).set(config)
    if sections_outdated(material.results_key(bench), config):
        st.rerun()  # the whole page: the sections below say that the dials have changed since, or no longer
    with right, show_errors():
        trial = trial_of(material, bench, config, groups)
        key = material.results_key(bench)
        tried = state.settings_tried(key)
        trials = _remember(state.playground_trials(key), trial, tried)
        _show_metrics(trial, trials)
        _show_curves(trials)
        _explain_change(bench, trials)
        _show_details(trial, bench, len(tried))
        _show_trials(trials)
        _offer_training(material, trial, bench)


def with_settings(material: Material, bench: Bench) -> Bench:
    """The bench with the current settings of the playground."""
    return replace(bench, config=state.playground_settings(material.key).get() or bench.config)


def _remember(entry: Entry[list[Trial] | None], trial: Trial, tried: set[tuple[object, ...]]) -> list[Trial]:
    """The different trials of this visit, the current one last.

    Consecutive changes of one setting are one trial: each replaces the one before, until another setting changes. With
    the arrow keys a slider passes through values that the visitor does not want to try. They were validated all the
    same, and so ``tried`` has the settings of all of them.
    """
    before = entry.get() or []
    if len(before) > 1:
        changes = _changed_settings(before[-1], trial)
        if len(changes) == 1 and changes == _changed_settings(before[-2], before[-1]):
            before = before[:-1]
    others = [each for each in before if each.settings != trial.settings]
    trials = [*others, trial]
    entry.set(trials)
    tried.add(tuple(trial.settings.values()))
    return trials


def _changed_settings(before: Trial, after: Trial) -> set[str]:
    return {name for name, value in after.settings.items() if value != before.settings[name]}


def _show_metrics(trial: Trial, trials: list[Trial]) -> None:
    auc = trial.auc["value"] or 0.0
    previous = trials[-2].auc["value"] or 0.0 if len(trials) > 1 else auc
    change = auc - previous
    with st.container(horizontal=True):
        # Always a chip, so that the charts below stay in place at the first change.
        if abs(change) >= MIN_AUC_CHANGE:
            st.metric("Validation AUC", f"{auc:.3f}", f"{change:+.3f}", width=180)
        else:
            words = "no change" if len(trials) > 1 else "first trial"
            st.metric("Validation AUC", f"{auc:.3f}", words, delta_color="off", delta_arrow="off", width=180)
        for name in RATES:
            value = trial.half[name]["value"]
            st.metric(metric_title(name), "not defined" if value is None else f"{value:.1%}", width=150)


def _show_curves(trials: list[Trial]) -> None:
    histories = [each.head.history for each in trials]
    kept = trials[-1].head.kept_epoch
    left, right = st.columns(2)
    for place, metrics in ((left, ("loss", "val_loss")), (right, ("val_auc",))):
        chart = charts.trial_curves(histories, kept, metrics)
        alt = f"Validation {metric_name(metrics[-1])} by epoch"
        with place:
            show_vega_chart(chart, alt, f"trials {metrics[-1]}")


def _explain_change(bench: Bench, trials: list[Trial]) -> None:
    """The change of the AUC against the trial before, with its interval."""
    if len(trials) < 2:
        # As high as the sentence that replaces it, so that nothing moves.
        st.markdown("Change a setting to see by how much the AUC changes, and whether the change is significant.")
        return
    _, label = bench.part(bench.validation)
    before, after = (trial.probability for trial in trials[-2:])
    change = auc_difference(label, before, after, bench.table["group"][bench.validation])
    st.markdown(f"Against the trial before, the AUC changes by **{format_number(change)}**. {verdict(change)}")


def _show_details(trial: Trial, bench: Bench, count: int) -> None:
    """The images behind the metrics, the intervals, and a diagnosis of the curves."""
    validation = bench.table[bench.validation]
    missing = f" {bench.missing:,} images without features are left out." if bench.missing else ""
    rates = ", ".join(f"{metric_name(name)} {format_percent(trial.half[name])}" for name in RATES)
    st.caption(
        f"{trial.images:,} training images of {trial.groups:,} patients or groups, {len(validation):,} validation "
        f"images of {validation['group'].nunique():,}; trained in {trial.seconds:.2f} s. :green[★] The best epoch "
        f"({trial.head.kept_epoch}), by lowest validation loss, whose weights the head keeps. 95% intervals: AUC by "
        f"image {format_number(trial.auc)}; at a threshold of 50% {rates}.{missing}"
    )
    if diagnosis := diagnose_fit(trial.head.history):
        st.markdown(diagnosis)
    if count >= MANY_TRIALS:
        st.caption(
            f":material/warning: You have validated {count} settings on the same images: the best of many looks better "
            "than it is. The hyperparameter search below measures by how much."
        )


def _show_trials(trials: list[Trial]) -> None:
    """All trials of this visit, the newest first."""
    if len(trials) < 2:
        return
    with expander(f"All {len(trials)} trials", "all trials", ":material/history:"):
        rows = []
        for trial in reversed(trials):
            rows.append({**trial.settings, "auc": trial.auc["value"], "epoch": trial.head.kept_epoch})
        st.dataframe(
            rows,
            key="trials",
            hide_index=True,
            column_config={
                "learning_rate": st.column_config.NumberColumn("Learning rate", format="%.3g"),
                "dropout": st.column_config.NumberColumn("Dropout", format="%.2f"),
                "l2": st.column_config.NumberColumn("L2", format="%.1g"),
                "class_weight": "Class weight",
                "epochs": "Epochs",
                "patients": "Patients",
                "seed": "Seed",
                "auc": st.column_config.NumberColumn("Validation AUC", format="%.3f"),
                "epoch": "Best epoch",
            },
        )


def _offer_training(material: Material, trial: Trial, bench: Bench) -> None:
    """Start a run with these settings, whose model can be used on the other pages."""
    if material.run is None:
        link("train", "Train a model on images", ":material/model_training:")
        return
    started = runs_of_trials()
    reason = _why_not(trial, bench, started)
    pressed = st.button(
        "Train as model",
        icon=":material/play_arrow:",
        key="train as model",
        disabled=bool(reason),
        help="Starts a run with these settings, in Keras, on all patients. You can classify with its model, compare it "
        "and download it.",
    )
    if pressed:
        visitor = policy()
        with press_lock():
            if not _why_not(trial, bench, started):
                config = trial.config.changed(name=free_name(trial.config.name))
                started[trial.config] = queue.start(config, visitor, unique_name=True).name
        st.rerun()
    if reason:
        st.caption(reason)
    name = started.get(trial.config)
    if name and model_folder(name).path.exists():
        link("train", f"Watch {name} train", ":material/monitoring:", run=name)


def _why_not(trial: Trial, bench: Bench, started: dict[TrainConfig, str]) -> str:
    """Why these settings cannot become a model; empty where they can."""
    total = bench.table.loc[bench.training, "group"].nunique()
    if trial.groups < total:
        return f"A model needs all {total:,} training patients or groups: move the slider to its end."
    name = started.get(trial.config)
    if name and model_folder(name).path.exists():
        return f"These settings already have a run, {escape_markdown(name)}."
    return ""
