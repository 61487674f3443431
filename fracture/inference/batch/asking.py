"""Which models a request asks, and its answers as the document that ``fracture classify --json`` prints."""

from collections.abc import Callable, Sequence

from fracture.errors import ModelError
from fracture.files import JsonObject
from fracture.inference.automatic import MAX_ALSO_ASKED
from fracture.inference.batch.answering import AskedModel, ask
from fracture.inference.classifier import Classifier
from fracture.registry.adjustments import Adjustments, find_adjustments
from fracture.registry.default_model import by_preference, describe_model, why_default
from fracture.registry.model_folder import ModelFolder, model_folder, read_card, shipped_models, usable_models

AUTOMATIC = "automatic"
"""In the place of a model's name: the one that knows an image best, of those that come with the project."""

Say = Callable[[str], object]
"""Takes a sentence for people."""


def models_to_ask(
    name: str | None,
    also_asked: Sequence[str] = (),
    *,
    unadjusted: bool = False,
    on_problem: Say = id,
    on_default: Say = id,
) -> list[AskedModel]:
    """The model that was named; else all that come with the project and those to ask, too: the best match answers.

    Args:
        name: of a model; None and :data:`AUTOMATIC` name none.
        also_asked: names of further models.
        unadjusted: whether the models answer as their cards say.
        on_problem: called where adjustments can't be used; the model answers without them.
        on_default: called with the model that is used where none is named and none comes with the project.

    Raises:
        ModelError: a model is missing or damaged, or there are too many.
    """
    if len(also_asked) > MAX_ALSO_ASKED:
        raise ModelError(f"--also-ask takes at most {MAX_ALSO_ASKED} models. Received: {', '.join(also_asked)}.")
    if name not in (None, AUTOMATIC):
        if also_asked:
            raise ModelError(f"--also-ask adds models to {AUTOMATIC!r}. Received: --model {name}; leave one out.")
        return [_ask(model_folder(str(name)), unadjusted, on_problem)]
    shipped = shipped_models()
    if len(shipped) > 1 or also_asked:
        folders = dict.fromkeys([*shipped, *(model_folder(each) for each in also_asked)])
        return [_ask(folder, unadjusted, on_problem, shipped=folder in shipped) for folder in folders]
    default = model_folder(_default_model(on_default))
    return [_ask(default, unadjusted, on_problem)]


def answers_document(models: Sequence[Classifier], rows: list[JsonObject], errors: list[str]) -> JsonObject:
    """The JSON document: a row for each view and study, and a sentence for each file without an answer."""
    runtimes = {model.name: model.runtime for model in models}
    document: JsonObject = {"results": rows, "errors": errors, "runtimes": runtimes}
    adjusted = {model.name: model.adjusted for model in models if model.adjusted}
    if adjusted:
        document["adjusted"] = adjusted
    if len(models) == 1:
        return {"model": models[0].name, "labels": list(models[0].labels), **document}
    return {"model": AUTOMATIC, "models": {model.name: list(model.labels) for model in models}, **document}


def _ask(folder: ModelFolder, unadjusted: bool, on_problem: Say, *, shipped: bool = False) -> AskedModel:
    adjustments: Adjustments | None = None
    if not unadjusted:
        card = read_card(folder)
        try:
            adjustments = find_adjustments(folder, card)
        except ModelError as error:
            on_problem(str(error))
    return ask(folder, adjustments, shipped=shipped)


def _default_model(on_default: Say) -> str:
    """The name of the model to use where none is named."""
    found = by_preference(usable_models())
    if not found:
        raise ModelError("There is no model yet. Train one: python -m fracture train --data PATH --name NAME")
    default = found[0]
    on_default(f"Using {describe_model(default)}: {why_default(default)}. Another one: --model NAME")
    return default.name
