"""Synthetic radiographs in the app: draw a data set of them, follow the drawing."""

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.dialogs import any_open, close_dialog, is_open, open_dialog
from fracture.app.shared.state import visitor
from fracture.app.shared.widgets import duration, escape_markdown, may_change, show_errors
from fracture.errors import FractureError
from fracture.paths import typed_path
from fracture.phantoms import job as drawings
from fracture.phantoms.job import MOST_PATIENTS, MOST_SEED, Drawing, Plan, find_drawing
from fracture.phantoms.study import DIFFICULTY
from fracture.registry.model_folder import free_name

FIRST_PAGE = 24
"""Images from which on new ones are shown only when asked for: before that there is little that could move."""


def draw_form() -> bool:
    """What to draw, and the button that starts it and chooses the new data set; whether that was just done."""
    st.markdown("**Draw phantoms**: synthetic X-rays of a humerus, some of them abnormal, with the truth known.")
    left, middle, right = st.columns((1, 2, 1))
    most = demo.LIMITS.patients if demo.on() else MOST_PATIENTS
    patients = left.number_input(
        "Patients", 2, most, 200, key="phantom patients", persist_state="session", help=f"2 to {most:,}."
    )
    with middle:
        st.slider("Difficulty", 0.0, 1.0, DIFFICULTY, 0.05, key="phantom difficulty", persist_state="session")
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.caption("everyone sees it", width="content")
            st.caption("a specialist would argue", width="content")
    right.number_input(
        "Seed", 0, MOST_SEED, 1, key="phantom seed", persist_state="session",
        help="The same seed draws the same radiographs.",
    )  # fmt: skip
    words = f"Draw {patients:,} patients"
    st.button(words, type="primary", icon=":material/draw:", key="generate phantoms", on_click=_start)
    if failed := state.failure("phantoms").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    return state.started("phantoms").pop()


def offer_to_draw() -> None:
    """A button behind which the form of :func:`draw_form` is."""
    st.button("Draw phantoms", icon=":material/draw:", key="phantom dialog", on_click=open_dialog, args=("phantoms",))
    if is_open("phantoms"):
        _draw()


@st.dialog("Draw a data set", width="medium", on_dismiss=close_dialog)
def _draw() -> None:
    if draw_form():
        close_dialog()
        st.rerun()


def _start() -> None:
    """Draw what was asked for, or choose it where it is there: a class that presses the same button shares one set."""
    chosen = (st.session_state[f"phantom {name}"] for name in ("patients", "seed", "difficulty"))
    try:
        plan = Plan(*chosen)
        same = drawings.find_same(paths.data_home(), plan)
        root = same.root if same else paths.data_home() / free_name("phantoms", paths.data_home())
        if same is None or same.state == "interrupted":
            drawings.start(root, plan, visitor())
    except FractureError as error:
        state.failure("phantoms").set(str(error))
    else:
        state.DATA.set(str(root))
        state.started("phantoms").set(True)


def follow(root: str, browsing: bool = False) -> Drawing | None:
    """Say how the drawing in a folder stands, live while it is at work, and return it; None for other data sets.

    With ``browsing``, the page shows the images, and may be asked to show those that have come since.
    """
    try:
        drawing = find_drawing(typed_path(root))
    except ValueError:  # no path at all: reading the data set will say so
        return None
    if drawing is not None:
        pace = 1.0 if drawing.images else 0.3  # the first image is waited for
        st.fragment(_live, run_every=pace if drawing.active else None)(drawing, browsing)
    return drawing


def version(drawing: Drawing | None) -> str:
    """What the caches of a data set go by: each state of a drawing is read once, and while it goes on only if asked."""
    if drawing is None:
        return ""
    shown = _shown(drawing) if drawing.active else drawing.images
    return f"{drawing.plan} {drawing.state} {shown}"


def _shown(drawing: Drawing) -> int:
    """How many images the visitor was last shown of a drawing at work; all there are, the first time.

    More than there are were shown of a folder of the same name that has been deleted since.
    """
    key = f"shown of {drawing.root}"
    if not 0 < st.session_state.get(key, 0) <= drawing.images:
        st.session_state[key] = drawing.images
    return int(st.session_state[key])


def _show_all(drawing: Drawing) -> None:
    st.session_state[f"shown of {drawing.root}"] = drawing.images


def _live(before: Drawing, browsing: bool) -> None:
    drawing = find_drawing(before.root)
    if drawing is None:
        st.rerun()
    shown, waits = _shown(before), browsing and any_open()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        _line(drawing)
        if drawing.active:
            _steer(drawing, drawing.images - shown if browsing else None)
        elif drawing.state == "interrupted":
            _offer_to_go_on(drawing)
    first = shown == 0 < drawing.images or shown < FIRST_PAGE <= drawing.images
    if not waits and (drawing.state != before.state or (drawing.active and first)):
        _show_all(drawing)
        st.rerun()


def _line(drawing: Drawing) -> None:
    """How far it is, in words and as a bar."""
    done, patients = drawing.done, drawing.plan.patients
    if drawing.active:
        st.progress(done / patients, text=progress_words(drawing))
    elif drawing.state == "complete":
        made = f"Synthetic: {patients:,} patients, seed {drawing.plan.seed}, difficulty {drawing.plan.difficulty:g}"
        st.markdown(f":material/draw: {made}")
    else:
        why = f" {escape_markdown(drawing.error)}" if drawing.error else ""
        st.markdown(
            f":material/pause: {done:,} of {patients:,} patients drawn; the drawing ended before its time.{why}"
        )


def progress_words(drawing: Drawing) -> str:
    """How far a drawing at work is: ``Generating: 12 of 40 patients, about 8 s left``."""
    left = "" if drawing.seconds_left is None else f", about {duration(drawing.seconds_left)} left"
    return f"Generating: {drawing.done:,} of {drawing.plan.patients:,} patients{left}"


def _steer(drawing: Drawing, new: int | None) -> None:
    """What can be done with a drawing at work; ``new`` images can be shown, None where none are."""
    if new is not None:
        words = f"Show {new:,} new images" if new > 0 else "Show new images"
        if st.button(words, icon=":material/refresh:", disabled=new <= 0, key="show new", width=230):
            _show_all(drawing)
            st.rerun()
    if not may_change(drawing.root):
        return
    asked = drawings.stop_request(drawing.root).exists()
    if st.button("Stopping …" if asked else "Stop", icon=":material/stop:", disabled=asked, key="stop drawing"):
        drawings.request_stop(drawing.root, visitor())
        st.rerun(scope="fragment")


def _offer_to_go_on(drawing: Drawing) -> None:
    if st.button("Go on", icon=":material/play_arrow:", key="go on drawing"):
        with show_errors():
            drawings.start(drawing.root, drawing.plan, visitor())
            st.rerun()
