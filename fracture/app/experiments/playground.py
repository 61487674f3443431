"""The dials of the playground, and what comes of them."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from fracture import charts, demo
from fracture.app.experiments.material import Tried, tried
from fracture.app.models.results import number
from fracture.app.shared.widgets import escape_markdown, expander, format_percent, link, show_errors, visitor
from fracture.experiments.learning_curve import FEWEST
from fracture.experiments.workbench import Bench
from fracture.registry.model_folder import free_name, model_folder
from fracture.registry.validation import Rate
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.diagnosis import diagnose_fit
from fracture.training.runs.queue import Run

RATES = tuple(lead * 10.0**power for power in range(-5, 0) for lead in (1, 2, 5))
PENALTIES = (0.0, *(10.0**power for power in range(-6, 0)))
MOST_EPOCHS = 200

MANY = 10
"""Tries from which on it is said that the best of many looks better than it is."""


@st.fragment
def play(run: Run, bench: Bench) -> None:
    """Dials, and beside them the head that they give, trained while one looks."""
    left, right = st.columns((1, 3), gap="large")
    with left:
        config, groups = _dials(bench, f"{run.name} {run.started}")
        st.session_state[f"dials of {run.name} {run.started}"] = config
    with right, show_errors():
        now = tried(run, bench, config, groups)
        tries = _remember(f"tries of {run.name} {run.started}", now)
        _figures(now, tries)
        _curves(tries)
        _words(now, bench, len(tries))
        _table(tries)
        _keep(now, bench)


def as_dialled(run: Run, bench: Bench) -> Bench:
    """The bench with the choices of the dials, as they stand."""
    return replace(bench, config=st.session_state.get(f"dials of {run.name} {run.started}", bench.config))


def _dials(bench: Bench, name: str) -> tuple[TrainConfig, int]:
    """What is chosen, beginning with the choices of the training that computed the features; and of how many groups."""
    given, total = bench.config, int(bench.table.loc[bench.training, "group"].nunique())
    rate = _on_a_scale("Learning rate", RATES, given.learning_rate, f"rate {name}")
    dropout = st.slider("Dropout", 0.0, 0.95, given.dropout, 0.05, key=f"dropout {name}", persist_state="session")
    l2 = _on_a_scale("L2", PENALTIES, given.l2, f"l2 {name}")
    weight = st.segmented_control(
        "Class weight", ["none", "balanced"], default=given.class_weight, required=True, key=f"weight {name}",
        persist_state="session",
    )  # fmt: skip
    most = int(demo.most("epochs", max(MOST_EPOCHS, given.epochs)))
    epochs = st.slider("Epochs", 1, most, min(given.epochs, most), key=f"epochs {name}", persist_state="session")
    groups = total
    if total > FEWEST:
        groups = st.slider(
            "Training patients", FEWEST, total, total, key=f"patients {name}", persist_state="session",
            help="Or groups, where the data set does not name patients. Drawn by lot; fewer are among the more.",
        )  # fmt: skip
    seed = st.number_input("Seed", 0, 2**31, given.seed, key=f"seed {name}", persist_state="session")
    choices = {"learning_rate": rate, "dropout": dropout, "l2": l2, "class_weight": weight, "epochs": epochs}
    return given.changed(**choices, seed=int(seed)), groups


def _on_a_scale(label: str, scale: Sequence[float], given: float, key: str) -> float:
    """A slider over the values of a scale, with the one that was given among them."""
    options = sorted({float(f"{value:.6g}") for value in (*scale, given)})
    chosen: float = st.select_slider(
        label, options, float(f"{given:.6g}"), format_func=lambda value: f"{value:g}", key=key, persist_state="session"
    )
    return chosen


def _remember(key: str, now: Tried) -> list[Tried]:
    """The tries of this visit, each once, that of the dials as they stand last.

    A series of steps of one dial is one try: each replaces the one before until another dial is moved. With the arrow
    keys a dial passes through values that nobody meant to try.
    """
    before: list[Tried] = st.session_state.get(key, [])
    if len(before) > 1:
        step = _moved(before[-1], now)
        goes_on = len(step) == 1 and step == _moved(*before[-2:])
        before = before[:-1] if goes_on else before
    tries = [each for each in before if each.choices != now.choices]
    st.session_state[key] = [*tries, now]
    return [*tries, now]


def _moved(before: Tried, after: Tried) -> set[str]:
    """The dials that were moved between two tries."""
    return {name for name, value in after.choices.items() if value != before.choices[name]}


def _figures(now: Tried, tries: list[Tried]) -> None:
    auc, point = now.auc["value"] or 0.0, now.half
    change = auc - (tries[-2].auc["value"] or 0.0) if len(tries) > 1 else 0.0
    with st.container(horizontal=True):
        st.metric("Validation AUC", f"{auc:.3f}", f"{change:+.3f}" if abs(change) >= 5e-4 else None, width=180)
        for name in ("accuracy", "sensitivity", "specificity"):
            value = point[name]["value"]
            st.metric(name.capitalize(), "none" if value is None else f"{value:.1%}", width=150)


def _curves(tries: list[Tried]) -> None:
    histories, kept = [each.head.history for each in tries], tries[-1].head.kept_epoch
    for place, metrics in zip(st.columns(2), (("loss", "val_loss"), ("val_auc",)), strict=True):
        chart = charts.tries(histories, kept, metrics)
        with place:
            st.vega_lite_chart(chart.data, chart.spec, key=f"tries {metrics[-1]}", alt=f"{metrics[-1]} by epoch")


def _words(now: Tried, bench: Bench, count: int) -> None:
    """What the figures rest on, and what the curves say."""
    valid = bench.table[bench.validation]
    missing = f" {bench.missing:,} images have no features and are left out." if bench.missing else ""
    names: tuple[Rate, ...] = ("accuracy", "sensitivity", "specificity")
    rates = ", ".join(f"{name} {format_percent(now.half[name])}" for name in names)
    st.caption(
        f"{now.images:,} training images of {now.groups:,} patients or groups, {len(valid):,} validation images of "
        f"{valid['group'].nunique():,}; trained in {now.seconds:.2f} s. The diamond is the epoch of the lowest "
        f"validation loss ({now.head.kept_epoch}), whose weights count. AUC {number(now.auc)}; at one half {rates}. "
        f"In brackets 95 % intervals.{missing}"
    )
    if gap := diagnose_fit(now.head.history):
        st.markdown(gap)
    if count >= MANY:
        st.caption(
            f":material/warning: {count} tries have been judged by the same validation images: the best of many looks "
            "better than it is. The search below shows by how much."
        )


def _table(tries: list[Tried]) -> None:
    """All tries of this visit, the newest first."""
    if len(tries) < 2:
        return
    with expander(f"All {len(tries)} tries", "tries shown", ":material/history:"):
        rows = [{**each.choices, "auc": each.auc["value"], "epoch": each.head.kept_epoch} for each in reversed(tries)]
        st.dataframe(
            rows,
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


def _keep(now: Tried, bench: Bench) -> None:
    """Make a model of these choices, by the training proper: it can be asked, judged and downloaded."""
    made: dict[TrainConfig, str] = st.session_state.setdefault("models of tries", {})
    reason = _why_not(now, bench, made)
    words = "With all patients, by Keras: a model that can be asked, judged and downloaded."
    pressed = st.button(
        "Train it as a model", icon=":material/play_arrow:", key="train as model", disabled=bool(reason), help=words
    )
    if pressed and not reason:
        config, asker = now.config.changed(name=free_name(now.config.name)), visitor()
        made[now.config] = queue.start(config, asker, unique_name=True).name
        st.rerun()
    if reason:
        st.caption(reason)
    if (name := made.get(now.config)) and model_folder(name).path.exists():
        link("train", f"Watch {name} learn", ":material/monitoring:", run=name)


def _why_not(now: Tried, bench: Bench, made: dict[TrainConfig, str]) -> str:
    """Why these choices cannot become a model; empty where they can."""
    total = bench.table.loc[bench.training, "group"].nunique()
    if now.groups < total:
        return f"A model is trained on all {total:,} patients or groups: choose them all with the dial."
    name = made.get(now.config)
    if name and model_folder(name).path.exists():
        return f"These choices already have a run, {escape_markdown(name)}."
    return ""
