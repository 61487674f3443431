"""Data sets, loaded once. What is cached is the load, never a filter on it, and every cache is bounded."""

from collections.abc import Sequence
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
from fracture.data.catalog import catalogue as catalogue_of
from fracture.data.catalog import rows_after_decisions
from fracture.data.combine import with_labels
from fracture.data.decisions import FILE as DECISIONS
from fracture.data.decisions import apply_decisions, decided
from fracture.data.layouts import levels
from fracture.data.measurements import digests, known_digests
from fracture.data.scan_cache import find_or_scan
from fracture.errors import DatasetError, ModelError
from fracture.imaging import radiograph as radiographs
from fracture.imaging.thumbnails import changed
from fracture.paths import short
from fracture.registry.default_model import by_preference
from fracture.registry.model_folder import ModelFolder, read_card, read_predictions, usable_models


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
        curated = apply_decisions(_data)
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
    for cached in (_measured, _problems, _scores, _catalogue, _overview):
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
    return (
        f"{version} {decided_at(data.root)} {[folder.version for folder in usable_models()]} {state.CHOSEN_MODEL.get()}"
    )


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _catalogue(root: str, state: str, _data: datasets.Dataset, _version: str) -> pd.DataFrame:  # noqa: ARG001
    held = decided(_data.root)
    decisions, reasons = ({str(image): text for image, text in held[name].items()} for name in ("decision", "reason"))
    pixels = measured(_data, _version)
    brightness = dict(zip(pixels["image_id"], pixels["mean"], strict=True))
    known = catalogue_of(_data, decisions, brightness, scores(_data, _version).probability)
    return known.assign(reason=[reasons.get(image, "") for image in known["image_id"]])


@st.cache_resource(max_entries=4, ttl="1h", show_spinner=False)
def _overview(root: str, state: str, _data: datasets.Dataset, _version: str) -> dict[str, charts.Drawn]:
    return charts.overview(rows_after_decisions(_catalogue(root, state, _data, _version)), _data.label_names)


def digests_of(paths: Sequence[str]) -> list[str]:
    """The SHA-256 of a few files, "" of one that cannot be read; each is read again only when it has changed."""
    return _digests(tuple(paths), tuple(changed(path) for path in paths))


@st.cache_data(max_entries=64, show_spinner=False)
def _digests(paths: tuple[str, ...], changed_at: tuple[int, ...]) -> list[str]:  # noqa: ARG001  part of the key
    return list(digests(list(paths)))


class Scores(NamedTuple):
    """What a model said of a data set's images when it was validated, by ``image_id``."""

    model: str
    """The model's name; empty where there are no scores."""
    probability: dict[str, float]
    why_not: str
    """In a sentence, why a preferred model's predictions of images of the same names are not shown; mostly empty."""


def scores(data: datasets.Dataset, version: str = "") -> Scores:
    """A model's probabilities for images of this data set, where one was validated on some of them.

    The visitor's model comes first, then the default one; see :mod:`fracture.registry.default_model`.

    An image is the same where its file is: names are those of other images, too, such as those of other phantoms.
    """
    return _scores(str(data.root), _state(data, version), data, state.CHOSEN_MODEL.get())


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _scores(root: str, state: str, _data: datasets.Dataset, chosen: str) -> Scores:  # noqa: ARG001  part of the key
    models = sorted(by_preference(usable_models()), key=lambda folder: folder.name != chosen)
    told = [(folder.name, table) for folder in models if (table := _predictions(folder, _data)) is not None]
    digest = known_digests(_data.table["path"].tolist()) if told else {}
    by_image = dict(zip(_data.table["image_id"], _data.table["path"].map(digest), strict=True))
    why_not = ""
    for name, table in told:
        of_file = dict(zip(table["sha256"], table["probability"], strict=True))
        found = {image: of_file[file] for image, file in by_image.items() if file in of_file}
        if found:
            return Scores(name, found, why_not)
        why_not = why_not or _why_not(name, table[table["image_id"].isin(by_image)], by_image, _data)
    return Scores("", {}, why_not)


def _predictions(folder: ModelFolder, data: datasets.Dataset) -> pd.DataFrame | None:
    """A model's predictions, where it says what the data set says."""
    with suppress(ModelError, KeyError):
        if tuple(read_card(folder)["labels"]) == data.label_names:
            return read_predictions(folder)
    return None


def _why_not(model: str, same_name: pd.DataFrame, by_image: dict[str, Any], data: datasets.Dataset) -> str:
    """Whether predictions of images of the same names may yet be of these images; empty where they are not."""
    if (same_name["sha256"] == "").any():
        place = short(str(data.root))
        return (
            f"No probabilities of model {model}: its predictions don't record which image files they belong to. This "
            f"adds it, if these are the files: python -m fracture evaluate --model {model} --data {place}"
        )
    if same_name["image_id"].map(by_image).isna().any():
        return f"Whether model {model} was validated on these images is not known until they are looked at: see Checks."
    return ""


@st.cache_data(max_entries=16, show_spinner=False)
def _large(path: str, size: int, changed_at: int) -> NDArray[np.uint8]:  # noqa: ARG001  part of the key
    return radiographs.shrink(radiographs.load(Path(path)).pixels, size)


def large(path: str, size: int) -> NDArray[np.uint8]:
    """The pixels of an image file, its longer side at most ``size`` px. Raises RadiographError."""
    return _large(path, size, changed(path))
