"""What a model makes of studies: probability, threshold, heat maps, and on request the truth."""

from typing import Literal

import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.classify.similar import show_resemblance
from fracture.app.shared import prediction_cache
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated, likeliest
from fracture.app.shared.images import show_picture
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.widgets import escape_markdown, format_percent, format_threshold
from fracture.errors import ModelError
from fracture.inference import report
from fracture.inference.classifier import Classifier
from fracture.inference.prediction import DOUBT, OUT_OF_DISTRIBUTION, Answer
from fracture.phantoms.truth import Truth
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import ValidationResult, validation_results

_SIGNS: dict[str, tuple[Literal["orange", "blue", "gray"], str]] = {
    "positive": ("orange", ":material/radiology:"),
    "negative": ("blue", ":material/radiology:"),
    DOUBT: ("gray", ":material/question_mark:"),
}

Truths = dict[str, Truth]
"""What there is to be found, by the name of the view; empty where it is not known or not asked for."""


def show_answers(
    classifier: Classifier, folder: ModelFolder, studies: dict[str, list[Examined]], uploaded: int, truths: Truths
) -> None:
    """The answer for each study by its name, and all of them as a file.

    ``uploaded``: of how many views the study is that is not in parts; some of them may not have been readable.
    """
    top = st.container()  # one answer stands above the settings, so that it is seen at once
    explained = any(each.view.known is not False for views in studies.values() for each in views)
    opacity = _choose_opacity() if explained else 0.0
    lines = []
    for name, views in studies.items():
        answer = classifier.answer([each.view for each in views])
        with top if len(studies) == 1 else st.container():
            if len(studies) > 1:
                st.markdown(f"**{escape_markdown(views[0].view.name)}**")
            _verdict(answer, uploaded)
        _pictures(classifier, answer, views, opacity, truths)
        lines += report.rows(name, answer, classifier.name)
    show_resemblance(classifier, [each for views in studies.values() for each in views])
    with st.expander("What these numbers mean", icon=":material/help:", key="meaning"):
        st.markdown(_meaning(classifier, folder))
    st.download_button(
        "Download the answers (CSV)", report.as_csv(lines), "answers.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="download answers",
    )  # fmt: skip


def _choose_opacity() -> float:
    opacity: float = st.slider("Opacity of the heat map", 0.0, 1.0, 0.4, 0.05, key="opacity", persist_state="session")
    return opacity


def _verdict(answer: Answer, uploaded: int) -> None:
    """The outcome, the probability, and what they rest on."""
    if not answer.known:
        st.warning(f"{OUT_OF_DISTRIBUTION} It is given no answer.", icon=":material/help:")
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.metric(f"Probability of {answer.labels[1]}", f"{answer.probability:.1%}", width=260)
        colour, icon = _SIGNS[answer.outcome]
        st.badge(_word(answer.label), color=colour, icon=icon)
        st.markdown(f"{_basis(answer, uploaded)}{_reason(answer)}")


def _word(label: str) -> str:
    """An outcome as it is said to people."""
    return "in doubt" if label == DOUBT else label


def _basis(answer: Answer, uploaded: int) -> str:
    """How many views it is the mean of."""
    counted, readable = len(answer.counted), len(answer.views)
    if uploaded == 1:
        return ""
    left_out = (
        f" {readable - counted} left out, since they do not look like X-rays it knows." if counted < readable else ""
    )
    return (
        (f"Mean of {counted} views." if readable == uploaded else f"From {counted} of {uploaded} views.")
        + left_out
        + " "
    )


def _reason(answer: Answer) -> str:
    """On which side of the limits the probability lies."""
    low, high = map(format_threshold, answer.limits)
    if answer.outcome == DOUBT:
        return f"Between {low} and {high} the model does not decide."
    if answer.outcome == "positive":
        return f"From {high} on it says *{answer.labels[1]}*."
    return f"Below {low} it says *{answer.labels[0]}*."


