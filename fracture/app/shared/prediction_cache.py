"""Models, loaded once, and what they say of images: of uploads, for their visitor alone. Every cache is bounded."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fracture.evaluation.metrics import by_study, mean, rates
from fracture.imaging import radiograph as radiographs
from fracture.imaging.thumbnails import changed
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import View
from fracture.paths import sanitize_name
from fracture.phantoms import samples
from fracture.phantoms.truth import Truth
from fracture.registry.model_folder import ModelFolder, read_predictions

SHOWN = 1024
"""Longer side in px of the images shown large."""

SHOWN_SMALL = 640
"""Longer side in px of the images of a gallery with heat maps."""


def classifier(folder: ModelFolder) -> Classifier:
    """The model in a folder, loaded once until its files change."""
    return _classifier(str(folder.path), folder.version)


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _classifier(path: str, version: str) -> Classifier:  # noqa: ARG001  part of the key
    return Classifier(ModelFolder(Path(path)))


def scored(folder: ModelFolder, level: str, data: str = "") -> pd.DataFrame:
    """A model's validation predictions by ``image`` or by ``study``: ``group, label, probability`` and more.

    ``data``: only those of this data set, where the model was judged on several.
    Raises ModelError where they are missing or damaged.
    """
    return _scored(str(folder.path), folder.version, level, data)


@st.cache_data(max_entries=16, show_spinner=False)
def _scored(path: str, version: str, level: str, data: str) -> pd.DataFrame:  # noqa: ARG001  part of the key
    table = read_predictions(ModelFolder(Path(path)))
    if data and "data" in table:
        table = table[table["data"] == data]
    return by_study(table) if level == "study" else table


def operating_point(folder: ModelFolder, level: str, threshold: float, data: str = "") -> dict[str, Any]:
    """The rates of :func:`fracture.evaluation.metrics.rates` at a threshold, and the predictive values ppv and npv."""
    return _operating_point(str(folder.path), folder.version, level, threshold, data)


@st.cache_data(max_entries=2000, show_spinner=False)
def _operating_point(path: str, version: str, level: str, threshold: float, data: str) -> dict[str, Any]:
    table = _scored(path, version, level, data)
    positive, called = table["label"] == 1, table["probability"] >= threshold
    ppv = mean(positive[called].to_numpy(np.float64), table.loc[called, "group"])
    npv = mean(1 - positive[~called].to_numpy(np.float64), table.loc[~called, "group"])
    return {**rates(table, threshold), "ppv": ppv, "npv": npv}


@dataclass(frozen=True)
class Examined:
    """An image and what the model says of it."""

    view: View
    pixels: NDArray[np.uint8]
    """(h, w), small enough to be shown; what the model saw does not depend on it."""
    format: str
    steps: tuple[str, ...]
    """What was done to get from the file to the pixels, in words."""
    synthetic: bool
    """The file says of itself that it was drawn."""


def examined(name: str, data: bytes, model: Classifier, version: str) -> Examined:
    """What the model says of an upload, kept for this visitor alone, as long as the browser tab is open.

    Raises:
        RadiographError: it cannot be read.
    """
    # By its hash: Streamlit would copy all of the file to make a key of it.
    return _examined(sanitize_name(name), hashlib.sha256(data).hexdigest(), data, model, version)


@st.cache_resource(max_entries=100, scope="session", show_spinner="Looking at the image")
def _examined(name: str, digest: str, _data: bytes, _model: Classifier, version: str) -> Examined:  # noqa: ARG001
    image = radiographs.read(_data, name)
    shown = radiographs.shrink(image.pixels, SHOWN)
    return Examined(_model.view(name, image), shown, image.format, image.steps, image.synthetic)


def examined_file(path: str, model: Classifier, version: str) -> Examined:
    """What the model says of an image file, shown small.

    Raises:
        RadiographError: it cannot be read.
    """
    return _examined_file(path, model, version, changed(path))


@st.cache_resource(max_entries=64, show_spinner=False)
def _examined_file(path: str, _model: Classifier, version: str, changed: int) -> Examined:  # noqa: ARG001
    image = radiographs.load(Path(path))
    shown = radiographs.shrink(image.pixels, SHOWN_SMALL)
    return Examined(_model.view(Path(path).name, image), shown, image.format, image.steps, image.synthetic)


@st.cache_resource(max_entries=8, show_spinner="Drawing the study")
def sample(number: int, _model: Classifier, version: str) -> list[tuple[Examined, Truth]]:  # noqa: ARG001  part of the key
    """A synthetic study: what the model says of each view, and what there is to be found in it."""
    drawn = samples.generate_sample(number)
    views = [
        _model.view(f"synthetic {number} {each.view}", radiographs.Radiograph(each.pixels, "PNG")) for each in drawn
    ]
    return [(Examined(view, each.pixels, "PNG", (), True), each.truth) for view, each in zip(views, drawn, strict=True)]


@st.cache_data(max_entries=64, show_spinner="Drawing synthetic X-rays")
def sample_thumbnails(numbers: tuple[int, ...]) -> list[bytes]:
    """A small JPEG of the first view of each synthetic study."""
    return [radiographs.thumbnail(views[0].pixels, 256) for views in samples.generate_samples(numbers, views=1)]
