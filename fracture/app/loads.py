"""Cached loads. What is cached is the load, never a filter on it, and every cache is bounded."""

from pathlib import Path

import streamlit as st

from fracture.classify.classifier import Classifier, View
from fracture.classify.store import ModelFolder
from fracture.data import checks
from fracture.data import dataset as datasets
from fracture.data import radiograph as radiographs
from fracture.data.radiograph import Radiograph
from fracture.learn.events import read_events
from fracture.learn.jobs import Run
from fracture.learn.progress import Progress


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Reading the data set")
def dataset(root: str) -> datasets.Dataset:
    """The data set in a folder."""
    return datasets.scan(root)


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Looking for problems")
def problems(root: str) -> list[checks.Problem]:
    """What is wrong with the data set in a folder; reads every file once."""
    return checks.check(dataset(root))


def forget_dataset(root: str) -> None:
    """Read this folder anew the next time."""
    dataset.clear(root)
    problems.clear(root)


@st.cache_data(max_entries=2000, ttl="1h", show_spinner=False)
def thumbnail(path: str, size: int) -> bytes:
    """A small JPEG of an image file, its longer side ``size`` px."""
    return radiographs.thumbnail(radiographs.load(Path(path)), size)


def classifier(folder: ModelFolder) -> Classifier:
    """The model in a folder, loaded once until its files change."""
    return _classifier(str(folder.path), folder.version)


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _classifier(path: str, version: str) -> Classifier:  # noqa: ARG001  part of the key
    return Classifier(ModelFolder(Path(path)))


@st.cache_resource(max_entries=12, scope="session", show_spinner="Looking at the image")
def examined(name: str, data: bytes, _model: Classifier, version: str) -> tuple[Radiograph, View]:  # noqa: ARG001
    """An uploaded image and what the model says of it, for this visitor alone."""
    image = radiographs.read(data, name)
    return image, _model.view(name, image)


def progress(run: Run) -> Progress:
    """How a training stands; each call reads only what it has said since the last one."""
    key = f"progress of {run.name} {run.started}"
    so_far: Progress
    so_far, offset = st.session_state.get(key, (Progress(), 0))
    events, offset = read_events(run.folder.events, offset)
    so_far.add(events)
    st.session_state[key] = so_far, offset
    return so_far
