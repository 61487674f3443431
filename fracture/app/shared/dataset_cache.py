"""Data sets, loaded once. The load is cached, never a filter on it, and every cache is bounded.

A cached function tells its data sets apart by their versions: another file, decision or model makes another version.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fracture import charts
from fracture.app.shared import state
from fracture.data import checks, measurements
from fracture.data import dataset as datasets
from fracture.data.catalog import build_catalog, rows_after_decisions
from fracture.data.combine import with_labels
from fracture.data.dataset import Dataset
from fracture.data.decisions import DECISIONS_FILE as DECISIONS
from fracture.data.decisions import apply_decisions, decided
from fracture.data.labels.labels_file import LABELS_FILE
from fracture.data.layouts import levels
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError, ModelError
from fracture.evaluation.properties.associations import Association, cached_associations, find_associations
from fracture.files import JsonObject
from fracture.imaging import radiograph as radiographs
from fracture.imaging.thumbnails import changed
from fracture.imaging.viewing.full_depth import FullDepth, load_full_depth
from fracture.paths import short
from fracture.registry.card import Card
from fracture.registry.default_model import by_preference
from fracture.registry.model_folder import ModelFolder, read_card, read_predictions, usable_models


def file_version(path: Path) -> str:
    """Another one whenever the file has changed."""
    return f"{path} {changed(str(path))}"


HashFuncs = dict[str | type[Any], Callable[[Any], Any]]

# Streamlit looks up the exact class of a value: PosixPath or WindowsPath, never Path.
BY_FILE: HashFuncs = {type(Path()): file_version}
"""``hash_funcs`` of a cached function that reads the files whose paths it takes."""


def _version(data: Dataset) -> str:
    return f"{data.root} {data.version}"


def _version_with_decisions(data: Dataset) -> str:
    return f"{_version(data)} {decided_at(data.root)}"


def _version_with_models(data: Dataset) -> str:
    models = [folder.version for folder in usable_models()]
    return f"{_version_with_decisions(data)} {models} {state.CHOSEN_MODEL.get()}"


def decided_at(root: Path) -> str:
    """Another one whenever a file has changed that may hold decisions about the images below a folder."""
    return " ".join(str(changed(str(level / DECISIONS))) for level in levels(root))


def cached_dataset(root: str, progress: str = "") -> Dataset:
    """The data set in a folder; read again for another ``progress`` of the job that fills the folder.

    Raises LabelsError where nobody has said yet which of its classes are which, and DatasetError.
    """
    return _cached_dataset(root, f"{progress} {_labels_at(root)}")


def _labels_at(root: str) -> str:
    """Another one whenever a file has changed that may hold a choice of labels."""
    with suppress(OSError, ValueError):  # a text that cannot be a path: reading the data set will say so
        places = [*levels(Path(root)), datasets.folder_of_table(Path(root))]
        return " ".join(str(changed(str(place / LABELS_FILE))) for place in places)
    return ""


@st.cache_data(max_entries=4, ttl="1h", show_spinner="Reading the data set")
def _cached_dataset(root: str, state: str) -> Dataset:  # noqa: ARG001  part of the key
    return find_or_scan(root)


@st.cache_data(
    max_entries=4, ttl="1h", show_spinner="Checking the data set", hash_funcs={Dataset: _version_with_decisions}
)
def problems(data: Dataset) -> list[checks.Problem]:
    """The findings about a data set after its decisions, as far as its images have been analyzed."""
    try:
        curated = apply_decisions(data)
    except DatasetError as error:  # no image is left: all can still be looked at, and the decisions undone
        return [checks.Problem("nothing left", "error", str(error), "From no image, nothing can be learned.")]
    return checks.check(curated, cached_measurements(data), read_files=False)


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False, hash_funcs={Dataset: _version})
def cached_measurements(data: Dataset) -> pd.DataFrame:
    """The known pixel statistics of a data set's images; see :func:`fracture.data.measurements.measured`."""
    return measurements.measured(data.table)


@st.cache_data(
    max_entries=4, ttl="1h", show_spinner="Comparing properties", hash_funcs={Dataset: _version_with_decisions}
)
def associations(data: Dataset) -> list[Association]:
    """How well properties of the analyzed images predict the label, after decisions; the strongest first."""
    with suppress(DatasetError):  # no image is left
        return find_associations(apply_decisions(data), cached_measurements(data))
    return []


def known_associations(data: Dataset) -> list[Association]:
    """Those of :func:`associations` that have been computed before; nothing is computed."""
    with suppress(DatasetError):
        return cached_associations(apply_decisions(data), cached_measurements(data))
    return []


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False, hash_funcs={Dataset: _version_with_models})
def catalog(data: Dataset) -> pd.DataFrame:
    """All images of a data set in reading order, with their decisions, brightness and predictions.

    Raises DatasetError where the decisions beside the data cannot be read.
    """
    made = decided(data.root)
    decisions = dict(zip(made.index, made["decision"], strict=True))
    reasons = dict(zip(made.index, made["reason"], strict=True))
    pixels = cached_measurements(data)
    brightness = dict(zip(pixels["image_id"], pixels["mean"], strict=True))
    known = build_catalog(data, decisions, brightness, scores(data).probability)
    return known.assign(reason=[reasons.get(image, "") for image in known["image_id"]])


