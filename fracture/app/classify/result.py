"""A model's predictions for studies: probability, threshold, heat maps, and on request the truth."""

import zlib
from collections import Counter
from typing import Literal

import numpy as np
import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.classify.similar import show_similar_images
from fracture.app.classify.viewing import offer_viewer
from fracture.app.shared import prediction_cache
from fracture.app.shared.heatmap_overlay import (
    Place,
    full_heat,
    heat_in_words,
    heated,
    likeliest,
    marked_regions,
)
from fracture.app.shared.images import show_picture
from fracture.app.shared.metrics import chosen_on
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, format_threshold, learn_more
from fracture.errors import ModelError
from fracture.estimate import format_number, format_percent
from fracture.files import JsonObject
from fracture.inference import report
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import DOUBT, STATUS_SENTENCES, Answer, Status
from fracture.inference.unusual import Explanation, explain
from fracture.phantoms.truth import Truth
from fracture.registry.adjustments import Recalibration
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import OperatingPoint, ValidationResult, validation_results

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
    uploaded: int,
    truths: Truths,
    *,
    suffix: str = "",
) -> list[JsonObject]:
    """A model's answer for each study by its name; all of them as rows of a file.

    ``uploaded``: of how many views the study is that is not in parts; some of them may not have been readable.
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
            _show_answer(answers[name], uploaded)
            _warn_of_unusual(answers[name], explained[name])
    with settings:
        opacity = _choose_opacity(suffix) if any(answer.answered for answer in answers.values()) else 0.0
    lines: list[JsonObject] = []
    for name, views in studies.items():
        with places[name]:
            _show_views(classifier, answers[name], views, opacity, truths, study=f"{name}{suffix}")
        lines += report.rows(name, answers[name], classifier.name, explained[name])
    show_similar_images(classifier, [each for views in studies.values() for each in views], suffix)
    learn_more(f"meaning{suffix}", _meaning(classifier, folder))
    return lines


def offer_csv(lines: list[JsonObject]) -> None:
    """A button that downloads the answers of all models."""
    st.download_button(
        "Download answers (CSV)",
        report.as_csv(lines),
        "answers.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download answers",
    )


def _choose_opacity(suffix: str) -> float:
    opacity: float = st.slider("Heat map opacity", 0.0, 1.0, 0.4, 0.05, key=f"opacity{suffix}", persist_state="session")
    return opacity


def _ask(classifier: Classifier, views: list[Examined], explained: list[Explanation], study: str) -> Answer:
    """The answer for a study; for one that is unlike the training images, why, and an answer only on request."""
    seen = [each.view for each in views]
    answer = classifier.answer(seen)
    if answer.status is not Status.UNLIKE:
        return answer
    st.warning(_describe_unlike(classifier, explained), icon=":material/help:")
    # By what the model sees, too: the next upload is study 1 again.
    key = f"answer unlike {zlib.crc32(np.stack([view.embedding for view in seen]).tobytes())} {study}"
    wanted = st.toggle(
        "Answer anyway",
        key=key,
        help="The answer is outside of what the model was validated on: its probabilities and rates don't hold there.",
    )
    return classifier.answer(seen, answer_unlike=wanted)


def _warn_of_unusual(answer: Answer, explained: list[Explanation]) -> None:
    """What is unusual about a study that is answered all the same; for others it stands above the answer."""
    if answer.status is not Status.ANSWERED:
        return
    unusual = dict.fromkeys(words for each in explained for words in each.unusual)
    if unusual:
        st.caption(f":material/warning: Unusual, compared with FracAtlas's X-rays: {'; '.join(unusual)}.")


def _describe_unlike(classifier: Classifier, explained: list[Explanation]) -> str:
    """That a study is unlike the training images, which of them it is nearest to, and what is unusual about it."""
    parts: Counter[str] = Counter()
    for each in explained:
        parts.update(dict(each.parts))
    unusual = dict.fromkeys(words for each in explained for words in each.unusual)
    study = Explanation(tuple(parts.most_common()), tuple(unusual))
    name = escape_markdown(classifier.name)
    sentences = [f"This X-ray is out of distribution: unlike the X-rays that {name} learned from."]
    if study.parts:
        sentences.append(f"The most similar of them show: {study.parts_in_words}.")
    if study.unusual:
        sentences.append(f"Unusual, compared with FracAtlas's X-rays: {study.unusual_in_words}.")
    return " ".join(sentences)


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
        st.badge(_word(answer.label), color=color, icon=icon)
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


def _meaning(classifier: Classifier, folder: ModelFolder) -> str:
    """The metrics of the limits on the validation images, and what the heat map shows."""
    positive = classifier.labels[1]
    heat = (
        "It is the class-activation map: its mean, plus a constant, is the model's log-odds before calibration. It "
        "shows a region, not an outline."
    )
    if classifier.shows_places:
        heat = "The model learned this from boxes; its answer uses the likeliest place and the image as a whole."
    recalibration = classifier.recalibration
    images = chosen_on(classifier.card) if recalibration is None else f"*{escape_markdown(recalibration.data)}*"
    settled = ", which is left out where the image is clearly negative" if classifier.card.mirrored_pass else ""
    return (
        f"{_describe_limits(classifier, folder)}\n"
        f"- The probability is calibrated on {images}, for their share of *{positive}*; where "
        f"*{positive}* is rarer, the probability is too high.\n"
        f"- The model classifies each image and its mirror image{settled}; the probabilities stand below the image.\n"
        f"{_describe_regions(classifier)}"
        f"- {heat_in_words(classifier, ring=classifier.card.regions is None)} {heat}"
    )


def _describe_limits(classifier: Classifier, folder: ModelFolder) -> str:
    """The sensitivity and specificity of each limit, or of the only one, on the images that they were chosen on."""
    low, high = classifier.limits
    recalibration = classifier.recalibration
    if recalibration is not None:
        return _describe_recalibrated_limits(classifier, recalibration)
    negative, positive = classifier.labels
    result = validation_results(classifier.card)[0]
    where = f"on each validation image of *{escape_markdown(result.data)}*,"
    if not classifier.limits.leave_doubt:
        return (
            f"- From {format_threshold(high)} the answer is *{positive}*, below it *{negative}*: {where} "
            f"{_rates(folder, result, high)}"
        )
    return (
        f"- From {format_threshold(low)} the model does not exclude *{positive}*: {where} "
        f"{_rates(folder, result, low)}\n"
        f"- From {format_threshold(high)} the answer is *{positive}*: {_rates(folder, result, high)}"
    )


def _describe_recalibrated_limits(classifier: Classifier, recalibration: Recalibration) -> str:
    """The same for refitted limits: of images that were held out when those that judge them were fitted."""
    low, high = classifier.limits
    positive = classifier.labels[1]
    points = recalibration.after["image"]["points"]
    where = f"on images of *{escape_markdown(recalibration.data)}* that were held out from fitting,"
    if not classifier.limits.leave_doubt:
        rates = _format_rates(points["balanced"])
        return f"- From {format_threshold(high)} the answer is *{positive}*, below it not: {where} {rates}"
    return (
        f"- From {format_threshold(low)} the model does not exclude *{positive}*: {where} "
        f"{_format_rates(points['high_sensitivity'])}\n"
        f"- From {format_threshold(high)} the answer is *{positive}*: {_format_rates(points['high_specificity'])}"
    )


def _format_rates(point: OperatingPoint) -> str:
    sensitivity = format_percent(point["sensitivity"])
    return f"sensitivity {sensitivity}, specificity {format_percent(point['specificity'])}."


def _rates(folder: ModelFolder, result: ValidationResult, threshold: float) -> str:
    """Sensitivity and specificity at a threshold, on the validation images."""
    try:
        rates = prediction_cache.operating_point(folder, "image", threshold, result.only)
    except ModelError as error:
        return f"sensitivity and specificity are not known: {escape_markdown(str(error))}"
    return _format_rates(rates)


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


def _describe_regions(classifier: Classifier) -> str:
    """What the thresholds of places achieved on the validation images; empty without them."""
    recorded = classifier.card.regions
    if recorded is None:
        return ""
    sensitive = recorded.points["high_sensitivity"]
    specific = recorded.points["high_specificity"]
    return (
        "- Boxes are candidate regions. On the validation images, the solid ones find "
        f"{format_percent(specific['sensitivity'])} of the true boxes with "
        f"{format_number(specific['false_boxes'], 1)} false boxes an image, the dashed and solid ones together "
        f"{format_percent(sensitive['sensitivity'])} with {format_number(sensitive['false_boxes'], 1)}. Both "
        "thresholds were chosen on these images. A region counts as found where its center lies in the true box.\n"
    )


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
