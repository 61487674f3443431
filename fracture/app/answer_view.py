"""What a model makes of studies: probability, threshold, heat maps, and on request the truth."""

import numpy as np
import streamlit as st

from fracture import charts
from fracture.app.loads import Examined
from fracture.app.widgets import as_text, in_words
from fracture.classify import report
from fracture.classify.classifier import Answer, Classifier
from fracture.classify.store import ModelFolder, read_predictions
from fracture.data.phantom.truth import Truth
from fracture.errors import ModelError
from fracture.learn.evaluation import rates

Truths = dict[str, Truth]
"""What there is to be found, by the name of the view; empty where it is not known or not asked for."""


def show_answers(
    classifier: Classifier, folder: ModelFolder, studies: dict[str, list[Examined]], uploaded: int, truths: Truths
) -> None:
    """The answer for each study by its name, and all of them as a file.

    ``uploaded``: of how many views the study is that is not in parts; some of them may not have been readable.
    """
    top = st.container()  # one answer stands above the settings, so that it is seen at once
    threshold, opacity = _settings(classifier, folder)
    lines = []
    for name, views in studies.items():
        answer = classifier.answer([each.view for each in views], threshold)
        with top if len(studies) == 1 else st.container():
            _verdict(answer, uploaded)
        _pictures(classifier, views, opacity, truths)
        lines += report.rows(name, answer, classifier.name)
    cells = "×".join(map(str, next(iter(studies.values()))[0].view.cam.shape))
    st.caption(
        f"The heat map is the model's class-activation map: {cells} cells laid over the image and smoothed, so it "
        "shows a region, not an outline. Its cells' mean, plus a constant, is exactly the model's log-odds. "
        "Probabilities are the network's own; they are not calibrated."
    )
    st.download_button(
        "Download the answers (CSV)", report.as_csv(lines), "answers.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _worth(folder: ModelFolder, threshold: float) -> str:
    """What a threshold meant on the model's validation images."""
    try:
        measured = rates(read_predictions(folder), threshold)
    except ModelError as error:
        return f"Its sensitivity and specificity are not known: {as_text(str(error))}"
    return (
        f"At this threshold, on the model's validation images: sensitivity {in_words(measured['sensitivity'])}, "
        f"specificity {in_words(measured['specificity'])}."
    )


def _settings(classifier: Classifier, folder: ModelFolder) -> tuple[float, float]:
    """The threshold, with what it meant on the validation images, and the heat map's opacity."""
    left, right = st.columns(2)
    threshold = left.slider(
        "Threshold", 0.0, 1.0, classifier.threshold, 0.001, "percent", key=f"threshold of {folder.version}",
        help=f"From this probability on the answer is *{classifier.labels[1]}*. It starts where sensitivity plus "
        "specificity was highest on the validation images.",
    )  # fmt: skip
    left.caption(_worth(folder, threshold))
    opacity = right.slider("Opacity of the heat map", 0.0, 1.0, 0.4, 0.05, key="opacity", persist_state="session")
    right.caption(f"Orange speaks for *{classifier.labels[1]}*, blue against it.")
    return threshold, opacity


def _verdict(answer: Answer, uploaded: int) -> None:
    """The probability, the label, and what they rest on."""
    above = answer.probability >= answer.threshold
    readable = len(answer.views)
    basis = f"Mean of {readable} views. " if readable == uploaded else f"From {readable} of {uploaded} views. "
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.metric(f"Probability of {answer.labels[1]}", f"{answer.probability:.1%}", width=260)
        st.badge(answer.label, color="orange" if above else "blue", icon=":material/radiology:")
        side = "At or above" if above else "Below"
        st.markdown(f"{basis if uploaded > 1 else ''}{side} the threshold of {answer.threshold:.1%}.")


def _pictures(classifier: Classifier, examined: list[Examined], opacity: float, truths: Truths) -> None:
    """Each view with its heat map over it, all on one scale, and what is known to be there."""
    strongest = max(float(np.abs(each.view.cam).max()) for each in examined)
    with st.grid(2):
        for each in examined:
            height, width = each.pixels.shape
            heat = classifier.heat(each.view, -(-width // 4), -(-height // 4))  # so smooth a map needs no more
            made = "" if not each.synthetic or each.view.name.startswith("synthetic") else " · synthetic"
            words = f"{as_text(each.view.name)} · {classifier.labels[1]} {each.view.probability:.1%}{made}"
            with st.container():
                picture = charts.heat_overlay(each.pixels, heat, opacity, strongest)
                if truth := truths.get(each.view.name):
                    picture = charts.outlined(picture, truth.boxes)
                st.image(picture, caption=words, width="stretch", alt=f"{words}, with its heat map")
                if truth:
                    st.markdown(f"{truth.words.capitalize()}.")
                if each.steps:
                    st.caption(f"Read from {each.format}: {', '.join(each.steps)}.")
