"""What is on record of runs: their cards, and the curves of their training."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from fracture import charts
from fracture.app.shared import run_cache
from fracture.app.shared.widgets import escape_markdown, show_chart
from fracture.errors import ModelError
from fracture.registry.card import Card
from fracture.registry.metric_names import metric_name
from fracture.registry.model_folder import ModelFolder, read_card, read_history
from fracture.training.runs.queue import Run

REFRESH_SECONDS = 2.0
"""Between two updates of active runs."""


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
        "Solid: validation, or the selection images of runs that hold some out. Dotted: training. ★: the epoch "
        f"whose weights the model keeps.{missing} Losses are comparable only between runs with the same label "
        "smoothing, L2 and box loss weight."
    )
