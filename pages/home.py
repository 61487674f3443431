"""What is here, in one look, and the next step."""

import streamlit as st

from fracture import demo
from fracture.app.home.activity import show_activities
from fracture.app.shared.widgets import answering_model, ensure_routed, escape_markdown, link
from fracture.data.folders import list_datasets
from fracture.inference.classifier import NOTICE
from fracture.registry.default_model import describe
from fracture.registry.model_folder import usable_models

ensure_routed("home")
st.title("Bone X-ray lab")
st.markdown("Look at a data set of bone radiographs, train **InceptionV3** on it, and ask the model about an X-ray.")

if demo.on():
    st.caption(
        ":material/public: This is a public demo: what you make here, others see, and it is deleted after a day. "
        "What you upload to be classified is seen by you alone."
    )

datasets, models = list_datasets(), usable_models()
with st.container(horizontal=True):
    st.metric("Data sets", len(datasets), border=True, width=200)
    st.metric("Models", len(models), border=True, width=200)

busy, answering = show_activities(), answering_model()
if answering or not busy:  # without a model, the next step is to watch what is being made
    st.header("Next step")
with st.container(key="next step"):
    if answering:
        model, why = answering
        st.markdown(f"**{escape_markdown(describe(model))}** answers: {why}.")
        link("classify", "Ask it about an X-ray", ":material/radiology:", model.name)
    elif datasets and not busy:
        st.markdown("There is a data set, and no model yet.")
        link("train", "Train the first model", ":material/model_training:")
    elif not busy:
        st.markdown("Nothing is here yet. Draw synthetic radiographs, or choose a folder.")
        link("dataset", "Begin with data", ":material/photo_library:")

st.header("The three journeys")
with st.grid(3, border=True):
    with st.container(key="to data set"):
        st.markdown("**1 · Look at the data.** Patient by patient, study by study, and what is wrong with it.")
        link("dataset", "Data set", ":material/photo_library:")
    with st.container(key="to train"):
        st.markdown(
            "**2 · Train.** Transfer learning with InceptionV3, its head alone or its upper blocks, too; the curves "
            "are drawn as it learns."
        )
        link("train", "Train", ":material/model_training:")
    with st.container(key="to classify"):
        st.markdown(
            "**3 · Classify.** Upload X-rays: a probability for each, or for one study, and where the model looked."
        )
        link("classify", "Classify", ":material/radiology:")
st.header("To understand it")
with st.grid(3, border=True):
    with st.container(key="to playground"):
        st.markdown("**Turn the dials.** A head trains in a fraction of a second, and each dial shows what it does.")
        link("playground", "Playground", ":material/tune:")
    with st.container(key="to labs"):
        st.markdown("**Find out what it rests on.** What a leaking split pretends; what else than bones is looked at.")
        link("labs", "Labs", ":material/science:")
    with st.container(key="to runs"):
        st.markdown("**Compare.** All trainings side by side: what differs, and which one is better.")
        link("runs", "Runs", ":material/compare_arrows:")
st.caption(NOTICE)
