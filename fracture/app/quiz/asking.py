"""One image of a quiz: two buttons to answer, then the truth, the model's answer and its heat map."""

import time
from pathlib import Path

import streamlit as st
from PIL import Image

from fracture import charts
from fracture.app.quiz.progress import Answered, Progress
from fracture.app.shared import prediction_cache
from fracture.app.shared.dataset_cache import BY_FILE
from fracture.app.shared.frame import presenting
from fracture.app.shared.heatmap_overlay import full_heat, heat_in_words, heated
from fracture.app.shared.images import show_picture
from fracture.app.shared.prediction_cache import BY_CLASSIFIER, Examined
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import RadiographError
from fracture.imaging.annotations import scale_boxes
from fracture.inference.classifier import Classifier
from fracture.teaching.reading import balanced_threshold

HEIGHT_PX = 520
"""Of the picture: with the title it is seen at once on a screen of 768 px."""

PRESENTED_HEIGHT_PX = 460
"""Of the picture in a presentation, on a screen of 720 px."""

MAX_WIDTH_PX = 640
"""Of the picture, so that the buttons stand beside it."""

OPACITY = 0.4
"""Of the heat map."""


def show_question(progress: Progress, model: Classifier, label_names: tuple[str, str]) -> None:
    """The picture at the left, and at the right the buttons, or both answers and the truth."""
    answered = progress.answered
    left, right = st.columns([3, 2], gap="large")
    try:
        examined, _ = _examine(progress.question.path, model)
    except RadiographError as error:
        st.error(escape_markdown(str(error)), icon=":material/broken_image:")
        st.button("Skip image", icon=":material/arrow_forward:", key="skip question", on_click=progress.skip)
        return
    with left:
        _show_picture(progress, examined, model)
    with right:
        total = len(progress.questions)
        st.progress((len(progress.answers)) / total, f"Image {progress.place + 1} of {total}")
        if answered is None:
            _offer_answers(progress, model, label_names)
            progress.note_shown()
        else:
            _show_answers(progress, answered, label_names)
            last = progress.place + 1 == total
            st.button(
                "Show result" if last else "Next image",
                icon=":material/arrow_forward:",
                type="primary",
                key="next question",
                shortcut="Enter",
                on_click=progress.next,
            )
            truth = " Yellow boxes are the truth." if progress.question.boxes else ""
            st.caption(f"{heat_in_words(model, ring=False)}{truth}")


def _show_picture(progress: Progress, examined: Examined, model: Classifier) -> None:
    """The picture; once it is answered with its heat map and the truth."""
    picture = Image.fromarray(examined.pixels)
    if progress.answered is not None:
        picture = heated(model, examined, OPACITY, full_heat(model, [examined]))
        boxes = scale_boxes(progress.question.boxes, picture.width, picture.height)
        picture = charts.outlined(picture, boxes)
    height = PRESENTED_HEIGHT_PX if presenting.is_on() else HEIGHT_PX
    width = min(MAX_WIDTH_PX, round(height * picture.width / picture.height))
    show_picture(picture, f"X-ray {progress.place + 1}", width=width)  # the file's name may hold its label


def _offer_answers(progress: Progress, model: Classifier, label_names: tuple[str, str]) -> None:
    st.header(f"{escape_markdown(label_names[1].capitalize())}, or {escape_markdown(label_names[0])}?", anchor=False)
    with st.container(horizontal=True):
        for positive, keys in ((True, "1"), (False, "2")):
            st.button(
                label_names[positive].capitalize(),
                key=f"answer {'positive' if positive else 'negative'}",
                shortcut=keys,
                on_click=_answer,
                args=(progress, progress.place, model, positive),
            )


def _answer(progress: Progress, place: int, model: Classifier, positive: bool) -> None:
    """Keep the answers to a question; a second press on a button that is gone changes nothing."""
    if place != len(progress.answers):
        return
    seconds = progress.seconds()
    examined, model_seconds = _examine(progress.question.path, model)
    probability = examined.view.probability
    called = probability >= balanced_threshold(model)
    progress.answers.append(Answered(positive, seconds, probability, called, model_seconds))


def _show_answers(progress: Progress, answered: Answered, label_names: tuple[str, str]) -> None:
    truth = progress.question.label == 1
    color = "orange" if truth else "blue"
    st.header(f"Truth: :{color}[{escape_markdown(label_names[truth])}]", anchor=False)
    st.markdown(_describe("You", answered.positive, truth, label_names))
    probability = f"{answered.model_probability:.0%} {escape_markdown(label_names[1])}"
    st.markdown(f"{_describe('Model', answered.model_positive, truth, label_names)} ({probability})")


def _describe(reader: str, positive: bool, truth: bool, label_names: tuple[str, str]) -> str:
    mark = ":material/check: right" if positive == truth else ":material/close: wrong"
    return f"{reader}: **{escape_markdown(label_names[positive])}**, {mark}"


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={**BY_FILE, **BY_CLASSIFIER})
def _examine(path: Path, model: Classifier) -> tuple[Examined, float]:
    """The model's answer to an image, computed before the visitor answers, and the seconds that it took."""
    start = time.perf_counter()
    examined = prediction_cache.examined_file(path, model)
    _ = examined.view
    return examined, time.perf_counter() - start
