"""Synthetic radiographs in the app: draw a data set of them, follow the drawing, pick one to try a model on."""

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import prediction_cache
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown, visitor
from fracture.errors import FractureError
from fracture.phantoms import job
from fracture.phantoms.job import MOST_PATIENTS, MOST_SEED, Plan
from fracture.phantoms.samples import sample_numbers
from fracture.phantoms.study import DIFFICULTY
from fracture.registry.model_folder import free_name


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
    st.button(words, type="primary", icon=":material/draw:", key="draw phantoms", on_click=_start)
    if failed := st.session_state.pop("phantoms failed", None):
        st.error(escape_markdown(failed), icon=":material/error:")
    return bool(st.session_state.pop("phantoms begun", False))


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
        same = job.find_same(paths.data_home(), plan)
        root = same.root if same else paths.data_home() / free_name("phantoms", paths.data_home())
        if same is None or same.state == "interrupted":
            job.start(root, plan, visitor())
    except FractureError as error:
        st.session_state["phantoms failed"] = str(error)
    else:
        st.session_state.update({"data": str(root), "phantoms begun": True})


def choose_sample(expanded: bool) -> int | None:
    """A row of synthetic studies, others on request; the number of the one that was chosen."""
    numbers = st.session_state.setdefault("samples", _first_samples())
    with st.expander("Nothing at hand? Try a synthetic X-ray", expanded=expanded, icon=":material/draw:"):
        with st.grid(6, min_column_width=90):
            for number, picture in zip(numbers, prediction_cache.sample_thumbnails(tuple(numbers)), strict=True):
                with st.container():
                    show_picture(picture, f"Synthetic radiograph {number}", width=120)
                    chosen = number == st.session_state.get("sample")
                    st.button(
                        str(number), key=f"try {number}", width="stretch", type="primary" if chosen else "secondary",
                        on_click=take_sample, args=(number,), help=f"Ask the model about synthetic study {number}",
                    )  # fmt: skip
        st.button("Draw others", icon=":material/refresh:", type="tertiary", on_click=_draw_others)
    picked: int | None = st.session_state.get("sample")
    return picked


@st.cache_data(show_spinner=False)
def _first_samples() -> list[int]:
    """What every visitor is shown first: to draw a row takes a second, and so much memory that few fit at once."""
    return sample_numbers()


def take_sample(number: int | None) -> None:
    """Choose a synthetic study; None puts it aside."""
    st.session_state["sample"] = number


def _draw_others() -> None:
    st.session_state.pop("sample", None)
    st.session_state["samples"] = sample_numbers()
