"""Which images a quiz asks about: those that come with the app, or a data set of this machine."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from fracture import sample_radiographs
from fracture.app.shared import state
from fracture.app.shared.dataset_cache import cached_dataset, decided_at
from fracture.data.dataset_csv import dataset_csv
from fracture.data.decisions import apply_decisions
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


class Source(NamedTuple):
    """The images that a quiz chooses from."""

    version: str
    """Another one for other images, labels or decisions."""
    table: pd.DataFrame
    """As of a data set."""
    label_names: tuple[str, str]


def read_source(path: str) -> Source:
    """The images of a data set after its decisions, or the samples. Raises DatasetError."""
    # Not by a scan: a public demo scans only the data sets of its own home.
    samples = dataset_csv(sample_radiographs.FOLDER) if path == str(sample_radiographs.FOLDER) else None
    if samples is not None:
        return Source(path, samples.rows, samples.label_names)
    data = cached_dataset(path)
    version = f"{data.root} {data.version} {decided_at(data.root)}"
    return Source(version, apply_decisions(data).table, data.label_names)


def questions_of(source: Source, model: Classifier) -> tuple[str, list[Question]]:
    """The questions of the visitor's present quiz, and what tells it from others.

    Raises DatasetError where there are too few images.
    """
    number = state.QUIZ.get()
    version = f"{source.version} {model.version} {number}"
    return version, _questions(source, model, version, number)


@st.cache_data(max_entries=32, show_spinner="Choosing images")
def _questions(_source: Source, _model: Classifier, version: str, number: int) -> list[Question]:  # noqa: ARG001  part of the key
    return choose_questions(_source.table, _model.ood_detector, number)
