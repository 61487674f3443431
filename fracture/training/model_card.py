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
from fracture.files import JsonObject
from fracture.paths import short
from fracture.registry.model_folder import CARD_SCHEMA
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Fit
from fracture.training.weights import Weights

KERAS = ("tensorflow", "keras")

LIBRARIES = ("ai-edge-litert", "numpy", "pillow", "pydicom", "scikit-learn")
"""Their versions can change a model's predictions; those of :data:`KERAS` as well, where it trained."""


def describe_model(config: TrainConfig, dataset: Dataset, weights: Weights) -> JsonObject:
    """The labels, the input, the weights and the configuration."""
    return {
        "schema": CARD_SCHEMA,
        "name": config.name,
        "labels": list(dataset.label_names),
        "body_part": config.body_part,
        "input": {"size": config.image_size, "fit": config.fit, "pixel_range": list(weights.input_range)},
        "backbone": "InceptionV3",
        "weights": {name: getattr(weights, name) for name in ("source", "origin", "licence", "sha256")},
        "config": {
            **config.to_json(),
            "data": short(config.data),
            "also": [short(each) for each in config.also],
            "weights": weights.source,
        },
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


def describe_data(dataset: Dataset, *, readable: NDArray[np.bool_]) -> JsonObject:
    """The data set, its sources and its counts; ``readable`` (N,): the rows of the table that could be used."""
    used = dataset.table[readable]
    valid = used[used["split"] == "valid"]
    sizes = used.groupby(["data", "split"]).size().unstack(fill_value=0)
    return {
        "name": dataset.name,
        "layout": dataset.layout,
        "synthetic": dataset.synthetic,
        "sources": [asdict(source) for source in dataset.sources],
        "fingerprint": fingerprint(dataset),
        "validated_on": {str(name): _fingerprint_of(dataset, rows) for name, rows in valid.groupby("data")},
        "training_images": int((used["split"] == "train").sum()),
        "validation_images": int((used["split"] == "valid").sum()),
        "by_data": {str(name): {str(split): int(n) for split, n in row.items()} for name, row in sizes.iterrows()},
        "excluded": dataset.excluded,
        "relabelled": dataset.relabelled,
        "unreadable": dataset.table.loc[~readable, "image_id"].tolist(),
        "counts": counts(dataset.table).to_dict(orient="records"),
    }


def _fingerprint_of(dataset: Dataset, rows: pd.DataFrame) -> str:
    return fingerprint(replace(dataset, table=rows))


def describe_training(trained: Fit) -> JsonObject:
    """How the run ended, and what was fitted on the validation images."""
    return {
        "state": "stopped" if trained.stopped else "finished",
        "finished": time.time(),
        "epochs_done": len(trained.history["loss"]),
        "kept_epoch": trained.kept_epoch,
        "fitted_on_validation_images": ["kept_epoch", "thresholds", "temperature", "familiarity"],
    }
