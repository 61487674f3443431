"""Data sets, loaded once. What is cached is the load, never a filter on it, and every cache is bounded."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fracture import charts
from fracture.classify.store import read_card, read_predictions, usable_models
from fracture.data import checks, measurements
from fracture.data import dataset as datasets
from fracture.data import radiograph as radiographs
from fracture.data.browsing import apply_decisions
from fracture.data.browsing import catalogue as catalogue_of
from fracture.data.curation import FILE as DECISIONS
from fracture.data.curation import curate, decided
from fracture.data.index import find_or_scan
from fracture.data.joined import with_labels
from fracture.data.layouts import levels
from fracture.data.thumbnails import changed
from fracture.errors import DatasetError, ModelError


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
    for cached in (_measured, _problems, _catalogue, _overview):
        cached.clear()


def forget_dataset(root: str, version: str = "") -> None:
    """Read this folder anew the next time."""
    dataset.clear(root, version)
    forget_measurements()


def forget_datasets() -> None:
    """Read every folder anew the next time: one was renamed or deleted, and its name may be given again."""
    dataset.clear()
    forget_measurements()


def catalogue(data: datasets.Dataset, version: str = "") -> pd.DataFrame:
    """All images of a data set as a reader goes through them, with what is known and decided of each.

    Raises DatasetError where the decisions beside the data cannot be read.
    """
    return _catalogue(str(data.root), _state(data, version), data, version)


def overview(data: datasets.Dataset, version: str = "") -> dict[str, charts.Drawn]:
    """What :func:`fracture.charts.overview` draws of it, once for all who look; excluded images are left out.

    Raises as :func:`catalogue` does.
    """
    return _overview(str(data.root), _state(data, version), data, version)


def _state(data: datasets.Dataset, version: str) -> str:
    return f"{version} {decided_at(data.root)} {[folder.version for folder in usable_models()]}"


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _catalogue(root: str, state: str, _data: datasets.Dataset, _version: str) -> pd.DataFrame:  # noqa: ARG001
    held = decided(_data.root)
    decisions, reasons = ({str(image): text for image, text in held[name].items()} for name in ("decision", "reason"))
    pixels = measured(_data, _version)
    brightness = dict(zip(pixels["image_id"], pixels["mean"], strict=True))
    known = catalogue_of(_data, decisions, brightness, _scores(_data))
    return known.assign(reason=[reasons.get(image, "") for image in known["image_id"]])


@st.cache_resource(max_entries=4, ttl="1h", show_spinner=False)
def _overview(root: str, state: str, _data: datasets.Dataset, _version: str) -> dict[str, charts.Drawn]:
    return charts.overview(apply_decisions(_catalogue(root, state, _data, _version)), _data.label_names)


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
