"""All runs and models in one table, whose rows are chosen by clicks."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st

from fracture import paths
from fracture.app.models.choice import MAX_COMPARED, keep_model
from fracture.app.models.history import REFRESH_SECONDS, card_or_error, history_of
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import on_phone
from fracture.errors import ModelError
from fracture.estimate import format_interval, format_percent
from fracture.files import JsonObject
from fracture.registry.card import Card
from fracture.registry.edit import read_note
from fracture.registry.selection import chosen_on
from fracture.registry.validation import main_level
from fracture.training.runs.compare import UNKNOWN, every_run, weights_name
from fracture.training.runs.queue import Run

ROW_PX = 35
PRESENTED_ROW_PX = 44
"""In a presentation, where the type is a quarter larger."""
PHONE_NAME_PX = 100
"""Of the names on a phone, where AUC and interval stand beside them; longer ones are cut."""
MAX_ROWS = 5
"""More of them scroll, so that the chosen model begins on the first screen."""


def show_all_runs(runs: Sequence[Run]) -> None:
    """A row for each run and model, the newest first; the table follows active runs."""
    if not any(run.active for run in runs):
        _show_table(list(runs))
        return
    # Made here and not by a decorator: whether it repeats itself depends on the runs.
    st.fragment(_follow_table, run_every=REFRESH_SECONDS)(_states(runs), state.CHOSEN_RUNS.get())


def _follow_table(seen: list[tuple[str, str]], chosen: list[str] | None) -> None:
    runs = every_run()
    # A run has started, ended or gone, or a row was chosen: the rest of the page depends on that.
    if _states(runs) != seen or state.CHOSEN_RUNS.get() != chosen:
        st.rerun()
    _show_table(runs)


def _show_table(runs: list[Run]) -> None:
    names = [run.name for run in runs]
    _select_rows(names)
    rows = [_row(run) for run in runs]
    # Streamlit's own height of a row grows with the type: what was cut off then was the last run.
    row = PRESENTED_ROW_PX if presenting.is_on() else ROW_PX
    st.dataframe(
        rows,
        row_height=row,
        height=row * (1 + min(len(rows), MAX_ROWS)) + 2,
        hide_index=True,
        on_select=lambda: _choose(names),
        selection_mode="multi-row",
        key=state.RUN_ROWS.key,
        alt="All runs and models: tick one to open it, several to compare them",
        column_config={
            "Name": st.column_config.TextColumn(pinned=True, width=PHONE_NAME_PX if on_phone() else None),
            "AUC": st.column_config.NumberColumn(
                format="%.3f", help="On the validation data: by study where that was measured, else by image."
            ),
            "95% interval": st.column_config.TextColumn(
                help="Of the AUC, and whether the AUC is by study or by image. There is no interval where all "
                "bootstrap resamples agree, as they do where every positive case ranks above every negative one (AUC "
                "1), or with a single patient. Even then the AUC is uncertain: often there are too few patients."
            ),
            "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Learning rate": st.column_config.NumberColumn(format="%g"),
            "Size": st.column_config.NumberColumn(format="%d px", help="Side of the model's input."),
            "Chosen on": st.column_config.TextColumn(
                help="The images on which epoch, temperature and thresholds were chosen. Metrics on these same images "
                "are slightly optimistic."
            ),
            "Epochs": st.column_config.TextColumn(width=100),  # its text gets longer
            "Note": st.column_config.TextColumn(width="medium"),
        },
    )


def _select_rows(names: list[str]) -> None:
    """Let the rows follow the choice: it may come from the picker, and rows move when a run starts."""
    chosen = [names.index(name) for name in state.CHOSEN_RUNS.get() or [] if name in names]
    if _selected_rows() != sorted(chosen):
        state.RUN_ROWS.set({"selection": {"rows": chosen}})


def _selected_rows() -> list[int]:
    selected = state.RUN_ROWS.get()
    return sorted(selected["selection"]["rows"]) if selected else []


def _choose(names: list[str]) -> None:
    """Choose the ticked rows, those that were chosen before first: the reference stays the reference."""
    ticked = [names[row] for row in _selected_rows() if row < len(names)]
    before = [name for name in state.CHOSEN_RUNS.get() or [] if name in ticked]
    state.CHOSEN_RUNS.set([*before, *(name for name in ticked if name not in before)][:MAX_COMPARED])
    keep_model()


def _states(runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.name, run.state) for run in runs]


def _row(run: Run) -> dict[str, object]:
    card, error = card_or_error(run.folder)
    config = card.config if card and card.config else run.config
    return {
        "Name": run.name,
        **_metrics(card),
        "State": run.shown_state,
        "Data set": card.data.name if card and card.data else _folder_name(config),
        "Learning rate": config.get("learning_rate"),
        "Size": card.input.size if card else config.get("image_size"),
        "Started": datetime.fromtimestamp(run.started) if run.started else None,
        "Mode": config.get("mode", UNKNOWN),
        "Weights": weights_name(config),
        "Epochs": f"{_epochs_done(run, card)} of {config.get('epochs', '?')}",
        "Chosen on": chosen_on(card) if card else "",
        "Note": error or run.error or _note(run),
    }


def _metrics(card: Card | None) -> dict[str, object]:
    """AUC and accuracy by study, or by image where the card has no other; first, for a phone shows few columns."""
    if card is None:
        return {"AUC": None, "95% interval": "", "Accuracy": ""}
    level = main_level(card.metrics)
    auc = card.metrics[level]["auc"]
    point = card.metrics[level]["points"].get("balanced")
    interval = "" if auc["value"] is None else f"{format_interval(auc)} "
    return {
        "AUC": auc["value"],  # a number, by which the table sorts
        "95% interval": f"{interval}by {level}",
        "Accuracy": format_percent(point["accuracy"]) if point else "",
    }


def _folder_name(config: JsonObject) -> str:
    return Path(paths.short(str(config.get("data", UNKNOWN)))).name


def _epochs_done(run: Run, card: Card | None) -> int:
    done = len(history_of(run).history.get("loss", []))
    if done == 0 and card and card.epochs_done:  # a model that came without its history
        return card.epochs_done
    return done


def _note(run: Run) -> str:
    try:
        return read_note(run.folder)
    except ModelError as error:
        return str(error)
