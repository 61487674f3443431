"""Which of the models that were asked answers for each study, and why."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

import streamlit as st

from fracture.app.classify.keeping import offer_csv
from fracture.app.classify.result import Presentation, Stage, Study, make_stage, show_answers
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.files import JsonObject
from fracture.inference.automatic import Match, choose_models, match_model
from fracture.inference.classifier import Classifier
from fracture.inference.domain import Domain
from fracture.registry.model_folder import ModelFolder

ByModel = Mapping[str, list[Examined]]
"""The views of one study, by the name of the model that examined them."""


class Asked(NamedTuple):
    """A model that was asked."""

    folder: ModelFolder
    classifier: Classifier


def show_best_answers(
    asked: Sequence[Asked],
    studies: Mapping[str, ByModel],
    uploaded: Mapping[str, int],
    presentation: Presentation,
    stage: Stage,
) -> None:
    """For each study by its name the answer of the model that knows it best, or of two; all of them as a file.

    ``uploaded``: of how many views each study is; some of them may not have been readable.
    ``stage``: where the first of them is shown; the others follow it.
    """
    shares: dict[str, list[Study]] = {}  # by the name of the model that answers
    why = ""
    for name, by_model in studies.items():
        matches = _match_all(asked, by_model)
        chosen = choose_models(matches)
        if len(asked) > 1 and len(studies) == 1 and chosen[0].radiograph:
            why = _explain(chosen, matches)
        for match in chosen:
            study = Study(name, by_model[match.model.name], uploaded[name], titled=len(studies) > 1)
            shares.setdefault(match.model.name, []).append(study)
    with stage.reasons:
        if why:
            st.caption(why)
    models = {each.classifier.name: each for each in asked}
    free = [stage]
    lines: list[JsonObject] = []
    for name, its_studies in shares.items():
        suffix = f" {name}" if len(shares) > 1 else ""  # the same widgets are drawn for each model
        staged = [(study, free.pop() if free else make_stage(f"{study.name}{suffix}")) for study in its_studies]
        answering = models[name]
        lines += show_answers(answering.classifier, answering.folder, staged, presentation, suffix=suffix)
    if lines:
        with stage.reasons if len(studies) == len(shares) == 1 else st.container():
            offer_csv(lines)


def _match_all(asked: Sequence[Asked], by_model: ByModel) -> list[Match]:
    return [
        match_model(each.classifier, [examined.seen for examined in by_model[each.classifier.name]]) for each in asked
    ]


def _explain(chosen: Sequence[Match], matches: Sequence[Match]) -> str:
    """Which model answers for a study, and why, with the figures that decide."""
    distances = ", ".join(f"{escape_markdown(each.model.name)} {_format_closeness(each)}" for each in matches)
    figures = f"Distance from the training images, as a share of each model's limit: {distances}."
    if len(chosen) > 1:
        return f"Two models know this X-ray about equally well: both answer, each in its own words. {figures}"
    name = escape_markdown(chosen[0].model.name)
    if not chosen[0].known:
        return f"No model knows this X-ray; **{name}** comes closest. {figures}"
    closer = [each for each in matches if each.domain is Domain.FOREIGN and each.closeness < chosen[0].closeness]
    if closer:
        others = " and ".join(escape_markdown(each.model.name) for each in closer)
        return f"**{name}** answers: {others} recognizes this X-ray as one of other body parts than its own. {figures}"
    return f"**{name}** knows this X-ray best. {figures}"


def _format_closeness(match: Match) -> str:
    return f"{match.closeness:.2f}" if isfinite(match.closeness) else "not known"
