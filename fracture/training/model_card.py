"""What a model's card says: everything needed to use the model and to judge it."""

import importlib.metadata
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset import Dataset, counts, fingerprint
from fracture.paths import short
from fracture.registry.model_folder import CARD_SCHEMA
from fracture.training.config import TrainConfig
from fracture.training.epoch_tracker import Fit
from fracture.training.weights import Weights

KERAS = ("tensorflow", "keras")

LIBRARIES = ("ai-edge-litert", "numpy", "pillow", "pydicom", "scikit-learn")
"""Those whose versions can change a model's answers; and :data:`KERAS`, where they took part."""


def describe_model(config: TrainConfig, dataset: Dataset, weights: Weights) -> dict[str, Any]:
    """What the model says, of what, and from what it was made."""
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
    """The line that trains this model again, where the data sets are in the data home."""
    words = [
        "python -m fracture train",
        f"--data {short(config.data)}",
        *(f"--also {short(each)}" for each in config.also),
    ]
    for each in fields(config):
        value = getattr(config, each.name)
        if each.name not in ("data", "also") and value != each.default:
            shown = (
                " ".join(map(str, value))
                if isinstance(value, tuple)
                else Path(value).name
                if each.name == "weights"
                else value
            )
            words.append(f"--{each.name.replace('_', '-')} {shown}")
    return " ".join(words)


def describe_data(dataset: Dataset, *, readable: NDArray[np.bool_]) -> dict[str, Any]:
    """The data that the model has seen; ``readable`` (N,) says which rows of the table could be used."""
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


def describe_training(trained: Fit) -> dict[str, Any]:
    """How the training went, and what was chosen on which data."""
    return {
        "state": "stopped" if trained.stopped else "finished",
        "finished": time.time(),
        "epochs_done": len(trained.history["loss"]),
        "kept_epoch": trained.kept_epoch,
        "fitted_on_validation_images": ["kept_epoch", "thresholds", "temperature", "familiarity"],
    }
