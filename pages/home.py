"""The start page: an X-ray with its answer, the three steps with what this machine has, and what is running."""

import streamlit as st

from fracture import demo
from fracture.app.home.activity import show_activities
from fracture.app.home.reading import show_reading
from fracture.app.home.steps import show_steps
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import ensure_routed, link
from fracture.inference.classifier import NOTICE

LEARN = (
    (
        "lesson",
        "Lesson",
        ":material/school:",
        "**45 minutes with a class.** Eight steps, each with a prediction first.",
    ),
    ("quiz", "Quiz", ":material/quiz:", "**Read twenty X-rays.** Compare your sensitivity with the model's."),
    (
        "vote",
        "Class vote",
        ":material/how_to_vote:",
        "**Vote by phone.** A class reads X-rays, and the teacher reveals.",
    ),
    (
        "playground",
        "Playground",
        ":material/tune:",
        "**Hyperparameters.** A head trains in a fraction of a second; each slider shows its effect.",
    ),
    ("leakage", "Leakage", ":material/call_split:", "**Data leakage.** A split by image recognizes patients."),
    ("shortcuts", "Shortcuts", ":material/hide_image:", "**Shortcuts.** What the model really looks at."),
    ("inside", "Inside the network", ":material/layers:", "**Feature maps.** What each block makes of an X-ray."),
    ("map", "Data map", ":material/scatter_plot:", "**Neighbors.** Which images a network finds alike."),
)


def show_more() -> None:
    """What this machine has, what is running, and the ways on."""
    if demo.is_public():
        st.caption(
            ":material/public: This is a public demo: other visitors see what you make here, and it is deleted after "
            f"{demo.LIMITS.retention_seconds / 3600:.0f} hours. Only you see the X-rays that you upload to classify."
        )
    show_activities()
    show_steps()
    st.header("Learn")
    with st.grid(4, min_column_width=220, border=True):
        for page, title, icon, description in LEARN:
            with st.container(key=f"to {page}"):
                st.markdown(description)
                link(page, title, icon)


ensure_routed("home")
st.container(horizontal=True).title("Bone X-ray lab")  # a title in a row has no room above it
show_reading()
if not presenting.is_on():  # one thing at a time
    show_more()
st.caption(NOTICE)
