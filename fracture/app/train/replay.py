"""Replay of a run that has ended: a slider over its epochs, and a button that moves it on."""

from math import ceil
from time import monotonic

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.training.runs.progress import RunProgress
from fracture.training.runs.queue import Run

SECONDS_PER_FRAME = 0.7
"""A class reads two curves and eight images in this time; a run of 30 epochs takes 21 seconds."""

SPEEDS = {0.5: "½×", 1.0: "1×", 2.0: "2×"}
"""Frames for each :data:`SECONDS_PER_FRAME`."""

EARLY = 0.3
"""So much of its time before its end a frame may come: the page repeats itself about as often as frames change."""

MAX_FRAMES = 60
"""Of one replay: of a run of more epochs each frame is several epochs."""


def is_playing(run: Run) -> bool:
    """Whether the visitor watches this run again, and has not paused."""
    return not run.active and state.REPLAYED_RUN.get() == run.name


def seconds_per_frame() -> float:
    """At the speed that the visitor chose."""
    return SECONDS_PER_FRAME / (state.REPLAY_SPEED.get() or 1.0)


def choose_epoch(run: Run, progress: RunProgress) -> int:
    """The controls, and the epoch (1-based) that the page shows; the last one unless the visitor chose another."""
    last = progress.epoch
    if last < 2:
        return last
    # Before the button is drawn: the last frame ends the replay.
    frame = _current_frame(run, last) if is_playing(run) else last
    with st.container(horizontal=True, vertical_alignment="center", key="replay"):
        _show_button(run, last)
        epoch = _show_frame(run, frame, last) if is_playing(run) else _choose(run, last)
        _choose_speed()
        presenting.draw_steps("epoch", epoch - 1, last, lambda to: _pause_at(run, to + 1, last))
    return epoch


def _current_frame(run: Run, last: int) -> int:
    """The epoch of the frame that is due; after the last one the replay is over.

    A click elsewhere draws the page again, too, which must not move the replay on. A machine that is late skips no
    frame.
    """
    frame = state.frame(run, last)
    epoch, since = frame.get()
    now = monotonic()
    if now - since >= seconds_per_frame() * (1 - EARLY):
        epoch = min(last, epoch + _step(last))
        frame.set((epoch, now))
    if epoch == last:
        state.replayed_epoch(run, last).set(last)
        state.REPLAYED_RUN.set("")
    return epoch


def _step(last: int) -> int:
    """Epochs from one frame to the next."""
    return ceil(last / MAX_FRAMES)


def _show_frame(run: Run, epoch: int, last: int) -> int:
    """The slider while it moves by itself.

    Another one than the slider of the visitor, and none to drag: the browser may ask for the next frame before it has
    drawn this one, and sends the value of the one before, which must not count as a choice.
    """
    moving = state.shown_frame(run, last)
    # Set before the slider is drawn: afterwards Streamlit refuses to change the value of its key.
    moving.set(epoch)
    _slider(moving.key, last, disabled=True)
    return epoch


def _choose(run: Run, last: int) -> int:
    chosen = state.replayed_epoch(run, last)
    if chosen.get() is None:
        chosen.set(last)
    return _slider(chosen.key, last, disabled=False)


def _slider(key: str, last: int, *, disabled: bool) -> int:
    epoch: int = st.slider(
        "Epoch", 1, last, key=key, format=f"Epoch %d of {last}", disabled=disabled, label_visibility="collapsed"
    )
    return epoch


def _choose_speed() -> None:
    st.segmented_control(
        "Speed of the replay",
        list(SPEEDS),
        default=1.0,
        required=True,
        format_func=SPEEDS.__getitem__,
        key=state.REPLAY_SPEED.key,
        label_visibility="collapsed",
    )


def _show_button(run: Run, last: int) -> None:
    playing = is_playing(run)
    label, icon = ("Pause", ":material/pause:") if playing else ("Replay", ":material/play_arrow:")
    # A key of its own for each: a second click on Replay would otherwise pause what the first one has started.
    action = "pause" if playing else "play"
    st.button(label, icon=icon, key=f"{action} {run.name}", on_click=_toggle, args=(run, last), width=140)


def _pause_at(run: Run, epoch: int, last: int) -> None:
    """Show one epoch, without going on to the next."""
    state.replayed_epoch(run, last).set(epoch)
    state.REPLAYED_RUN.set("")


def _toggle(run: Run, last: int) -> None:
    """Pause at the epoch that is shown, or play on from the chosen one, at the last one from the first."""
    frame = state.frame(run, last)
    if is_playing(run):
        _pause_at(run, frame.get()[0], last)
        return
    epoch = state.replayed_epoch(run, last).get() or last
    frame.set((epoch + 1 if epoch < last else 1, monotonic()))
    state.REPLAYED_RUN.set(run.name)
