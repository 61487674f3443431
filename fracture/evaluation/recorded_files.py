"""Adds to a model's predictions which files they belong to: earlier versions recorded only the names of the images."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fracture.data.dataset import Dataset, fingerprint
from fracture.errors import ModelError
from fracture.files import atomic_write
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder, read_predictions

MAX_DIFFERENCE = 0.01
"""The difference in probability that another processor, or another version of the runtime, can make."""


def record_files(folder: ModelFolder, card: Card, data: Dataset, predictions: pd.DataFrame) -> int:
    """Add the SHA-256 of their files to the recorded predictions that have none, after the model has run again.

    Args:
        folder: the model's.
        card: the model's.
        data: the data set, with the labels and decisions with which the model was run.
        predictions: for its images, with ``probability`` and ``sha256``, "" where a file could not be hashed.

    Returns:
        How many recorded predictions got a hash.

    Raises:
        ModelError: the recorded predictions are missing or damaged, or these are other images of the same names: then
            nothing is written.
    """
    recorded = read_predictions(folder)
    allowed = MAX_DIFFERENCE
    if card.served:
        # The recorded predictions are the network's, these are the served graph's.
        allowed += card.served.largest_probability_difference
    # In combined data sets, the name of the data set stands before the names of the images.
    prefixed = predictions.assign(image_id=data.name + "/" + predictions["image_id"])
    for named in (predictions, prefixed):
        now = recorded[["image_id"]].merge(named, "left", "image_id")
        added = (recorded["sha256"] == "") & (now["sha256"].fillna("") != "")
        if not added.any():
            continue
        difference = np.abs(recorded["probability"] - now["probability"])[added]
        if (difference > allowed).any() or not _validated_on(card, data, named):
            raise ModelError(
                f"These are not the images that model {folder.name!r} was validated on, though {added.sum():,} have "
                f"their names, or decisions about them have changed: {folder.predictions.name} is left as it is."
            )
        _write(folder, recorded["sha256"].mask(added, now["sha256"]))
        return int(added.sum())
    return 0


def _validated_on(card: Card, data: Dataset, named: pd.DataFrame) -> bool:
    """Whether the card has the fingerprint of these validation images or, as earlier versions did, of all images."""
    if card.data is None:
        return False
    recorded = {*(card.data.validated_on or {}).values(), card.data.fingerprint}
    validation = replace(data, table=named[named["split"] == "valid"])
    return fingerprint(validation) in recorded or fingerprint(data) in recorded


def _write(folder: ModelFolder, sha256: "pd.Series[str]") -> None:
    """Everything else is copied as text, to keep each number to its last digit."""
    recorded = pd.read_csv(folder.predictions, dtype=str, keep_default_na=False)
    completed = recorded.assign(sha256=sha256)
    atomic_write(folder.predictions, lambda part: completed.to_csv(part, index=False))
