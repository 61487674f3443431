"""Cached loads. What is cached is the load, never a filter on it, and every cache is bounded."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fracture import charts
from fracture.classify.answer import View
from fracture.classify.classifier import Classifier
from fracture.classify.store import ModelFolder, read_card, read_predictions, usable_models
from fracture.data import checks, measurements
from fracture.data import dataset as datasets
from fracture.data import radiograph as radiographs
from fracture.data.bounds import plain
from fracture.data.browsing import catalogue as catalogue_of
from fracture.data.curation import FILE as DECISIONS
from fracture.data.curation import curate, decided
from fracture.data.index import find_or_scan
from fracture.data.joined import with_labels
from fracture.data.layouts import levels
from fracture.data.phantom import samples
from fracture.data.phantom.truth import Truth
from fracture.data.thumbnails import changed
from fracture.errors import DatasetError, ModelError
from fracture.learn.evaluation import by_study, mean, rates
from fracture.learn.events import read_events
from fracture.learn.jobs import Run
from fracture.learn.progress import Progress

SHOWN = 1024
"""Longer side in px of the images shown large."""

SHOWN_SMALL = 640
"""Longer side in px of the images of a gallery with heat maps."""


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Reading the data set")
def dataset(root: str, version: str = "") -> datasets.Dataset:  # noqa: ARG001  part of the key
    """The data set in a folder. ``version`` tells apart what a folder that is being drawn into holds, and held."""
    return find_or_scan(root)


def images_of(card: dict[str, Any]) -> pd.DataFrame:
    """The images that a model was trained and validated on, as far as their data sets are on this machine.

    As a data set's table, under the names and with the labels by which the model knows them, and ``word``, the label's
    name in its own data set; empty where none is here.
    """
    tables, config = [], card.get("config", {})
    for place, folder in enumerate([config["data"], *config.get("also", [])] if "data" in config else []):
        with suppress(DatasetError):
            found = dataset(str(datasets.existing_folder(folder)))
            words = found.table["label"].map(dict(enumerate(found.label_names)))
            table = with_labels(found, tuple(card["labels"])).table.assign(word=words)
            tables.append(table if place == 0 else table.assign(image_id=found.name + "/" + table["image_id"]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["image_id"])


def problems(data: datasets.Dataset, version: str = "") -> list[checks.Problem]:
    """What is wrong with a data set as it was decided to be, as far as its images have been looked at."""
    return _problems(str(data.root), version, decided_at(data.root), data)


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Looking for problems")
def _problems(root: str, version: str, decided_at: str, _data: datasets.Dataset) -> list[checks.Problem]:  # noqa: ARG001
    try:
        curated = curate(_data)
    except DatasetError as error:  # nothing is left: all can be looked at all the same, and decisions taken back
        return [checks.Problem("nothing left", "error", str(error), "From no image, nothing can be learned.")]
    return checks.check(curated, measured(_data, version), read_files=False)


def decided_at(root: Path) -> str:
    """Another one whenever a file has changed that may hold decisions about the images below a folder."""
    return " ".join(str(changed(str(level / DECISIONS))) for level in levels(root))


def measured(data: datasets.Dataset, version: str = "") -> pd.DataFrame:
    """What is known already of the pixels of a data set's images; see :func:`fracture.data.measurements.measured`."""
    return _measured(str(data.root), version, data)


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _measured(root: str, version: str, _data: datasets.Dataset) -> pd.DataFrame:  # noqa: ARG001  part of the key
    return measurements.measured(_data.table)


def forget_measurements() -> None:
    """More images have been looked at."""
    for cached in (_measured, _problems, _catalogue):
        cached.clear()


def forget_dataset(root: str, version: str = "") -> None:
    """Read this folder anew the next time."""
    dataset.clear(root, version)
    forget_measurements()