def _meaning(classifier: Classifier, folder: ModelFolder) -> str:
    """What the limits were worth on the validation images, and what the heat map is."""
    positive = classifier.labels[1]
    heat = heat_in_words(classifier) + (
        " The model has learned that from boxes; its answer rests on the likeliest place and on the image as a whole."
        if classifier.shows_places
        else " It is the class-activation map: its mean, plus a constant, is the model's log-odds before calibration. "
        "It shows a region, not an outline."
    )
    return (
        f"{_limits_in_words(classifier, folder)}\n"
        "- The probability is calibrated on the validation images, for a share of *"
        f"{positive}* as among them; where it is rarer, it is too high.\n"
        f"- Each image is looked at as it is and mirrored; the two probabilities stand below it.\n- {heat}"
    )


def _limits_in_words(classifier: Classifier, folder: ModelFolder) -> str:
    """What each limit, or the only one, was worth on the validation images."""
    low, high = classifier.limits
    positive = classifier.labels[1]
    judged = validation_results(classifier.card)[0]
    where = f"on the validation images of *{escape_markdown(judged.data)}*, each by itself,"
    if not classifier.limits.leave_doubt:
        return (
            f"- From {format_threshold(high)} on it says *{positive}*, and below *{classifier.labels[0]}*: "
            f"{where} {_worth(folder, judged, high)}"
        )
    return (
        f"- From {format_threshold(low)} on *{positive}* is not ruled out: {where} {_worth(folder, judged, low)}\n"
        f"- From {format_threshold(high)} on it says *{positive}*: {_worth(folder, judged, high)}"
    )


def _worth(folder: ModelFolder, judged: ValidationResult, threshold: float) -> str:
    """What a threshold meant on the validation images that it was chosen on."""
    try:
        measured = prediction_cache.operating_point(folder, "image", threshold, judged.only)
    except ModelError as error:
        return f"what that is worth is not known: {escape_markdown(str(error))}"
    return (
        f"sensitivity {format_percent(measured['sensitivity'])}, specificity {format_percent(measured['specificity'])}."
    )


def _pictures(classifier: Classifier, answer: Answer, examined: list[Examined], opacity: float, truths: Truths) -> None:
    """Each view with its heat map over it, all on one scale, and what is known to be there."""
    full = full_heat(classifier, examined)
    with st.grid(2):
        for each in examined:
            with st.container():
                shown = opacity if each.view.known is not False else 0.0  # it has no answer to explain
                suspected = shown > 0 and answer.label_of(each.view) != answer.labels[0]
                ring = likeliest(classifier, each) if suspected else None
                _picture(answer, each, heated(classifier, each, shown, full, ring), truths)
                if ring:
                    st.caption(
                        f"The ring is around the likeliest place: {escape_markdown(answer.labels[1])} "
                        f"{ring.probability:.0%}."
                    )
                if truth := truths.get(each.view.name):
                    st.markdown(f"**Truth:** {truth.words}.")


def _picture(answer: Answer, each: Examined, picture: Image.Image, truths: Truths) -> None:
    """One view with what is said of it, by the model and by those who know."""
    made = "" if not each.synthetic or each.view.name.startswith("synthetic") else " · synthetic"
    known = each.view.known is not False
    says = f"{answer.labels[1]} {each.view.probability:.1%}" if known else "not an X-ray that the model knows"
    words = f"{escape_markdown(each.view.name)} · {says}{made}"
    truth = truths.get(each.view.name)
    shown = charts.outlined(picture, truth.boxes) if truth else picture
    show_picture(shown, f"{words}, with its heat map", words)
    if known:
        straight, mirrored = each.view.by_side
        positive, said = escape_markdown(answer.labels[1]), escape_markdown(_word(answer.label_of(each.view)))
        st.caption(f"{positive} {straight:.1%} as it is, {mirrored:.1%} mirrored; the model says: {said}.")
    if each.steps:
        st.caption(f"Read from {each.format}: {', '.join(each.steps)}.")
