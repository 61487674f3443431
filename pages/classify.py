"""Upload an X-ray, or all the views of one study, and see what a model makes of it."""

from typing import Any

import numpy as np
import streamlit as st

from fracture import charts
from fracture.app import loads
from fracture.app.loads import Examined
from fracture.app.widgets import as_text, choose_model, errors_in_words, in_words, no_model_hint
from fracture.classify import report
from fracture.classify.classifier import NOTICE, Answer, Classifier
from fracture.classify.store import ModelFolder, read_predictions
from fracture.errors import ModelError
from fracture.learn.evaluation import rates


def examine(uploads: list[Any], classifier: Classifier, version: str) -> list[Examined]:
    """Each upload that can be read, with what the model says of it; a sentence for each that cannot."""
    examined = []
    for upload in uploads:
        with errors_in_words():
            examined.append(loads.examined(upload.name, upload.getvalue(), classifier, version))
    return examined


def worth(folder: ModelFolder, threshold: float) -> str:
    """What a threshold meant on the model's validation images."""
    try:
        measured = rates(read_predictions(folder), threshold)
    except ModelError as error:
        return f"Its sensitivity and specificity are not known: {as_text(str(error))}"
    return (
        f"At this threshold, on the model's validation images: sensitivity {in_words(measured['sensitivity'])}, "
        f"specificity {in_words(measured['specificity'])}."
    )


def settings(classifier: Classifier, folder: ModelFolder) -> tuple[float, float]:
    """The threshold, with what it meant on the validation images, and the heat map's opacity."""
    left, right = st.columns(2)
    threshold = left.slider(
        "Threshold", 0.0, 1.0, classifier.threshold, 0.001, "percent", key=f"threshold of {folder.version}",
        help=f"From this probability on the answer is *{classifier.labels[1]}*. It starts where sensitivity plus "
        "specificity was highest on the validation images.",
    )  # fmt: skip
    left.caption(worth(folder, threshold))
    opacity = right.slider("Opacity of the heat map", 0.0, 1.0, 0.4, 0.05, key="opacity", persist_state="session")
    right.caption(f"Orange speaks for *{classifier.labels[1]}*, blue against it.")
    return threshold, opacity


def verdict(answer: Answer, uploaded: int) -> None:
    """The probability, the label, and what they rest on."""
    above = answer.probability >= answer.threshold
    readable = len(answer.views)
    basis = f"Mean of {readable} views. " if readable == uploaded else f"From {readable} of {uploaded} views. "
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.metric(f"Probability of {answer.labels[1]}", f"{answer.probability:.1%}", width=260)
        st.badge(answer.label, color="orange" if above else "blue", icon=":material/radiology:")
        side = "At or above" if above else "Below"
        st.markdown(f"{basis if uploaded > 1 else ''}{side} the threshold of {answer.threshold:.1%}.")


def pictures(classifier: Classifier, examined: list[Examined], opacity: float) -> None:
    """Each view with its heat map over it, all on one scale."""
    strongest = max(float(np.abs(each.view.cam).max()) for each in examined)
    with st.grid(2):
        for each in examined:
            height, width = each.pixels.shape
            heat = classifier.heat(each.view, -(-width // 4), -(-height // 4))  # so smooth a map needs no more
            words = f"{as_text(each.view.name)} · {classifier.labels[1]} {each.view.probability:.1%}"
            with st.container():
                picture = charts.heat_overlay(each.pixels, heat, opacity, strongest)
                st.image(picture, caption=words, width="stretch", alt=f"{words}, with its heat map")
                if each.steps:
                    st.caption(f"Read from {each.format}: {', '.join(each.steps)}.")


def show(classifier: Classifier, folder: ModelFolder, studies: list[list[Examined]], uploaded: int) -> None:
    """The answer for each study, and all of them as a file."""
    threshold, opacity = settings(classifier, folder)
    lines = []
    for number, views in enumerate(studies, 1):
        answer = classifier.answer([each.view for each in views], threshold)
        verdict(answer, uploaded)
        pictures(classifier, views, opacity)
        lines += report.rows(f"study {number}", answer, classifier.name)
    cells = "×".join(map(str, studies[0][0].view.cam.shape))
    st.caption(
        f"The heat map is the model's class-activation map: {cells} cells laid over the image and smoothed, so it "
        "shows a region, not an outline. Its cells' mean, plus a constant, is exactly the model's log-odds. "
        "Probabilities are the network's own; they are not calibrated."
    )
    st.download_button(
        "Download the answers (CSV)", report.as_csv(lines), "answers.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


st.title("Classify")
folder = choose_model()
if folder is None:
    no_model_hint()
    st.stop()
with errors_in_words():
    classifier = loads.classifier(folder)
    uploads = st.file_uploader(
        "X-rays (PNG, JPEG or DICOM)", accept_multiple_files=True, max_upload_size=100, key="uploads",
        help="They stay in memory, are seen by you alone, and are gone when you leave this page.",
    )  # fmt: skip
    together = len(uploads) > 1 and st.toggle("These are the views of one study", value=True)
    if examined := examine(uploads, classifier, folder.version):
        studies = [examined] if together else [[each] for each in examined]
        show(classifier, folder, studies, uploaded=len(uploads) if together else 1)
    elif not uploads:
        negative, positive = classifier.labels
        st.caption(f"Drop one X-ray, or all the views of one study. The model answers *{negative}* or *{positive}*.")
st.caption(NOTICE)
