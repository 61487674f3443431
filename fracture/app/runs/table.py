"""Trainings side by side: all of them in a table, and of those that are picked what differs and what came of it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from fracture import charts, paths
from fracture.app.models.results import number
from fracture.app.shared import run_cache
from fracture.app.shared.widgets import escape_markdown, format_percent, show_chart
from fracture.errors import ModelError
from fracture.registry.edit import read_note
from fracture.registry.model_folder import ModelFolder, read_card, read_json
from fracture.shapes import misfit, text
from fracture.shapes import number as any_number
from fracture.training.runs.compare import UNKNOWN, describe, differing, every_run, weights_name
from fracture.training.runs.queue import Run

LIVE = 2.0
"""Seconds between two looks at trainings that are at work."""


def show_table(runs: Sequence[Run]) -> None:
    """Every training and model, a row each, the newest first; it follows those that are at work."""
    seen = _standing(runs)
    st.fragment(_table, run_every=LIVE if any(run.active for run in runs) else None)(seen)


def _table(seen: list[tuple[str, str]]) -> None:
    runs = every_run()
    if _standing(runs) != seen:  # one has begun, ended, or gone: what stands below the table must know
        st.rerun()
    st.dataframe(
        [_row(run) for run in runs],
        hide_index=True,
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Begun": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Epochs": st.column_config.TextColumn(width=100),  # it grows
            "Note": st.column_config.TextColumn(width="medium"),
        },
    )


def _standing(runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.name, run.state) for run in runs]


def _row(run: Run) -> dict[str, Any]:
    card, trouble = card_or_trouble(run.folder)
    config, level = card.get("config") or run.config, card.get("metrics", {}).get("image", {})
    point, learned = level.get("points", {}).get("balanced"), learned_by(run)
    done = len(learned.history.get("loss", [])) or card.get("epochs_done", 0)
    return {
        "Run": run.name,
        "State": run.shown_state,
        "AUC": number(level["auc"]) if "auc" in level else "",
        "Accuracy": format_percent(point["accuracy"]) if point else "",
        "Epochs": f"{done} of {config.get('epochs', '?')}",
        "Begun": datetime.fromtimestamp(run.started) if run.started else None,
        "Data set": card.get("data", {}).get("name") or Path(paths.short(str(config.get("data", UNKNOWN)))).name,
        "Mode": config.get("mode", UNKNOWN),
        "Weights": weights_name(config),
        "Note": trouble or run.error or _note(run),
    }


def _note(run: Run) -> str:
    try:
        return read_note(run.folder)
    except ModelError as error:
        return str(error)


def card_or_trouble(folder: ModelFolder) -> tuple[dict[str, Any], str]:
    """A model's card, empty where there is none; and where it cannot be used, why."""
    try:
        return (read_card(folder).document if folder.card.exists() else {}), ""
    except ModelError as error:
        return {}, str(error)


def learned_by(run: Run) -> charts.Learned:
    """How a training went: by its events, or where it has none by its ``history.json``."""
    progress = run_cache.progress(run)
    history: dict[str, list[float]] = progress.history
    if not history and run.folder.history.exists():
        with suppress(ModelError):  # a curve less
            said = read_json(run.folder.history)
            history = {} if misfit(said, {text: [any_number]}) else said
    return charts.Learned(history, progress.kept_epoch or (None if run.active else charts.best_epoch(history)))


def show_differences(runs: Sequence[Run]) -> None:
    """The choices, data and libraries that are not the same in all of them; a column a training."""
    described = {run.name: describe(run, card_or_trouble(run.folder)[0]) for run in runs}
    rows = differing(described)
    if rows:
        st.dataframe(
            [{"Choice": choice, **values} for choice, values in rows.items()],
            hide_index=True,
            height="content",
            column_config={"Choice": st.column_config.TextColumn(pinned=True)},
        )
    gaps = any(UNKNOWN in said.values() for said in described.values())
    if not rows and gaps:
        st.markdown("Nothing differs, as far as their choices and their data are known.")
    elif not rows:
        st.markdown("Nothing differs in their choices and their data: this is one training, done more than once.")
    elif set(rows) == {"Seed"} and not gaps:
        st.markdown("Only the seed differs: what lies between their figures is what chance alone does.")


def show_curves(runs: Sequence[Run]) -> None:
    """The validation curves of all of them, in a colour each; it follows those that are at work."""
    st.fragment(_curves, run_every=LIVE if any(run.active for run in runs) else None)(list(runs))


def _curves(runs: list[Run]) -> None:
    learned = {run.name: learned_by(run) for run in runs}
    if not any(each.history for each in learned.values()):
        st.caption("No epoch is done yet.")
        return
    planned = [int(run.config.get("epochs", 0)) for run in runs if run.active]
    epochs = max([*planned, *(len(each.history.get("loss", [])) for each in learned.values())])
    second = "auc" if all("val_auc" in each.history for each in learned.values()) else "accuracy"
    for metric, place in zip(("loss", second), st.columns(2), strict=True):
        with place:
            figure = run_cache.overlaid(learned, metric, epochs)
            show_chart(figure, f"{metric} of the runs", f"Validation {metric} by epoch of {', '.join(learned)}")
    without = [escape_markdown(name) for name, each in learned.items() if not each.history]
    missing = f" No epoch is done yet of {', '.join(without)}." if without else ""
    st.caption(
        f"Lines: validation; dotted: training; star: the epoch whose weights the model keeps.{missing} A loss can "
        "only be compared where it was measured alike: label smoothing, L2 and teaching places add to it."
    )
