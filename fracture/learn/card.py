"""What a model's card says: everything needed to use the model and to judge it."""

import importlib.metadata
import time
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from fracture.classify.store import CARD_SCHEMA
from fracture.data.dataset import Dataset, counts, fingerprint
from fracture.learn.config import TrainConfig
from fracture.learn.weights import Weights

if TYPE_CHECKING:
    from fracture.learn.training import Fit

LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "pillow", "pydicom", "scikit-learn")
"""Those whose versions can change a model's answers."""


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
        "config": config.to_json(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def describe_data(
    dataset: Dataset, *, training: NDArray[Any], validation: NDArray[Any], readable: NDArray[Any]
) -> dict[str, Any]:
    """The data that the model has seen; the arrays (N,) say which rows of the table were used for what."""
    return {
        "name": dataset.name,
        "layout": dataset.layout,
        "synthetic": dataset.synthetic,
        "fingerprint": fingerprint(dataset),
        "training_images": int(training.sum()),
        "validation_images": int(validation.sum()),
        "unreadable": dataset.table.loc[~readable, "image_id"].tolist(),
        "counts": counts(dataset.table).to_dict(orient="records"),
    }


def describe_training(config: TrainConfig, trained: "Fit") -> dict[str, Any]:
    """How the training went, and what was chosen on which data."""
    epochs_done = len(trained.history["loss"])
    return {
        "state": "stopped" if epochs_done < config.epochs else "finished",
        "finished": time.time(),
        "epochs_done": epochs_done,
        "kept_epoch": trained.kept_epoch,
        "thresholds_fitted_on": "validation images",
        "kept_epoch_chosen_on": "validation images",
        "temperature": None,  # probabilities are as the network gives them, not calibrated
    }
