"""Upload an X-ray, or all the views of one study, and see what a model makes of it."""

import io
from typing import Any

import numpy as np
import streamlit as st

from fracture import charts
from fracture.app import loads
from fracture.app.widgets import choose_model, errors_in_words, in_words, no_model_hint
from fracture.classify import report
from fracture.classify.classifier import NOTICE, Answer, Classifier, View
from fracture.classify.store import ModelFolder, read_predictions
from fracture.data.radiograph import Radiograph, shrink
from fracture.learn.evaluation import rates

SHOWN = 1024
"""Longer side in px of the images shown; what the model sees does not depend on it."""

Examined = tuple[str, Radiograph, View]


def examine(uploads: list[Any], classifier: Classifier, version: str) -> list[Examined]:
    """Each upload that can be read, with what the model says of it; a sentence for each that cannot."""
    examined = []
    for upload in uploads:
        with errors_in_words():
            found = loads.examined(upload.name, upload.getvalue(), classifier, version)
            examined.append((upload.name, *found))
    return examined


def settings(classifier: Classifier, folder: ModelFolder) -> tuple[float, float]:
    """The threshold, with what it meant on the validation images, and the heat map's opacity."""
    left, right = st.columns(2)
    threshold = left.slider(
        "Threshold", 0.0, 1.0, round(classifier.threshold, 2), 0.01, key=f"threshold of {folder.version}",
        help=f"From this probability on the answer is *{classifier.labels[1]}*. It starts where sensitivity plus "
        "specificity was highest on the validation images.",
    )  # fmt: skip
    measured = rates(read_predictions(folder), threshold)
    left.caption(
        f"At this threshold, on the model's validation images: sensitivity {in_words(measured['sensitivity'])}, "
        f"specificity {in_words(measured['specificity'])}."
    )
    opacity = right.slider("Opacity of the heat map", 0.0, 1.0, 0.4, 0.05, key="opacity", persist_state="session")
    right.caption(f"Orange speaks for *{classifier.labels[1]}*, blue against it.")
    return threshold, opacity


def verdict(answer: Answer) -> None:
    positive = answer.labels[1]
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.metric(f"Probability of {positive}", f"{answer.probability:.0%}", width=260)
        above = answer.probability >= answer.threshold
        st.badge(answer.label, color="orange" if above else "blue", icon=":material/radiology:")
        views = f"Mean of {len(answer.views)} views. " if len(answer.views) > 1 else ""
        st.markdown(f"{views}{'At or above' if above else 'Below'} the threshold of {answer.threshold:.2f}.")


def pictures(classifier: Classifier, examined: list[Examined], opacity: float) -> None:
    strongest = max(float(np.abs(view.cam).max()) for _, _, view in examined)
    with st.grid(2 if len(examined) > 1 else 1):
        for name, image, view in examined:
            with st.container():
                words = f"{name} · {classifier.labels[1]} {view.probability:.0%}"
                picture = overlaid(classifier, image, view, opacity, strongest)
                st.image(
                    picture,
                    caption=words,
                    width="stretch" if len(examined) > 1 else 640,
                    alt=f"{words}, with its heat map",
                )
                if image.steps:
                    st.caption(f"Read from {image.format}: {', '.join(image.steps)}.")


def overlaid(classifier: Classifier, image: Radiograph, view: View, opacity: float, scale: float) -> Any:
    pixels = shrink(image.pixels, SHOWN)
    height, width = pixels.shape
    heat = classifier.heat(view, -(-width // 4), -(-height // 4))  # so smooth a map is as good at a quarter of the size
    return charts.heat_overlay(pixels, heat, opacity, scale)


def as_csv(answers: list[tuple[str, Answer]], model: str) -> str:
    text = io.StringIO()
    report.write_rows(text, [line for study, answer in answers for line in report.rows(study, answer, model)])
    return text.getvalue()


def show(classifier: Classifier, folder: ModelFolder, examined: list[Examined], together: bool) -> None:
    threshold, opacity = settings(classifier, folder)
    studies = [examined] if together else [[each] for each in examined]
    answers = []
    for number, views in enumerate(studies, 1):
        answer = classifier.answer([view for _, _, view in views], threshold)
        verdict(answer)
        pictures(classifier, views, opacity)
        answers.append((f"study {number}", answer))
    side = "×".join([str(examined[0][2].cam.shape[0])] * 2)
    st.caption(
        f"The heat map is the model's class-activation map: {side} cells laid over the image and smoothed, so it shows "
        "a region, not an outline. Its cells' mean, plus a constant, is exactly the model's log-odds."
    )
    st.download_button(
        "Download the answers (CSV)", as_csv(answers, classifier.name), "answers.csv", "text/csv",
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
        help="They stay in memory, are seen by you alone, and are gone when you close the page.",
    )  # fmt: skip
    together = len(uploads) > 1 and st.toggle("These are the views of one study", value=True)
    if examined := examine(uploads, classifier, folder.version):
        show(classifier, folder, examined, together)
    elif not uploads:
        st.caption("Drop one X-ray, or all the views of one study. The model answers in its own words: "
                   f"*{classifier.labels[0]}* or *{classifier.labels[1]}*.")  # fmt: skip
st.caption(NOTICE)
