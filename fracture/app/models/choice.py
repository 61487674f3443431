"""The runs and models that the page Models shows: chosen in its picker, by rows of its table or by a link."""

from collections.abc import Collection, Mapping

import streamlit as st

from fracture import charts
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import AUTOMATIC, default_model, escape_markdown, linked_names
from fracture.registry.model_folder import model_folder
from fracture.training.runs.queue import Run

MAX_COMPARED = len(charts.SEVERAL)
"""Runs beside each other: each has a color of its own."""


def choose_runs(known: Mapping[str, Run]) -> list[Run]:
    """A picker of runs and models, which the address names; the default model where none is chosen.

    Args:
        known: all runs by name; at least one.
    """
    # Set before the picker is drawn: afterwards Streamlit refuses to change the value of its key.
    _select(known)
    names: list[str] = st.multiselect(
        "Runs and models",
        list(known),
        placeholder="Choose one to open it, several to compare",
        max_selections=MAX_COMPARED,
        key=state.CHOSEN_RUNS.key,
        on_change=keep_model,
        help="The same as the rows of the table. The first one is the reference for the others.",
        label_visibility="collapsed" if presenting.is_on() else "visible",
    )
    _write_address(names)
    return [known[name] for name in names] or _default(known)


def keep_model() -> None:
    """Keep the choice of a single model for the other pages; that of a run without a model for this page alone."""
    names = state.CHOSEN_RUNS.get() or []
    if len(names) != 1:
        return
    if model_folder(names[0]).usable:
        state.CHOSEN_MODEL.set(names[0])
        state.OPENED_RUN.set("")
    else:
        state.OPENED_RUN.set(names[0])


def _select(known: Mapping[str, Run]) -> None:
    """Select what a link names when the page is entered, and follow a rename; leave out what is gone."""
    linked = [name for name in (*linked_names("runs"), *linked_names("model")) if name != AUTOMATIC]
    renamed = state.RENAMED_RUN.pop() or {}
    chosen = [renamed.get(name, name) for name in state.CHOSEN_RUNS.get() or []]
    if linked:
        _warn_of_missing(linked, known)
        chosen = linked
    if not any(name in known for name in chosen) and (linked or state.CHOSEN_RUNS.get() is None):
        # The page is entered without a link to something that is here.
        opened = state.OPENED_RUN.get()
        chosen = [opened if opened in known else state.CHOSEN_MODEL.get()]
    kept = [name for name in dict.fromkeys(chosen) if name in known]
    state.CHOSEN_RUNS.set(kept[:MAX_COMPARED])
    if linked:
        keep_model()


def _warn_of_missing(linked: Collection[str], known: Mapping[str, Run]) -> None:
    if gone := [escape_markdown(name[:80]) for name in linked if name not in known]:
        st.warning(f"Deleted or renamed: {', '.join(gone)}.", icon=":material/delete:")


def _default(known: Mapping[str, Run]) -> list[Run]:
    """The model that the other pages use; the newest run where there is no model yet."""
    model = default_model()
    name = model[0].name if model else next(iter(known))
    return [known[name]] if name in known else []


def _write_address(names: list[str]) -> None:
    """Let the address name the chosen ones: ``?model=`` one, ``?runs=`` several."""
    wanted = {"model": names if len(names) == 1 else [], "runs": names if len(names) > 1 else []}
    for parameter, values in wanted.items():
        if st.query_params.get_all(parameter) == values:
            continue
        if values:
            st.query_params[parameter] = values
        else:
            st.query_params.pop(parameter, None)
