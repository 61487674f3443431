"""Generate a data set of synthetic radiographs."""

from dataclasses import fields

import streamlit as st

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.dialogs import close_dialog, is_open, open_dialog
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import FractureError
from fracture.phantoms import job
from fracture.phantoms.plan import DIFFICULTY, HARDWARE_SHARE, MOST_PATIENTS, MOST_SEED, Plan
from fracture.registry.model_folder import free_name


def offer_phantoms() -> None:
    """A button that opens the form of :func:`phantom_form` as a dialog."""
    st.button("Generate", icon=":material/draw:", key="phantom dialog", on_click=open_dialog, args=("phantoms",))
    if is_open("phantoms"):
        _show_dialog()


@st.dialog("Generate phantoms", width="medium", on_dismiss=close_dialog)
def _show_dialog() -> None:
    if phantom_form():
        close_dialog()
        st.rerun()


def phantom_form() -> bool:
    """The settings of a data set of phantoms, and the button that starts the job and selects the new data set.

    Returns:
        Whether the button was just pressed, and the job has started.
    """
    st.markdown("**Phantoms**: synthetic X-rays of the humerus, some of them abnormal, with known truth.")
    left, right = st.columns(2)
    most = demo.LIMITS.max_patients if demo.is_public() else MOST_PATIENTS
    left.number_input("Patients", 2, most, 200, key="phantom patients", persist_state="session", help=f"2 to {most:,}.")
    right.number_input(
        "Seed",
        0,
        MOST_SEED,
        1,
        key="phantom seed",
        persist_state="session",
        help="The same seed generates the same radiographs.",
    )
    left, right = st.columns(2)
    with left:
        st.slider("Difficulty", 0.0, 1.0, DIFFICULTY, 0.05, key="phantom difficulty", persist_state="session")
        _ends("obvious", "specialists disagree")
    with right:
        st.slider(
            "Hardware share",
            0.0,
            1.0,
            HARDWARE_SHARE,
            0.05,
            format="percent",
            key="phantom hardware_share",
            persist_state="session",
            help="The share of the abnormal studies that show a plate or a nail. The others show fractures alone, "
            "which are harder to learn.",
        )
        _ends("fractures", "plates and nails")
    st.button("Generate", type="primary", icon=":material/draw:", key="generate phantoms", on_click=_start)
    if failed := state.failure("phantoms").pop():
        st.error(escape_markdown(failed), icon=":material/error:")
    return state.started("phantoms").pop()


def _ends(low: str, high: str) -> None:
    """What the two ends of a slider mean, below it."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption(low, width="content")
        st.caption(high, width="content")


def _start() -> None:
    """Generate the phantoms unless they are there already: a class that presses the same button shares one data set."""
    settings = {field.name: st.session_state[f"phantom {field.name}"] for field in fields(Plan)}
    home = paths.data_home()
    try:
        plan = Plan(**settings)
        same = job.find_same(home, plan)
        root = same.root if same else home / free_name("phantoms", home)
        if same is None or same.state == "interrupted":
            job.start(root, plan, policy())
    except FractureError as error:
        state.failure("phantoms").set(str(error))
        return
    state.select_new_data(str(root))
    state.started("phantoms").set(True)
