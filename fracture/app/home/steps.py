"""The three steps, each with what this machine has for it: data, runs and models."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture.app.shared.widgets import default_model, escape_markdown, link
from fracture.data.folders import list_datasets
from fracture.registry.default_model import describe_model
from fracture.registry.model_folder import ModelFolder, shipped_models
from fracture.training.runs import queue


def show_steps() -> None:
    """A card for each step: what is there, and the way on."""
    datasets = list_datasets()
    model = default_model()
    next_step = "classify" if model else "train" if datasets else "data"
    with st.grid(3, border=True):
        with st.container(key="to data"):
            _show_data(len(datasets), next_step)
        with st.container(key="to train"):
            _show_runs(next_step)
        with st.container(key="to classify"):
            _show_model(model, next_step)


def _show_data(datasets: int, next_step: str) -> None:
    there = "There is one data set." if datasets == 1 else f"There are {datasets:,} data sets."
    if not datasets:
        there = "There is no data yet. Generate phantoms, or import a data set."
    st.markdown(f"**1 · Explore data.** {there}")
    with _place("data", next_step):
        link("data", "Explore data" if datasets else "Add data", ":material/photo_library:")


def _show_runs(next_step: str) -> None:
    shipped = {folder.path for folder in shipped_models()}
    runs = [run for run in queue.runs() if run.folder.path not in shipped]
    finished = sum(run.state == "finished" for run in runs)
    there = "One run has finished." if finished == 1 else f"{finished:,} runs have finished."
    if not finished:
        there = "No run has finished yet."
        if any(run.active for run in runs):
            there = "The first run is not finished yet."
    st.markdown(f"**2 · Train.** {there}")
    with _place("train", next_step):
        link("train", "Train a model", ":material/model_training:")


def _show_model(model: tuple[ModelFolder, str] | None, next_step: str) -> None:
    """The default model, and why."""
    if model is None:
        st.markdown("**3 · Classify.** There is no model yet: the first run makes one.")
        link("classify", "Classify an X-ray", ":material/radiology:")
        return
    folder, reason = model
    st.markdown(f"**3 · Classify.** Model {escape_markdown(describe_model(folder))}: {reason}.")
    with _place("classify", next_step):
        link("classify", "Classify an X-ray", ":material/radiology:", folder.name)


def _place(step: str, next_step: str) -> DeltaGenerator:
    """Where the link of a step is; that of the next one has a key of its own."""
    return st.container(key="next step" if step == next_step else None)
