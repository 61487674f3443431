"""All runs in a table; the settings and the curves of several runs side by side."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import streamlit as st

from fracture import charts, paths
from fracture.app.shared import run_cache
from fracture.app.shared.widgets import escape_markdown, show_chart
from fracture.errors import ModelError
from fracture.estimate import format_number, format_percent
from fracture.registry.card import Card
from fracture.registry.edit import read_note
from fracture.registry.metric_names import metric_name, metric_title
from fracture.registry.model_folder import ModelFolder, read_card, read_history
from fracture.registry.selection import chosen_on
from fracture.training.runs.compare import UNKNOWN, describe_run, differing, every_run, weights_name
from fracture.training.runs.queue import Run

REFRESH_SECONDS = 2.0
"""Between two updates of active runs."""


def show_all_runs(runs: Sequence[Run]) -> None:
    """A row for each run and model, the newest first; the table follows active runs."""
    seen = _states(runs)
    interval = REFRESH_SECONDS if any(run.active for run in runs) else None
    # Made here and not by a decorator: whether it repeats itself depends on the runs.
    st.fragment(_show_all_runs, run_every=interval)(seen)


def _show_all_runs(seen: list[tuple[str, str]]) -> None:
    runs = every_run()
    if _states(runs) != seen:  # a run has started, ended or gone: the rest of the page depends on that
        st.rerun()
    st.dataframe(
        [_row(run) for run in runs],
        hide_index=True,
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Chosen on": st.column_config.TextColumn(
                help="The images on which epoch, temperature and thresholds were chosen. Metrics on these same images "
                "are slightly optimistic."
            ),
            "Epochs": st.column_config.TextColumn(width=100),  # its text gets longer
            "Note": st.column_config.TextColumn(width="medium"),
        },
    )


def _states(runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.name, run.state) for run in runs]


def _row(run: Run) -> dict[str, object]:
    card, error = card_or_error(run.folder)
    config = card.config if card and card.config else run.config
    level = card.metrics["image"] if card else None
    point = level["points"].get("balanced") if level else None
    done = len(history_of(run).history.get("loss", []))
    if done == 0 and card and card.epochs_done:  # a model that came without its history
        done = card.epochs_done
    folder = Path(paths.short(str(config.get("data", UNKNOWN))))
    return {
        "Run": run.name,
        "State": run.shown_state,
        metric_title("auc"): format_number(level["auc"]) if level else "",
        metric_title("accuracy"): format_percent(point["accuracy"]) if point else "",
        "Chosen on": chosen_on(card) if card else "",
        "Epochs": f"{done} of {config.get('epochs', '?')}",
        "Started": datetime.fromtimestamp(run.started) if run.started else None,
        "Data set": card.data.name if card and card.data else folder.name,
        "Mode": config.get("mode", UNKNOWN),
        "Weights": weights_name(config),
        "Note": error or run.error or _note(run),
    }


def _note(run: Run) -> str:
    try:
        return read_note(run.folder)
    except ModelError as error:
        return str(error)


def card_or_error(folder: ModelFolder) -> tuple[Card | None, str]:
    """A model's card, None where there is none; and an error message where it is damaged."""
    try:
        return (read_card(folder) if folder.card.exists() else None), ""
    except ModelError as error:
        return None, str(error)


def history_of(run: Run) -> charts.RunHistory:
    """The history of a run: by its events, or where it has none by its ``history.json``."""
    progress = run_cache.progress(run)
    history = progress.history or _recorded_history(run.folder)
    kept = progress.kept_epoch
    if kept is None and not run.active:
        kept = charts.best_epoch(history)
    return charts.RunHistory(history, kept)


def _recorded_history(folder: ModelFolder) -> dict[str, list[float]]:
    """Empty where it is missing or damaged: the page then shows no curve."""
    with suppress(ModelError):
        return read_history(folder)
    return {}


def show_differences(runs: Sequence[Run]) -> None:
    """The settings, data and libraries that differ between runs; a column a run."""
    described = {run.name: describe_run(run, card_or_error(run.folder)[0]) for run in runs}
    rows = differing(described)
    if rows:
        st.dataframe(
            [{"Setting": setting, **values} for setting, values in rows.items()],
            hide_index=True,
            height="content",
            column_config={"Setting": st.column_config.TextColumn(pinned=True, width=190)},
        )
    incomplete = any(UNKNOWN in settings.values() for settings in described.values())
    if not rows and incomplete:
        st.markdown("No differences among the settings and data that are known.")
    elif not rows:
        st.markdown("No differences: the same run, trained more than once.")
    elif set(rows) == {"Seed"} and not incomplete:
        st.markdown("Only the seed differs: differences between these metrics are due to chance.")


def show_curves(runs: Sequence[Run]) -> None:
    """The curves of all runs, a color each; the charts follow active runs."""
    interval = REFRESH_SECONDS if any(run.active for run in runs) else None
    st.fragment(_show_curves, run_every=interval)(list(runs))


def _show_curves(runs: list[Run]) -> None:
    histories = {run.name: history_of(run) for run in runs}
    if not any(each.history for each in histories.values()):
        st.caption("No epoch is done yet.")
        return
    planned = [int(run.config.get("epochs", 0)) for run in runs if run.active]
    done = [len(each.history.get("loss", [])) for each in histories.values()]
    epochs = max([*planned, *done])
    all_have_auc = all("val_auc" in each.history for each in histories.values())
    metrics = ("loss", "auc" if all_have_auc else "accuracy")
    for metric, place in zip(metrics, st.columns(2), strict=True):
        with place:
            figure = run_cache.overlaid(histories, metric, epochs)
            alt = f"Validation {metric_name(metric)} by epoch of {', '.join(histories)}"
            show_chart(figure, f"{metric} of the runs", alt)
    without = [escape_markdown(name) for name, each in histories.items() if not each.history]
    missing = f" No epoch is done yet: {', '.join(without)}." if without else ""
    st.caption(
        "Solid: validation, or the selection images of runs that hold some out. Dotted: training. Star: the epoch "
        f"whose weights the model keeps.{missing} Losses are comparable only between runs with the same label "
        "smoothing, L2 and box loss weight."
    )
