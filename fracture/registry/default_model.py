"""The default model: the one that is used where none is chosen, and how lists of models describe each one."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fracture.errors import ModelError
from fracture.registry.model_folder import SHIPPED_MODELS, ModelFolder, read_card
from fracture.registry.validation import validation_results

RULE = "the first model that comes with the project; without any, the newest one whose run finished"
"""How the default model is chosen, in words."""


class _Summary(NamedTuple):
    state: str
    """``finished`` or ``stopped``, of its run; ``damaged`` where the card can't be read."""
    auc: float | None
    level: str
    """``study`` or ``image``, by which the AUC is."""
    data: str
    """The name of the data set that it was validated on."""
    labels: tuple[str, str]
    """Negative and positive; empty words where the card can't be read."""


def by_preference(models: Iterable[ModelFolder]) -> list[ModelFolder]:
    """The models in order of preference, the default model first; see :data:`RULE`.

    ``models``: the newest first. Models of stopped runs come last: people stop a run after an epoch to try something.
    """
    return sorted(models, key=lambda folder: (_place_among_shipped(folder), _summary(folder).state != "finished"))


def _place_among_shipped(folder: ModelFolder) -> int:
    return SHIPPED_MODELS.index(folder.name) if folder.bundled else len(SHIPPED_MODELS)


def has_labels(folder: ModelFolder, labels: tuple[str, str]) -> bool:
    """Whether a model answers with these labels, the negative one first; capital letters make no difference."""
    return [each.casefold() for each in labels_of(folder)] == [each.casefold() for each in labels]


def labels_of(folder: ModelFolder) -> tuple[str, str]:
    """The negative and the positive label of a model; empty words where its card can't be read."""
    return _summary(folder).labels


def why_default(folder: ModelFolder) -> str:
    """The reason why this is the default model; it follows its name and a colon."""
    if folder.bundled:
        return "it comes with the project"
    if _summary(folder).state == "finished":
        return "the newest one whose run finished"
    return "no run has finished"


def describe_model(folder: ModelFolder) -> str:
    """A model's name, validation AUC and data set: ``fracatlas · AUC 0.92 by image on fracatlas``."""
    state = _summary(folder).state
    parts = (folder.name, auc_in_words(folder), "" if state == "finished" else state)
    return " · ".join(part for part in parts if part)


def auc_in_words(folder: ModelFolder) -> str:
    """A model's validation AUC, by study where its card has it, and data set; empty where its card has no AUC."""
    summary = _summary(folder)
    if summary.auc is None:
        return ""
    return f"AUC {summary.auc:.2f} by {summary.level} on {summary.data}"


def _summary(folder: ModelFolder) -> _Summary:
    return _read_summary(str(folder.path), folder.version)


@lru_cache(maxsize=256)
def _read_summary(path: str, version: str) -> _Summary:  # noqa: ARG001  part of the key
    try:
        card = read_card(ModelFolder(Path(path)))
    except ModelError:
        return _Summary("damaged", None, "", "", ("", ""))
    first = validation_results(card)[0]
    auc = first.metrics[first.level]["auc"]["value"]
    return _Summary(card.state, auc, first.level, first.data, card.labels)
