"""A model's answers for studies: each with its pictures on the left and the outcome with its reasons on the right."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fracture.app.classify.keeping import offer_report
from fracture.app.classify.meaning import describe_meaning
from fracture.app.classify.pictures import (
    HEIGHT_PX,
    PRESENTED_HEIGHT_PX,
    HeatControls,
    Shown,
    Truths,
    describe_view,
    show_view,
)
from fracture.app.classify.quiz.guess import Finding, is_shown, note_seen, show_guess, show_hidden
from fracture.app.classify.similar import show_similar_images
from fracture.app.classify.unusual import offer_changes, warn_of_unusual
from fracture.app.classify.verdict import ask, identify, show_answer
from fracture.app.classify.viewing import offer_viewer
from fracture.app.shared.frame import presenting
from fracture.app.shared.heatmap_overlay import full_heat
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.files import JsonObject
from fracture.inference import report
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import Answer
from fracture.inference.unusual import Explanation, explain
from fracture.registry.model_folder import ModelFolder


class Stage(NamedTuple):
    """Where an answer is drawn: the parts of two columns, from the top down."""

    picture: DeltaGenerator
    tools: DeltaGenerator
    verdict: DeltaGenerator
    controls: DeltaGenerator
    reasons: DeltaGenerator


def make_stage(place: str = "") -> Stage:
    """An empty stage. ``place``: a part of its containers' keys; empty for the first one on the page."""
    left, right = st.columns([3, 2], gap="medium")
    suffix = f" {place}" if place else ""
    return Stage(
        left.container(key=f"classify_image{suffix}"),
        left.container(horizontal=True, vertical_alignment="center"),
        right.container(key=f"classify_verdict{suffix}"),
        right.container(horizontal=True, vertical_alignment="center"),
        right.container(),
    )


class Study(NamedTuple):
    """A study to be answered for."""

    name: str
    """Of the study in a file of answers."""
    views: list[Examined]
    uploaded: int
    """Of how many views it is; some of them may not have been readable."""
    titled: bool
    """There are others on the page, so that it is named."""


class Presentation(NamedTuple):
    """How all answers of a page are shown."""

    heat: HeatControls
    truths: Truths
    guessing: bool = False
    """The answers are hidden until they are guessed or asked for, one by one."""
    finding: Finding | None = None
    """What is really in the study; None where it is not known."""
    sample: str = ""
    """The sample that is shown; empty for uploads."""


def show_answers(
    classifier: Classifier,
    folder: ModelFolder,
    studies: Sequence[tuple[Study, Stage]],
    presentation: Presentation,
    *,
    suffix: str = "",
) -> list[JsonObject]:
    """A model's answer for each study on its stage; all of them as rows of a file.

    ``suffix``: of the widgets' keys, where another model's answers stand on the same page.
    """
    lines: list[JsonObject] = []
    shown: list[Examined] = []  # the labels of similar images would tell a hidden answer
    for study, stage in studies:
        rows = _show_study(classifier, study, stage, presentation, suffix)
        if rows:
            lines += rows
            shown += study.views
    if not lines:
        return []
    # Beside a single answer there is room for what follows from it.
    place = studies[0][1].reasons if len(studies) == 1 else st.container()
    with place:
        show_similar_images(classifier, shown, suffix)
        learn_more(f"meaning{suffix}", describe_meaning(classifier, folder))
    return lines


class _Answered(NamedTuple):
    """A study with the answer of a model."""

    classifier: Classifier
    study: Study
    answer: Answer
    explained: list[Explanation]
    """What is unusual about each view."""
    hidden: bool
    """The visitor guesses first, and has not asked for this answer yet."""
    key: str
    """A part of the widgets' keys."""


def _show_study(
    classifier: Classifier, study: Study, stage: Stage, presentation: Presentation, suffix: str
) -> list[JsonObject]:
    """One study; nothing for a file while its answer is hidden."""
    key = f"{study.name}{suffix}"
    explained = [explain(each.view, classifier.ood_detector, each.pixels) for each in study.views]
    with stage.verdict:
        _name(classifier, study, by_model=bool(suffix))
        answer = ask(classifier, study.views, explained, key)
        identity = identify(classifier, study.views)
        hidden = presentation.guessing and answer.answered and not is_shown(identity)
        if presentation.truths or (answer.answered and not hidden):
            note_seen(presentation.sample)
        if hidden:
            show_hidden(answer, identity, key, presentation.finding, presentation.sample)
        else:
            show_answer(answer, study.uploaded)
            if presentation.guessing:
                show_guess(answer, identity)
    answered = _Answered(classifier, study, answer, explained, hidden, key)
    shown = _show_pictures(answered, stage, presentation)
    with stage.reasons:
        _show_reasons(answered, shown)
    return [] if hidden else report.rows(study.name, answer, classifier.name, explained)


def _name(classifier: Classifier, study: Study, *, by_model: bool) -> None:
    """The model where several answer, and the study where there are several."""
    if by_model:
        st.header(escape_markdown(classifier.name))
    if study.titled:
        st.markdown(f"**{escape_markdown(study.views[0].view.name)}**")


def _show_pictures(answered: _Answered, stage: Stage, presentation: Presentation) -> Shown:
    """A single view large, several ones in pairs; below them the controls of the heat map and the viewer."""
    classifier, study, answer, _, hidden, key = answered
    single = len(study.views) == 1
    with stage.tools:
        opacity = presentation.heat.choose() if answer.answered and not hidden else 0.0
        if single:
            offer_viewer(study.views[0], f"{key} 0")
    shown = Shown(opacity, full_heat(classifier, study.views), presentation.truths, hidden)
    with stage.picture:
        if single:
            show_view(classifier, answer, study.views[0], shown, _height())
        else:
            _show_pairs(answered, shown)
    return shown


def _show_pairs(answered: _Answered, shown: Shown) -> None:
    with st.grid(2):
        for number, each in enumerate(answered.study.views):
            with st.container():
                show_view(answered.classifier, answered.answer, each, shown, _height())
                offer_viewer(each, f"{answered.key} {number}")


def _height() -> int:
    """The most px of a picture."""
    return PRESENTED_HEIGHT_PX if presenting.is_on() else HEIGHT_PX


def _show_reasons(answered: _Answered, shown: Shown) -> None:
    """What stands behind an answer, and what can be done with it."""
    classifier, study, answer, explained, hidden, key = answered
    if not hidden:
        warn_of_unusual(answer, explained)
        offer_changes(study.views, key)
    for each in study.views:
        captions = describe_view(classifier, answer, each, shown)
        if len(study.views) > 1 and captions:
            captions.insert(0, f"**{escape_markdown(each.view.name)}**")
        for caption in captions:
            st.caption(caption)
    if not hidden:
        offer_report(classifier, answer, study.views, key)
