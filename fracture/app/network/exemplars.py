"""The images by which a channel is explained: those of a set whose features are known, which excite it most.

A channel means something only within its own network: features of another backbone would show other things. So there
are three sets, and the first that fits is taken: the training images of the model, where its features are cached; the
synthetic images whose features ship with the project, where the model has that backbone; and the sample radiographs,
which the model itself is run on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fracture.app.shared.dataset_cache import HashFuncs
from fracture.app.shared.features.material import Material, bench_of
from fracture.app.shared.images import show_picture
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import FractureError, ModelError
from fracture.experiments.shipped.features import is_shipped, shipped_plan
from fracture.experiments.shipped.phantoms import shipped_image
from fracture.experiments.workbench import Bench, runs_with_features
from fracture.imaging import radiograph
from fracture.imaging.thumbnails import thumbnail
from fracture.inference.classifier import Classifier
from fracture.registry.dynamic_range import dynamic_range_sha256
from fracture.registry.model_folder import ModelFolder
from fracture.sample_radiographs import CREDIT, sample_radiographs
from fracture.training.runs import queue

SHOWN = 4

PICTURE_PX = 300
"""Longer side of a picture."""

Draw = Callable[["pd.Series[Any]"], bytes | Image.Image]


@dataclass(frozen=True)
class Exemplars:
    """Images whose features are known."""

    features: NDArray[np.float32]
    """(N, 2048): of each image, the mean of each channel of mixed10."""
    table: pd.DataFrame
    """A row an image, with ``image_id`` and ``word``, its label."""
    origin: str
    """Which images these are, in Markdown."""
    draw: Draw
    """A row -> its picture."""

    def strongest(self, channel: int) -> list[tuple["pd.Series[Any]", float]]:
        """The rows that excite a channel most, and the channel's means there."""
        values = self.features[:, channel]
        order = np.argsort(-values, kind="stable")[:SHOWN]
        return [(self.table.iloc[place], float(values[place])) for place in order]


def show_exemplars(channel: int, model: Classifier, folder: ModelFolder) -> None:
    """The images that excite a channel most; a sentence where there are none."""
    found = find_exemplars(model, folder)
    if found is None:
        st.caption("No images with features of this network are on this machine.")
        return
    st.caption(f"{found.origin} that excite channel {channel} most; below each its label and the channel's mean.")
    with st.grid(SHOWN, min_column_width=80, key="exemplars"):
        for row, mean in found.strongest(channel):
            alt = f"{row['image_id']}, which excites channel {channel}"
            show_picture(found.draw(row), alt, f"{escape_markdown(row['word'])} · {mean:.2f}")


def find_exemplars(model: Classifier, folder: ModelFolder) -> Exemplars | None:
    """The first set of images whose features are those of this network. None where there is none."""
    return _of_run(folder) or _of_phantoms(model, folder) or _of_samples(model)


def _of_run(folder: ModelFolder) -> Exemplars | None:
    """The model's own training images, where a head was trained on cached features."""
    run = queue.find_run(folder)
    if run is None or not runs_with_features([run]):
        return None
    try:
        bench = bench_of(run)
    except FractureError:  # the data, the weights or the features are gone
        return None
    return _of_bench(bench, "Training images", _draw_file)


def _of_phantoms(model: Classifier, folder: ModelFolder) -> Exemplars | None:
    if not is_shipped() or _backbone(model, folder) != shipped_plan().weights:
        return None
    return _of_bench(Material(None).bench(), "Synthetic X-rays", _draw_phantom)


def _of_bench(bench: Bench, origin: str, draw: Draw) -> Exemplars:
    rows = bench.training
    words = bench.table["label"].map(dict(enumerate(bench.label_names)))
    table = bench.table.assign(word=words)[rows].reset_index(drop=True)
    return Exemplars(bench.features[rows], table, f"{origin}, {len(table):,} in all,", draw)


def _backbone(model: Classifier, folder: ModelFolder) -> str | None:
    """The identity of the network below the head, as the plan of the shipped features records it."""
    if folder.dynamic_range.exists():
        try:
            return dynamic_range_sha256(folder)
        except ModelError:
            return None
    trained_whole = model.card.config.get("mode") != "head"
    return None if trained_whole or model.card.weights is None else model.card.weights.sha256


def _of_samples(model: Classifier) -> Exemplars | None:
    samples = sample_radiographs()
    if not samples:
        return None
    table = pd.DataFrame([{"image_id": each.name, "path": str(each.path), "word": each.label} for each in samples])
    origin = f"Of the {len(table)} samples ({CREDIT}), those"
    return Exemplars(_sample_features(model), table, origin, _draw_file)


def _model_version(model: Classifier) -> str:
    return model.version


_BY_MODEL: HashFuncs = {Classifier: _model_version}


@st.cache_resource(max_entries=4, show_spinner="Running the network on the samples", hash_funcs=_BY_MODEL)
def _sample_features(model: Classifier) -> NDArray[np.float32]:
    passes = (model.first_pass(each.name, radiograph.load(each.path)) for each in sample_radiographs())
    return np.stack([each.straight.features for each in passes])


def _draw_file(row: "pd.Series[Any]") -> bytes:
    return thumbnail(str(Path(row["path"])), PICTURE_PX, square=True)


def _draw_phantom(row: "pd.Series[Any]") -> Image.Image:
    return Image.fromarray(shipped_image(shipped_plan(), row["image_id"]).pixels)