@st.cache_resource(max_entries=4, ttl="1h", show_spinner=False, hash_funcs={Dataset: _version_with_models})
def cached_overview(data: Dataset) -> dict[str, charts.Drawn]:
    """The charts of :func:`fracture.charts.overview` without excluded images, drawn once for all visitors.

    Raises as :func:`catalog` does.
    """
    return charts.overview(rows_after_decisions(catalog(data)), data.label_names)


class Scores(NamedTuple):
    """A model's predictions for a data set's images from its validation, by ``image_id``."""

    model: str
    """The model's name; empty where there are no scores."""
    probability: dict[str, float]
    why_not: str
    """In a sentence, why a preferred model's predictions of images of the same names are not shown; mostly empty."""


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False, hash_funcs={Dataset: _version_with_models})
def scores(data: Dataset) -> Scores:
    """A model's probabilities for images of this data set, where one was validated on some of them.

    The visitor's model comes first, then the default one; see :mod:`fracture.registry.default_model`.

    Two images are the same where their files are: other images, such as those of other phantoms, have the same names.
    """
    chosen = state.CHOSEN_MODEL.get()
    # False sorts before True, and sorting is stable: the chosen model, then the others in their order.
    models = sorted(by_preference(usable_models()), key=lambda folder: folder.name != chosen)
    validated = {}
    for folder in models:
        table = _predictions(folder, data)
        if table is not None:
            validated[folder.name] = table
    digest = measurements.known_digests(data.table["path"].tolist()) if validated else {}
    file_of_image = dict(zip(data.table["image_id"], data.table["path"].map(digest), strict=True))
    why_not = ""
    for name, table in validated.items():
        probability_of_file = dict(zip(table["sha256"], table["probability"], strict=True))
        found = {
            image: probability_of_file[file] for image, file in file_of_image.items() if file in probability_of_file
        }
        if found:
            return Scores(name, found, why_not)
        same_name = table[table["image_id"].isin(file_of_image)]
        why_not = why_not or _why_not(name, same_name, file_of_image, data)
    return Scores("", {}, why_not)


def _predictions(folder: ModelFolder, data: Dataset) -> pd.DataFrame | None:
    """A model's predictions, where its labels are those of the data set."""
    with suppress(ModelError):
        if read_card(folder).labels == data.label_names:
            return read_predictions(folder)
    return None


def _why_not(model: str, same_name: pd.DataFrame, file_of_image: JsonObject, data: Dataset) -> str:
    """Whether predictions of images of the same names may yet be of these images; empty where they are not."""
    if (same_name["sha256"] == "").any():
        place = short(str(data.root))
        return (
            f"No probabilities of model {model}: its predictions don't record which image files they belong to. If "
            f"these are the files, add them with: python -m fracture evaluate --model {model} --data {place}"
        )
    if same_name["image_id"].map(file_of_image).isna().any():
        return f"Analyze the images (see Checks) to find out whether model {model} was validated on them."
    return ""


def training_images(card: Card) -> pd.DataFrame:
    """The images that a model was trained and validated on, as far as their data sets are on this machine.

    As a data set's table, under the names and with the labels by which the model knows them, and ``word``, the label's
    name in its own data set; empty where none is here.
    """
    config = card.config
    if "data" not in config:
        return pd.DataFrame(columns=["image_id"])
    tables = []
    for place, folder in enumerate([config["data"], *config.get("also", [])]):
        with suppress(DatasetError):
            tables.append(_labeled_table(folder, card.labels, prefixed=place > 0))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["image_id"])


def _labeled_table(folder: str, labels: tuple[str, str], *, prefixed: bool) -> pd.DataFrame:
    """The table of one of a model's data sets; ``prefixed``: image names begin with the data set's name."""
    found = cached_dataset(str(datasets.existing_folder(folder)))
    words = found.table["label"].map(dict(enumerate(found.label_names)))
    table = with_labels(found, labels).table.assign(word=words)
    if prefixed:
        table = table.assign(image_id=found.name + "/" + table["image_id"])
    return table


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_FILE)
def digests_of(paths: Sequence[Path]) -> list[str]:
    """The SHA-256 of a few files, "" of one that cannot be read; a file is read again only when it has changed."""
    return list(measurements.digests([str(path) for path in paths]))


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=BY_FILE)
def large(path: Path, size: int) -> NDArray[np.uint8]:
    """The pixels of an image file, its longer side at most ``size`` px. Raises RadiographError."""
    return radiographs.shrink(radiographs.load(path).pixels, size)


# A resource: cache_data would copy all pixels at each click. Few, since each may have 8 MB.
@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=BY_FILE)
def full_depth(path: Path, size: int) -> FullDepth:
    """An image file in full depth, its longer side at most ``size`` px. Raises RadiographError."""
    return load_full_depth(path).shrunk(size)


def forget_measurements() -> None:
    """Clear the caches of all that depends on pixels: more images have been analyzed."""
    for cached in (cached_measurements, problems, associations, scores, catalog, cached_overview):
        cached.clear()


def forget_datasets() -> None:
    """Clear the caches of all data sets: a folder has changed, or its name may be given to another."""
    _cached_dataset.clear()
    forget_measurements()
