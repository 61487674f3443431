"""Which model answers where nobody has chosen one, and how a list of models tells them apart."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fracture.errors import ModelError
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.registry.validation import validation_results

RULE = "the model that comes with the project; without it, the newest one whose run finished"
"""The default model, in words."""


class _Summary(NamedTuple):
    state: str
    """``finished`` or ``stopped``, as its training was, or ``damaged``, as its card is."""
    auc: float | None
    data: str
    """The name of the data set that it was validated on."""


def by_preference(models: Iterable[ModelFolder]) -> list[ModelFolder]:
    """The models, the first of which answers where nobody has chosen one; see :data:`RULE`.

    ``models``: the newest first. Those of stopped trainings come last: a try of one epoch answers for nobody else.
    """
    return sorted(models, key=lambda folder: (not folder.bundled, _summary(folder).state != "finished"))


def why_default(folder: ModelFolder) -> str:
    """The reason for which this model is the default, to follow its name and a colon."""
    if folder.bundled:
        return "it comes with the project"
    if _summary(folder).state == "finished":
        return "the newest one whose run finished"
    return "no run has finished"


def describe(folder: ModelFolder) -> str:
    """A model's name, its validation AUC and on which data: ``fracatlas · AUC 0.94 on fracatlas``."""
    state = _summary(folder).state
    parts = (folder.name, auc_in_words(folder), "" if state == "finished" else state)
    return " · ".join(part for part in parts if part)


def auc_in_words(folder: ModelFolder) -> str:
    """A model's validation AUC and on which data; empty where its card says none."""
    found = _summary(folder)
    return "" if found.auc is None else f"AUC {found.auc:.2f} on {found.data}"


def _summary(folder: ModelFolder) -> _Summary:
    return _read_summary(str(folder.path), folder.version)


@lru_cache(maxsize=256)
def _read_summary(path: str, version: str) -> _Summary:  # noqa: ARG001  part of the key
    try:
        card = read_card(ModelFolder(Path(path)))
    except ModelError:
        return _Summary("damaged", None, "")
    first = validation_results(card)[0]
    return _Summary(card.get("state", "finished"), first.metrics["image"]["auc"]["value"], first.data)
