"""The list of all models and runs, as ``fracture models --json`` prints it."""

from fracture.errors import ModelError
from fracture.files import JsonObject
from fracture.registry.model_folder import model_folder, read_card, usable_models
from fracture.training.runs import queue


def list_models() -> list[JsonObject]:
    """All models and runs, the runs first."""
    runs = {run.name: run for run in queue.runs()}
    names = dict.fromkeys([*runs, *(folder.name for folder in usable_models())])
    return [_model(name, runs.get(name)) for name in names]


def _model(name: str, run: queue.Run | None) -> JsonObject:
    """One model or run; a damaged one is listed with what is wrong with it."""
    folder = model_folder(name)
    error = run.error if run else None
    labels = None
    auc = None
    try:
        if folder.usable:
            card = read_card(folder)
            labels = list(card.labels)
            auc = card.metrics["image"]["auc"]["value"]
    except ModelError as damage:
        error = str(damage)
    state = run.state if run else "finished"
    return {
        "name": name,
        "state": state,
        "error": error,
        "usable": auc is not None,
        "labels": labels,
        "auc": auc,  # by image, as earlier versions printed it
    }
