"""Which files a model's predictions belong to, added afterwards: predictions of before only name their images."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fracture.data.dataset import Dataset, fingerprint
from fracture.errors import ModelError
from fracture.files import atomic_write
from fracture.registry.model_folder import ModelFolder, read_predictions

AGREES = 0.01
"""Difference in probability between two processors, or two versions of the runtime, that says nothing."""


def record_files(folder: ModelFolder, card: dict[str, Any], data: Dataset, asked: pd.DataFrame) -> int:
    """Add the SHA-256 of their files to predictions that have none, where the model has been asked about them again.

    Args:
        folder: of the model.
        card: the model's.
        data: the data set, with the labels and decisions with which the model was asked.
        asked: its images with ``sha256``, "" where a file could not be hashed, and ``probability``.

    Returns:
        How many predictions got one.

    Raises:
        ModelError: the predictions are missing or damaged, or these are other images of the same names: then nothing
            is written.
    """
    recorded = read_predictions(folder)
    # In a data set that was joined to another, images have its name before theirs.
    for named in (asked, asked.assign(image_id=data.name + "/" + asked["image_id"])):
        now = recorded[["image_id"]].merge(named, "left", "image_id")
        again = (recorded["sha256"] == "") & (now["sha256"].fillna("") != "")
        if not again.any():
            continue
        apart = np.abs(recorded["probability"] - now["probability"])[again] > AGREES + _served_difference(card)
        if apart.any() or not _validated_on(card, data, named):
            raise ModelError(
                f"These are not the images that model {folder.name!r} was validated on, though {again.sum():,} have "
                f"their names, or decisions about them are others now: {folder.predictions.name} is left as it is."
            )
        _write(folder, recorded["sha256"].mask(again, now["sha256"]))
        return int(again.sum())
    return 0


def _validated_on(card: dict[str, Any], data: Dataset, named: pd.DataFrame) -> bool:
    """Whether names, labels and sizes of all files are those that the card counted; older cards did so of all data."""
    told = card.get("data", {})
    counted = {*told.get("validated_on", {}).values(), told.get("fingerprint")}
    valid = replace(data, table=named[named["split"] == "valid"])
    return fingerprint(valid) in counted or fingerprint(data) in counted


def _served_difference(card: dict[str, Any]) -> float:
    """How far the served graph may be from the network by which the predictions were made."""
    return float(card.get("served", {}).get("largest_probability_difference", 0.0))


def _write(folder: ModelFolder, sha256: "pd.Series[str]") -> None:
    """All else stays as it stands there, to the last digit."""
    table = pd.read_csv(folder.predictions, dtype=str, keep_default_na=False).assign(sha256=sha256)
    atomic_write(folder.predictions, lambda part: table.to_csv(part, index=False))
