"""Which images a quiz asks about: those that come with the app, or a data set of this machine."""

import streamlit as st

from fracture import sample_radiographs
from fracture.app.shared import state
from fracture.app.shared.dataset_cache import decided_at
from fracture.data.dataset import Dataset
from fracture.data.folders import list_datasets
from fracture.inference.classifier import Classifier
from fracture.teaching.questions import Question, choose_questions


def choose_images() -> str | None:
    """A picker of the images: the path of a data set. None where there is none."""
    samples = str(sample_radiographs.FOLDER)
    offered = {samples: "Real samples"} if sample_radiographs.sample_radiographs() else {}
    offered |= {str(folder): folder.name for folder in list_datasets()}
    selected: str | None = st.selectbox(
        "X-rays", list(offered), format_func=offered.__getitem__, key="quiz data", persist_state="session"
    )
    return selected if selected in offered else None


def questions_of(data: Dataset, model: Classifier) -> tuple[str, list[Question]]:
    """The questions of the visitor's present quiz, and what tells it from others.

    Raises DatasetError where the data set has too few images.
    """
    number = state.QUIZ.get()
    version = f"{data.root} {data.version} {decided_at(data.root)} {model.version} {number}"
    return version, _questions(data, model, version, number)


@st.cache_data(max_entries=32, show_spinner="Choosing images")
def _questions(_data: Dataset, _model: Classifier, version: str, number: int) -> list[Question]:  # noqa: ARG001  part of the key
    return choose_questions(_data, _model.ood_detector, number)
