"""The start page: what this machine has, what is running, and the next step."""

import streamlit as st

from fracture import demo
from fracture.app.home.activity import show_activities
from fracture.app.home.reading import show_reading
from fracture.app.shared.widgets import default_model, ensure_routed, escape_markdown, link
from fracture.data.folders import list_datasets
from fracture.inference.classifier import NOTICE
from fracture.registry.default_model import describe_model

WORKFLOW = (
    ("data", "Data", ":material/photo_library:", "**1 · Explore data.** Patients, studies and views; findings."),
    (
        "train",
        "Train",
        ":material/model_training:",
        "**2 · Train.** Transfer learning with InceptionV3: head only or fine-tuning, with live curves.",
    ),
    (
        "classify",
        "Classify",
        ":material/radiology:",
        "**3 · Classify.** Upload X-rays: a probability for each or for a study, with heat maps.",
    ),
)
EXPERIMENTS = (
    (
        "playground",
        "Playground",
        ":material/tune:",
        "**Hyperparameters.** A head trains in a fraction of a second; each slider shows its effect.",
    ),
    ("leakage", "Leakage", ":material/call_split:", "**Data leakage.** A split by image recognizes patients."),
    ("shortcuts", "Shortcuts", ":material/hide_image:", "**Shortcuts.** What the model really looks at."),
)


def show_next_step(*, has_data: bool, busy: bool) -> None:
    """The next step for this visitor; none without a model while a job is running, which is to be awaited."""
    model = default_model()
    if model is None and busy:
        return
    st.header("Next step")
    with st.container(key="next step"):
        if model is not None:
            folder, reason = model
            st.markdown(f"Model **{escape_markdown(describe_model(folder))}**: {reason}.")
            link("classify", "Classify an X-ray", ":material/radiology:", folder.name)
        elif has_data:
            st.markdown("There is a data set, and no model yet.")
            link("train", "Train a model", ":material/model_training:")
        else:
            st.markdown("There is no data yet. Generate phantoms, or import a data set.")
            link("data", "Add data", ":material/photo_library:")


def show_links(pages: tuple[tuple[str, str, str, str], ...]) -> None:
    """A card for each page, with a link."""
    with st.grid(3, border=True):
        for page, title, icon, description in pages:
            with st.container(key=f"to {page}"):
                st.markdown(description)
                link(page, title, icon)


ensure_routed("home")
st.title("Bone X-ray lab")
st.markdown("Explore a data set of bone radiographs, train **InceptionV3** on it, and classify X-rays.")
show_reading()
if demo.is_public():
    st.caption(
        ":material/public: This is a public demo: other visitors see what you make here, and it is deleted after "
        f"{demo.LIMITS.retention_seconds / 3600:.0f} hours. Only you see the X-rays that you upload to classify."
    )
datasets = list_datasets()
busy = show_activities()
show_next_step(has_data=bool(datasets), busy=busy)
st.header("Workflow")
show_links(WORKFLOW)
st.header("Experiments")
show_links(EXPERIMENTS)
st.caption(NOTICE)
