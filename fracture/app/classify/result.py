"""A model's predictions for studies: probability, threshold, heat maps, and on request the truth."""

import zlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.classify.keeping import offer_report
from fracture.app.classify.meaning import describe_meaning
from fracture.app.classify.similar import show_similar_images
from fracture.app.classify.unusual import describe_unlike, offer_changes, warn_of_unusual
from fracture.app.classify.viewing import offer_viewer
from fracture.app.shared.heatmap_overlay import (
    Place,
    full_heat,
    heated,
    likeliest,
    marked_regions,
)
from fracture.app.shared.images import show_picture, show_verdict_bar
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.files import JsonObject
from fracture.formatting import format_threshold
from fracture.inference import report
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import DOUBT, STATUS_SENTENCES, Answer, Status
from fracture.inference.unusual import Explanation, explain
from fracture.phantoms.truth import Truth
from fracture.registry.model_folder import ModelFolder

_BADGES: dict[str, tuple[Literal["orange", "blue", "gray"], str]] = {
    "positive": ("orange", ":material/radiology:"),
    "negative": ("blue", ":material/radiology:"),
    DOUBT: ("gray", ":material/question_mark:"),
}

_STATUS_WORDS = {Status.UNLIKE: "unlike the training images", Status.NO_RADIOGRAPH: "no X-ray"}

Truths = dict[str, Truth]
"""The truth by the name of the view; empty where it is not known or hidden."""


def show_answers(
    classifier: Classifier,
    folder: ModelFolder,
    studies: dict[str, list[Examined]],
    uploaded: Mapping[str, int],
    truths: Truths,
    *,
    suffix: str = "",
) -> list[JsonObject]:
    """A model's answer for each study by its name; all of them as rows of a file.

    ``uploaded``: of how many views each study is; some of them may not have been readable.
    ``suffix``: of the widgets' keys, where another model's answers stand on the same page.
    """
    top = st.container()  # a single answer stands above the settings, so that it is seen at once
    settings = st.container()
    places = {name: st.container() for name in studies}
    answers: dict[str, Answer] = {}
    explained = {name: _explain(classifier, views) for name, views in studies.items()}
    for name, views in studies.items():
        with top if len(studies) == 1 else places[name]:
            if len(studies) > 1:
                st.markdown(f"**{escape_markdown(views[0].view.name)}**")
            answers[name] = _ask(classifier, views, explained[name], f"{name}{suffix}")
            _show_answer(answers[name], uploaded[name])
            warn_of_unusual(answers[name], explained[name])
            offer_changes(views, f"{name}{suffix}")
    with settings:
        opacity = _choose_opacity(suffix) if any(answer.answered for answer in answers.values()) else 0.0
    lines: list[JsonObject] = []
    for name, views in studies.items():
        with places[name]:
            _show_views(classifier, answers[name], views, opacity, truths, study=f"{name}{suffix}")
            offer_report(classifier, answers[name], views, f"{name}{suffix}")
        lines += report.rows(name, answers[name], classifier.name, explained[name])
    show_similar_images(classifier, [each for views in studies.values() for each in views], suffix)
    learn_more(f"meaning{suffix}", describe_meaning(classifier, folder))
    return lines


def _choose_opacity(suffix: str) -> float:
    opacity: float = st.slider("Heat map opacity", 0.0, 1.0, 0.4, 0.05, key=f"opacity{suffix}", persist_state="session")
    return opacity


def _ask(classifier: Classifier, views: list[Examined], explained: list[Explanation], study: str) -> Answer:
    """The answer for a study; for one that is unlike the training images, why, and an answer only on request."""
    seen = [each.view for each in views]
    answer = classifier.answer(seen)
    if answer.status is not Status.UNLIKE:
        return answer
    st.warning(describe_unlike(classifier, explained), icon=":material/help:")
    # By what the model sees, too: the next upload is study 1 again.
    key = f"answer unlike {zlib.crc32(np.stack([view.embedding for view in seen]).tobytes())} {study}"
    wanted = st.toggle(
        "Answer anyway",
        key=key,
        help="The answer is outside of what the model was validated on: its probabilities and rates don't hold there.",
    )
    return classifier.answer(seen, answer_unlike=wanted)


def _explain(classifier: Classifier, views: list[Examined]) -> list[Explanation]:
    """What is unusual about the views."""
    return [explain(each.view, classifier.ood_detector, each.pixels) for each in views]


