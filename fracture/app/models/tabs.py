"""One run or model: its name and AUC, then a tab for each question. Only the open tab is computed."""

from collections.abc import Callable

import streamlit as st

from fracture import charts
from fracture.app.models.actions import show_actions
from fracture.app.models.calibration import show_calibration_to_radiographs
from fracture.app.models.card import show_card, show_localization
from fracture.app.models.errors import show_misclassified
from fracture.app.models.external import show_external_validation
from fracture.app.models.history import card_or_error, show_curves
from fracture.app.models.results import choose_result, show_body_parts, show_calibration, show_results
from fracture.app.models.threshold import show_operating_point
from fracture.app.shared.frame import presenting
from fracture.app.shared.script import show_script
from fracture.app.shared.widgets import escape_markdown, link, show_errors
from fracture.estimate import Estimate, format_number
from fracture.registry.card import Card
from fracture.registry.validation import ValidationResult, validation_results
from fracture.training.runs.queue import Run

Tabs = dict[str, Callable[[], None]]
"""What each tab draws, by its title."""


def show_one(run: Run) -> None:
    """A model with its figures; of a run without a model its state."""
    card, error = card_or_error(run.folder)
    if card is None or not run.folder.usable:
        _show_unfinished(run, error)
        return
    result, level = _show_head(run, card)
    # Of the data set of its training alone, whichever result is chosen.
    located_on = validation_results(card)[0].data

    def show_result() -> None:
        show_results(card, result, level)
        show_body_parts(result.metrics["image"])

    def show_reliability() -> None:
        show_calibration(card, result.metrics[level])
        show_calibration_to_radiographs(run.folder, card)

    def show_record() -> None:
        show_card(card)
        show_actions(run)

    _show_tabs(
        {
            "Threshold": lambda: show_operating_point(run.folder, card, result, level),
            "Results": show_result,
            "Curves": lambda: show_curves([run]),
            "Errors": lambda: show_misclassified(run.folder, card, result),
            "Calibration": show_reliability,
            "Heat maps": lambda: show_localization(card, located_on),
            "External validation": lambda: show_external_validation(run.folder, card),
            "Card": show_record,
            "Code": lambda: show_script(run.folder),
        },
        "model tab",
    )


def _show_head(run: Run, card: Card) -> tuple[ValidationResult, str]:
    """The model's name, its AUC as a bar, and the pickers of the validation data and the level."""
    name, auc, pickers = st.columns([4, 5, 3], vertical_alignment="center")
    with pickers:
        result, level = choose_result(card)
    with name:
        st.header(escape_markdown(run.name), anchor=False)
    with auc:
        _show_auc(result.metrics[level]["auc"], level, result.data)
    return result, level


def _show_auc(auc: Estimate, level: str, data: str) -> None:
    words = format_number(auc)
    with st.container(gap=None):
        st.markdown(f"**AUC {words}** by {level} on *{escape_markdown(data)}*")
        bar = charts.auc_bar(auc, charts.PRESENTED_TEXT_SIZE) if presenting.is_on() else charts.auc_bar(auc)
        st.image(bar, width="stretch", alt=f"A scale from chance to perfect: AUC {words}")


def _show_unfinished(run: Run, error: str) -> None:
    """The state of a run that has no model, and the way on; its curves and its note."""
    if error:
        st.error(escape_markdown(error), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(escape_markdown(run.name), anchor=False)
        if not error:
            st.markdown(f"No model yet: this run is **{run.shown_state}**.")
        if run.resumable:
            link("train", "Resume run", ":material/resume:", run=run.name)
        elif run.config:
            link("train", "Open run", ":material/monitoring:", run=run.name)
    _show_tabs({"Curves": lambda: show_curves([run]), "Card": lambda: show_actions(run)}, "run tab")


def _show_tabs(tabs: Tabs, key: str) -> None:
    """The tabs, of which the open one is drawn."""
    for tab, draw in zip(st.tabs(list(tabs), key=key, on_change="rerun"), tabs.values(), strict=True):
        if tab.open:
            with tab, show_errors():
                draw()
