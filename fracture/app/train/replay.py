"""Replay of a run that has ended: a slider over its epochs, and a button that moves it on."""

from math import ceil

import streamlit as st

from fracture.app.shared import state
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

SECONDS_PER_FRAME = 0.7
"""A class reads two curves and eight images in this time; a run of 30 epochs takes 21 seconds."""

MAX_FRAMES = 60
"""Of one replay: of a run of more epochs each frame is several epochs."""


def is_playing(run: Run) -> bool:
    """Whether the visitor watches this run again, and has not paused."""
    return not run.active and state.REPLAYED_RUN.get() == run.name


def choose_epoch(run: Run, progress: RunProgress) -> int:
    """The controls, and the epoch (1-based) that the page shows; the last one unless the visitor chose another."""
    last = progress.epoch
    if last < 2:
        return last
    shown = state.replayed_epoch(run, last)
    if is_playing(run):
        _show_next(run, last)
    elif shown.get() is None:
        shown.set(last)
    with st.container(horizontal=True, vertical_alignment="center", key="replay"):
        _show_button(run, last)
        st.slider(
            "Epoch",
            1,
            last,
            key=shown.key,
            format=f"Epoch %d of {last}",
            on_change=state.REPLAYED_RUN.set,
            args=("",),
            label_visibility="collapsed",
        )
    return shown.get() or last


def _show_next(run: Run, last: int) -> None:
    """Move the slider on by a frame; after the last one the replay is over."""
    upcoming = state.next_frame(run, last)
    epoch = min(last, upcoming.get())
    # Set before the slider is drawn: afterwards Streamlit refuses to change the value of its key.
    state.replayed_epoch(run, last).set(epoch)
    upcoming.set(epoch + ceil(last / MAX_FRAMES))
    if epoch == last:
        state.REPLAYED_RUN.set("")


def _show_button(run: Run, last: int) -> None:
    playing = is_playing(run)
    label, icon = ("Pause", ":material/pause:") if playing else ("Replay", ":material/play_arrow:")
    # A key of its own for each: a second click on Replay would otherwise pause what the first one has started.
    action = "pause" if playing else "play"
    st.button(label, icon=icon, key=f"{action} {run.name}", on_click=_toggle, args=(run, last), width=110)


def _toggle(run: Run, last: int) -> None:
    """Pause, or play on from the chosen epoch, at the last one from the first."""
    if is_playing(run):
        state.REPLAYED_RUN.set("")
        return
    chosen = state.replayed_epoch(run, last).get() or last
    state.next_frame(run, last).set(chosen + 1 if chosen < last else 1)
    state.REPLAYED_RUN.set(run.name)
