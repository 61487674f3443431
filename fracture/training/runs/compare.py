"""Runs side by side: how their settings differ, and whether one model is better on the same images."""

from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fracture import paths
from fracture.documents import Document
from fracture.errors import ModelError
from fracture.estimate import Estimate
from fracture.evaluation.metrics import auc_difference
from fracture.registry.card import Card
from fracture.registry.model_folder import usable_models
from fracture.training.config import WEIGHT_SOURCES, TrainConfig, field_title, used_in
from fracture.training.runs import queue
from fracture.training.runs.queue import Run

UNKNOWN, UNUSED = "not known", "not used"
"""For a setting that was not recorded, and for one that the run's mode does not use."""

COUNT_TITLES = {
    "training_images": "Training images",
    "validation_images": "Validation images",
    "excluded": "Left out by decision",
    "relabelled": "Given another label by decision",
    "fingerprint": "Fingerprint of the images",
}
"""What a card counts in its data, and the names for people."""

Described = dict[str, str]
"""The settings of a run by their names for people."""


def every_run() -> list[Run]:
    """All runs and all models, the newest first; models without a status and a date on their card come last."""
    found = queue.runs()
    known = {run.name for run in found}
    return found + [Run(folder, "finished", {}, 0.0) for folder in usable_models() if folder.name not in known]


def describe_run(run: Run, card: Card | None) -> Described:
    """Every setting of a run, its data and its libraries; ``card`` is None where there is none yet."""
    config = card.config if card and card.config else run.config
    described = _settings(config)
    described["Epochs done"] = _field(card, "epochs_done")
    for key, title in COUNT_TITLES.items():
        described[title] = _field(card.data if card else None, key)
    if card:
        for name, version in card.libraries.items():
            described[f"Library {name}"] = version
    return described


def _field(document: Document | None, key: str) -> str:
    value = getattr(document, key, None)
    return UNKNOWN if value is None else _text(value)


def _settings(config: Mapping[str, Any]) -> Described:
    # A card has short names: with full paths, a run and its model would seem to differ.
    shown = {
        # Earlier versions did not record it, and held out nothing.
        "selection": TrainConfig.selection,
        **config,
        "data": paths.short(str(config.get("data", UNKNOWN))),
        "also": [paths.short(str(each)) for each in config.get("also", ())],
        "weights": weights_name(config),
    }
    settings = {}
    for each in fields(TrainConfig):
        # The name differs in any two runs.
        if each.name != "name":
            settings[field_title(each.name)] = _recorded(shown, each.name) if _used(each, config) else UNUSED
    return settings


def _recorded(values: Mapping[str, Any], name: str) -> str:
    """A value as text; what earlier versions did not record is unknown."""
    return _text(values[name]) if name in values else UNKNOWN


def weights_name(config: Mapping[str, Any]) -> str:
    """A named source of weights as it is, of a file its name."""
    source = str(config.get("weights", UNKNOWN))
    return source if source in WEIGHT_SOURCES else Path(source).name


def _used(each: Field[Any], config: Mapping[str, Any]) -> bool:
    return config.get("mode") != "head" or used_in(each, "head")


def _text(value: Any) -> str:
    if value is None:
        return "as it comes"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:,g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def differing(described: Mapping[str, Described]) -> dict[str, Described]:
    """The settings that are not the same in all runs, as far as they are known: by setting, each run's value.

    Args:
        described: what :func:`describe_run` returns of each run, by the runs' names.
    """
    # A dictionary keeps the order of the settings; a set would not.
    names: dict[str, None] = {}
    for settings in described.values():
        names.update(dict.fromkeys(settings))
    rows = {}
    for name in names:
        row = {run: settings.get(name, UNKNOWN) for run, settings in described.items()}
        if len(set(row.values()) - {UNKNOWN}) > 1:
            rows[name] = row
    return rows


class Paired(NamedTuple):
    """How far apart two models are on the same images."""

    cases: int
    """Images, or studies."""
    groups: int
    """Patients, or the other groups of images that are resampled together."""
    auc: Estimate
    """The second one's AUC minus the first one's."""


def check_same_files(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Compare the files of two models' predictions, as far as they are recorded: one name may be that of two images.

    Args:
        first: ``image_id, sha256``.
        second: the same of the other model.

    Raises:
        ModelError: images of the same name were different files.
    """
    both = first.merge(second, on="image_id", suffixes=("", " of the second"))
    one = both["sha256"]
    other = both["sha256 of the second"]
    both_recorded = (one != "") & (other != "")
    differ = int((both_recorded & (one != other)).sum())
    if differ:
        raise ModelError(
            f"Only models that were asked about the same images can be paired. Received: {differ:,} of {len(both):,} "
            "images of the same name that were different files."
        )


def pair(first: pd.DataFrame, second: pd.DataFrame) -> Paired:
    """The difference in AUC of two models on the same images, with its paired 95 % interval.

    Args:
        first: ``group, label, probability`` by ``image_id``, or by ``study`` where there is no such column.
        second: the same of the other model.

    Raises:
        ModelError: they have predictions of different images, or the images had different labels.
    """
    key = "image_id" if "image_id" in first and "image_id" in second else "study"
    # The label is part of the key: AUCs by different labels can't be compared, and a decision may have changed one.
    both = first.merge(second, on=[key, "label"], suffixes=("", " of the second"))
    if not len(first) == len(second) == len(both):
        raise ModelError(
            f"Only models that were asked about the same images can be paired. Received: {len(first):,} and "
            f"{len(second):,}, of which {len(both):,} are the same with the same label."
        )
    one = both["probability"].to_numpy(np.float64)
    other = both["probability of the second"].to_numpy(np.float64)
    auc = auc_difference(both["label"].to_numpy(), one, other, both["group"])
    return Paired(len(both), both["group"].nunique(), auc)