def catalogue(data: datasets.Dataset, version: str = "") -> pd.DataFrame:
    """All images of a data set as a reader goes through them, with what is known and decided of each.

    Raises DatasetError where the decisions beside the data cannot be read.
    """
    models = [folder.version for folder in usable_models()]
    return _catalogue(str(data.root), f"{version} {decided_at(data.root)} {models}", data, version)


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _catalogue(root: str, state: str, _data: datasets.Dataset, _version: str) -> pd.DataFrame:  # noqa: ARG001
    held = decided(_data.root)
    decisions, reasons = ({str(image): text for image, text in held[name].items()} for name in ("decision", "reason"))
    pixels = measured(_data, _version)
    brightness = dict(zip(pixels["image_id"], pixels["mean"], strict=True))
    known = catalogue_of(_data, decisions, brightness, _scores(_data))
    return known.assign(reason=[reasons.get(image, "") for image in known["image_id"]])


def _scores(data: datasets.Dataset) -> dict[str, float]:
    """The newest model's probabilities for images of this data set, where one was judged on some of them."""
    for folder in usable_models():
        with suppress(ModelError, KeyError):
            if tuple(read_card(folder)["labels"]) == data.label_names:
                told = read_predictions(folder).set_index("image_id")["probability"]
                known = told[told.index.isin(data.table["image_id"])]
                if len(known):
                    return {str(image): float(value) for image, value in known.items()}
    return {}


@st.cache_data(max_entries=16, show_spinner=False)
def _large(path: str, size: int, changed_at: int) -> NDArray[np.uint8]:  # noqa: ARG001  part of the key
    return radiographs.shrink(radiographs.load(Path(path)).pixels, size)


def large(path: str, size: int) -> NDArray[np.uint8]:
    """The pixels of an image file, its longer side at most ``size`` px. Raises RadiographError."""
    return _large(path, size, changed(path))


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
    """What :func:`fracture.learn.evaluation.rates` gives at a threshold, and both predictive values, as ppv and npv."""
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
    return _examined(plain(name), hashlib.sha256(data).hexdigest(), data, model, version)


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
    drawn = samples.draw_sample(number)
    views = [
        _model.view(f"synthetic {number} {each.view}", radiographs.Radiograph(each.pixels, "PNG")) for each in drawn
    ]
    return [(Examined(view, each.pixels, "PNG", (), True), each.truth) for view, each in zip(views, drawn, strict=True)]


@st.cache_data(max_entries=64, show_spinner="Drawing synthetic X-rays")
def sample_thumbnails(numbers: tuple[int, ...]) -> list[bytes]:
    """A small JPEG of the first view of each synthetic study."""
    return [radiographs.thumbnail(views[0].pixels, 256) for views in samples.draw_samples(numbers, views=1)]


def progress(run: Run) -> Progress:
    """How a training stands; each call reads only what it has said since the last one."""
    seen = st.session_state.setdefault(f"progress of {run.name} {run.started}", _Seen())
    # A click may end this script at any use of session state, but not between these two lines.
    events, seen.offset = read_events(run.folder.events, seen.offset)
    seen.progress.add(events)
    shown: Progress = seen.progress
    return shown


STEPS_AT_ONCE = 5
"""Points within the epochs that wait for each other until a curve is drawn anew."""


def curves(run: Run, progress: Progress, metric: str, epochs: int, kept: int | None) -> Any:
    """The figure of :func:`fracture.charts.curves`, made anew only when there is more to be seen."""
    steps = progress.step_losses[: len(progress.step_losses) // STEPS_AT_ONCE * STEPS_AT_ONCE]
    steps = steps if metric == "loss" else []
    seen = [run.name, run.started, metric, epochs, kept, progress.epoch, progress.history.get(metric, [])[-1:]]
    return _drawn(f"{seen} {steps[-1:]}", lambda: charts.curves(progress.history, metric, epochs, kept, steps))


def overlaid(learned: Mapping[str, charts.Learned], metric: str, epochs: int) -> Any:
    """The figure of :func:`fracture.charts.overlaid`, made anew only when there is more to be seen."""
    seen = {name: (each.kept_epoch, each.history.get(f"val_{metric}")) for name, each in learned.items()}
    return _drawn(f"overlaid {metric} {epochs} {seen}", lambda: charts.overlaid(learned, metric, epochs))


@st.cache_resource(max_entries=16, show_spinner=False)
def _drawn(seen: str, _draw: Callable[[], Any]) -> Any:  # noqa: ARG001  what is seen in it is the key
    return _draw()


@dataclass
class _Seen:
    """What this visitor has been shown of a training, and up to which byte of its events."""

    progress: Progress = field(default_factory=Progress)
    offset: int = 0