def _show_answer(answer: Answer, uploaded: int) -> None:
    """The outcome, the probability, and the limits between outcomes."""
    if answer.status is Status.NO_RADIOGRAPH:
        st.warning(STATUS_SENTENCES[Status.NO_RADIOGRAPH], icon=":material/hide_image:")
    if not answer.answered:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.metric(f"Probability of {answer.labels[1]}", f"{answer.probability:.1%}", width=260)
        color, icon = _BADGES[answer.outcome]
        with st.container(width=360):
            st.badge(_word(answer.label), color=color, icon=icon)
            show_verdict_bar(answer)
        if answer.status is Status.UNLIKE:
            st.badge("not validated for such images", color="red", icon=":material/warning:")
        st.markdown(f"{_basis(answer, uploaded)}{_reason(answer)}")


def _word(label: str) -> str:
    """An outcome in words."""
    return "in doubt" if label == DOUBT else label


def _basis(answer: Answer, uploaded: int) -> str:
    """How many views the answer is the mean of; empty for one upload."""
    if uploaded == 1:
        return ""
    counted = len(answer.counted)
    readable = len(answer.views)
    basis = f"From {counted} of {uploaded} views. "
    if readable == uploaded:
        basis = f"Mean of {counted} views. "
    if counted < readable:
        basis += f"{readable - counted} left out: unlike the training images, or no X-ray. "
    return basis


def _reason(answer: Answer) -> str:
    """On which side of the limits the probability lies."""
    low, high = (format_threshold(limit) for limit in answer.limits)
    if answer.outcome == DOUBT:
        return f"Between {low} and {high} the model does not decide."
    if answer.outcome == "positive":
        return f"From {high} the answer is *{answer.labels[1]}*."
    return f"Below {low} the answer is *{answer.labels[0]}*."


def _show_views(
    classifier: Classifier,
    answer: Answer,
    examined: list[Examined],
    opacity: float,
    truths: Truths,
    *,
    study: str,
) -> None:
    """Each view with its heat map, all on one scale, and its truth where that is revealed.

    ``study``: a part of the widgets' keys.
    """
    scale = full_heat(classifier, examined)
    with st.grid(2):
        for number, each in enumerate(examined):
            with st.container():
                shown = opacity if answer.answers(each.view) else 0.0  # without an answer there is nothing to explain
                marked = _is_marked(answer, each, shown)
                regions = marked_regions(classifier, each)
                ring = likeliest(classifier, each) if marked and regions is None else None
                picture = heated(classifier, each, shown, scale, ring)
                if marked and regions:
                    picture = charts.boxed(picture, regions)
                truth = truths.get(each.view.name)
                _show_view(answer, each, picture, truth)
                if marked and (marks := _describe_marks(answer, ring, regions)):
                    st.caption(marks)
                if truth:
                    st.markdown(f"**Truth:** {truth.words}.")
                offer_viewer(each, f"{study} {number}")


def _is_marked(answer: Answer, each: Examined, opacity: float) -> bool:
    """Whether places are marked in a view: it is not negative, and its heat map is visible."""
    return opacity > 0 and answer.label_of(each.view) != answer.labels[0]


def _describe_marks(answer: Answer, ring: Place | None, regions: list[charts.LabeledBox] | None) -> str:
    """The ring or the boxes of a view in words; empty where it has none."""
    positive = escape_markdown(answer.labels[1])
    if ring:
        return f"The ring marks the likeliest place: {positive} {ring.probability:.0%}."
    if regions is None:
        return ""
    if not regions:
        return "No candidate region reaches the high-sensitivity threshold of places."
    solid = ", ".join(region.text for region in regions if not region.dashed)
    dashed = ", ".join(region.text for region in regions if region.dashed)
    kinds = [f"{name} {texts}" for name, texts in (("solid", solid), ("dashed", dashed)) if texts]
    return f"Candidate regions, with the probability that each is *{positive}*: {'; '.join(kinds)}."


def _show_view(answer: Answer, each: Examined, picture: Image.Image, truth: Truth | None) -> None:
    """One view with its probabilities; ``truth``: with the true boxes."""
    positive = escape_markdown(answer.labels[1])
    outcome = _STATUS_WORDS.get(each.view.status, "")
    if answer.answers(each.view):
        outcome = f"{answer.labels[1]} {each.view.probability:.1%}"
    caption = f"{escape_markdown(each.view.name)} · {outcome}"
    if each.synthetic and not each.view.name.startswith("synthetic"):
        caption += " · synthetic"
    if truth:
        picture = charts.outlined(picture, truth.boxes)
    show_picture(picture, f"{caption}, with its heat map", caption)
    if answer.answers(each.view):
        straight, *others = each.view.by_side
        # Of a clearly negative view the mirror image is not run.
        mirrored = "".join(f", mirrored {other:.1%}" for other in others)
        label = escape_markdown(_word(answer.label_of(each.view)))
        st.caption(f"{positive}: {straight:.1%}{mirrored}. Answer for this view: {label}.")
    if each.steps:
        st.caption(f"Read from {each.format}: {', '.join(each.steps)}.")
