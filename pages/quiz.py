"""A quiz: read twenty X-rays, and compare with the model on the same images."""

import streamlit as st

from fracture import sample_radiographs
from fracture.app.quiz.asking import show_question
from fracture.app.quiz.choice import choose_images, questions_of, read_source
from fracture.app.quiz.progress import progress_of
from fracture.app.quiz.result import show_result
from fracture.app.shared import prediction_cache, state
from fracture.app.shared.widgets import (
    choose_model,
    ensure_routed,
    escape_markdown,
    no_dataset_hint,
    no_model_hint,
    page_head,
    show_errors,
)
from fracture.formatting import format_threshold
from fracture.inference.classifier import NOTICE, Classifier
from fracture.teaching.reading import balanced_threshold


def show_quiz(path: str, model: Classifier) -> None:
    """The present question, or the result after the last one."""
    source = read_source(path)
    version, questions = questions_of(source, model)
    progress = progress_of(version, questions)
    if progress.finished:
        st.button(
            "New quiz",
            icon=":material/replay:",
            type="primary",
            key="new quiz",
            on_click=state.QUIZ.set,
            args=(state.QUIZ.get() + 1,),
        )
        show_result(progress, source.label_names)
    else:
        show_question(progress, model, source.label_names)
    if source.label_names != model.labels:
        st.caption(
            f":material/warning: The model answers *{model.labels[1]}*, which is not the same as "
            f"*{source.label_names[1]}*."
        )
    positives = sum(question.label for question in progress.questions)
    st.caption(
        f"{positives} of {len(progress.questions)} images are {source.label_names[1]}; {_describe_training(model)}. "
        f"{_describe_threshold(model)}"
    )


def _describe_threshold(model: Classifier) -> str:
    threshold = format_threshold(balanced_threshold(model))
    answers = f"Here it answers *{escape_markdown(model.labels[1])}* from {threshold} on, its balanced threshold"
    if model.limits.leave_doubt:
        return f"{answers}; *Classify* uses two limits, and may say *in doubt* for the same X-ray."
    return f"{answers}."


def _describe_training(model: Classifier) -> str:
    if model.ood_detector is None:
        return "this model does not record which images it was trained on"
    return "the model was trained on none of them"


ensure_routed("quiz")
with page_head("Quiz"), st.container(horizontal=True):
    chosen = choose_images()
    folder = choose_model()
if folder is None:
    no_model_hint()
elif chosen is None:
    no_dataset_hint()
else:
    with show_errors():
        show_quiz(chosen, prediction_cache.adjusted_classifier(folder))
st.caption(f"Real samples: {sample_radiographs.CREDIT}. {NOTICE}")
