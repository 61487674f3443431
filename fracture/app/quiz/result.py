"""The result of a quiz: the visitor's and the model's rates side by side, and the images by who was right."""

import pandas as pd
import streamlit as st

from fracture.app.quiz.progress import Answered, Progress
from fracture.app.shared.images import show_picture
from fracture.app.shared.metrics import show_table
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import RadiographError
from fracture.estimate import format_number, format_percent
from fracture.imaging.thumbnails import thumbnails
from fracture.teaching.questions import Question
from fracture.teaching.reading import Performance, WhoWasRight, count_right, measure_reading, who_was_right

THUMBNAIL_PX = 256

TITLES: dict[WhoWasRight, str] = {
    "both": "Both right",
    "reader": "Only you right",
    "model": "Only the model right",
    "neither": "Neither right",
}


def show_result(progress: Progress, label_names: tuple[str, str]) -> None:
    """How many each got right, and both readers' rates with their intervals; below, the images by who was right."""
    labels = progress.labels
    right = count_right(labels, progress.reading())
    model_right = count_right(labels, progress.model_reading())
    st.markdown(f"**You {right} of {len(labels)} · model {model_right} of {len(labels)}**")
    show_table(
        [
            _row("You", measure_reading(labels, progress.reading())),
            _row("Model", measure_reading(labels, progress.model_reading())),
        ]
    )
    st.markdown("The 95% intervals are wide, since the images are few.")
    st.download_button(
        "Answers (CSV)",
        lambda: _to_csv(progress, label_names),
        "quiz.csv",
        "text/csv",
        icon=":material/download:",
        key="quiz answers",
        on_click="ignore",
    )
    _show_images(progress, label_names)


def _row(reader: str, performance: Performance) -> dict[str, str]:
    return {
        "Reader": reader,
        "Sensitivity": format_percent(performance.sensitivity),
        "Specificity": format_percent(performance.specificity),
        "Kappa": format_number(performance.kappa, 2),
        "Seconds an image": format_number(performance.seconds, 1),
    }


def _show_images(progress: Progress, label_names: tuple[str, str]) -> None:
    groups: dict[WhoWasRight, list[tuple[Question, Answered]]] = {name: [] for name in TITLES}
    for question, answered in zip(progress.questions, progress.answers, strict=True):
        who = who_was_right(question.label, answered.positive, answered.model_positive)
        groups[who].append((question, answered))
    tabs = st.tabs([f"{TITLES[who]} ({len(group)})" for who, group in groups.items()], key="quiz groups")
    for tab, group in zip(tabs, groups.values(), strict=True):
        with tab:
            _show_group(group, label_names)


def _show_group(group: list[tuple[Question, Answered]], label_names: tuple[str, str]) -> None:
    if not group:
        st.caption("No image.")
        return
    pictures = thumbnails([str(question.path) for question, _ in group], THUMBNAIL_PX, square=True)
    with st.grid("auto", min_column_width=160):
        for (question, answered), picture in zip(group, pictures, strict=True):
            with st.container(gap="xsmall"):
                if isinstance(picture, RadiographError):
                    st.warning(escape_markdown(str(picture)), icon=":material/broken_image:")
                else:
                    show_picture(picture, f"X-ray, {label_names[question.label]}")
                color = ("blue", "orange")[question.label]
                st.markdown(
                    f":{color}-badge[{escape_markdown(label_names[question.label])}]  \n"
                    f":small[model {answered.model_probability:.0%} · {answered.seconds:.0f} s]"
                )


def _to_csv(progress: Progress, label_names: tuple[str, str]) -> str:
    """A row an image, in the order in which the visitor read them."""
    rows = [
        {
            "image_id": question.image_id,
            "label": label_names[question.label],
            "answer": label_names[answered.positive],
            "seconds": round(answered.seconds, 1),
            "model_answer": label_names[answered.model_positive],
            "model_probability": round(answered.model_probability, 4),
        }
        for question, answered in zip(progress.questions, progress.answers, strict=True)
    ]
    return pd.DataFrame(rows).to_csv(index=False)
