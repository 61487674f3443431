"""The parts of a model's card that a run writes; :mod:`fracture.registry.card` reads them."""

import importlib.metadata
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset import Dataset, counts, fingerprint
from fracture.data.splits import SELECTION, without_hold_out
from fracture.files import JsonObject
from fracture.paths import short
from fracture.registry.card import Data, Input, RecordedLabels, RecordedSource, RecordedWeights, Selection
from fracture.registry.model_folder import CARD_SCHEMA
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Fit
from fracture.training.weights import Weights

KERAS = ("tensorflow", "keras")

LIBRARIES = ("ai-edge-litert", "numpy", "pillow", "pydicom", "scikit-learn")
"""Their versions can change a model's predictions; those of :data:`KERAS` as well, where it trained."""


def describe_model(config: TrainConfig, dataset: Dataset, weights: Weights) -> JsonObject:
    """The labels, the input, the weights and the configuration."""
    model_input = Input(size=config.image_size, fit=config.fit, pixel_range=weights.input_range)
    backbone_weights = RecordedWeights(
        source=weights.source, origin=weights.origin, licence=weights.licence, sha256=weights.sha256
    )
    # A folder in the data home goes by its name, a weights file by its own: cards are copied to other machines.
    settings = {
        **config.to_json(),
        "data": short(config.data),
        "also": [short(each) for each in config.also],
        "weights": weights.source,
    }
    return {
        "schema": CARD_SCHEMA,
        "name": config.name,
        "labels": list(dataset.label_names),
        "body_part": config.body_part,
        "input": model_input.to_json(),
        "backbone": "InceptionV3",
        "weights": backbone_weights.to_json(),
        "config": settings,
        "command": command(config),
        "libraries": {name: importlib.metadata.version(name) for name in _libraries(weights)},
    }


def _libraries(weights: Weights) -> tuple[str, ...]:
    return LIBRARIES if weights.without_keras else (*KERAS, *LIBRARIES)


def command(config: TrainConfig) -> str:
    """The command line that trains this model again, where the data sets are in the data home."""
    words = ["python -m fracture train", f"--data {short(config.data)}"]
    words += [f"--also {short(each)}" for each in config.also]
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in ("data", "also") and value != field.default:
            words.append(f"--{field.name.replace('_', '-')} {_argument(field.name, value)}")
    return " ".join(words)


def _argument(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if name == "weights":
        return Path(value).name
    return str(value)


def describe_data(dataset: Dataset, *, readable: NDArray[np.bool_], selection: float = 0.0) -> JsonObject:
    """The data set, its sources and its counts.

    Args:
        dataset: with the images that the run held out for selection marked as such.
        readable: (N,) the rows of the table that could be used.
        selection: the share that the run was asked to hold out.
    """
    table = dataset.table
    used = table[readable]
    in_training = used[used["split"] == "train"]
    in_validation = used[used["split"] == "valid"]
    data = Data(
        name=dataset.name,
        layout=dataset.layout,
        synthetic=dataset.synthetic,
        sources=[RecordedSource(**asdict(source)) for source in dataset.sources],
        # Of the data set as it lies on disk, whatever a run holds out.
        fingerprint=fingerprint(replace(dataset, table=without_hold_out(table))),
        validated_on={
            str(name): fingerprint(replace(dataset, table=rows)) for name, rows in in_validation.groupby("data")
        },
        training_images=len(in_training),
        validation_images=len(in_validation),
        by_data=_images_by_data(used),
        excluded=dataset.excluded,
        relabelled=dataset.relabelled,
        unreadable=table.loc[~readable, "image_id"].tolist(),
    )
    names: JsonObject = {}
    if dataset.label_mappings:
        names["label_mappings"] = [RecordedLabels(**mapping.to_json()).to_json() for mapping in dataset.label_mappings]
    if dataset.patient_pattern:
        names["patient_pattern"] = dataset.patient_pattern
    if dataset.columns:
        names["columns"] = dataset.columns.named()
    held_out = {}
    if selection:
        rows = used[used["split"] == SELECTION]
        part = Selection(images=len(rows), groups=rows["group"].nunique(), share=selection)
        held_out["selection"] = part.to_json()
    return {**data.to_json(), **names, **held_out, "counts": counts(table).to_dict(orient="records")}


def _images_by_data(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """The number of images by data set and split."""
    sizes = table.groupby(["data", "split"]).size().unstack(fill_value=0)
    return {str(name): {str(split): int(images) for split, images in row.items()} for name, row in sizes.iterrows()}


def describe_training(trained: Fit, *, selection: float = 0.0, regions: bool = False) -> JsonObject:
    """How the run ended, and what was fitted on the validation images.

    Where a share of the training images chose, that is nothing but the thresholds of candidate regions.
    """
    fitted = [] if selection else ["kept_epoch", "thresholds", "temperature", "familiarity"]
    if regions:
        fitted.append("regions")
    return {
        "state": "stopped" if trained.stopped else "finished",
        "finished": time.time(),
        "epochs_done": len(trained.history["loss"]),
        "kept_epoch": trained.kept_epoch,
        "fitted_on_validation_images": fitted,
    }
