"""The end of a class vote: the class and its students beside the model, on the same images."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from fracture import charts
from fracture.app.shared.metrics import show_table
from fracture.app.shared.widgets import escape_markdown, learn_more, show_chart
from fracture.app.vote.handout import offer_handout
from fracture.app.vote.room_menu import offer_votes
from fracture.estimate import format_percent
from fracture.formatting import format_count
from fracture.teaching import scores, votes
from fracture.teaching.rooms import Room
from fracture.teaching.scores import Rates

Action = Callable[[str, str, int], None]
"""Of a teacher: takes the code, the secret and a place."""


def show_results(room: Room) -> None:
    """The ROC curves and the rates; a sentence where one label has no revealed image with votes."""
    given = votes.revealed_votes(room.code)
    images = votes.revealed_images(room.code)
    voted = images[images["place"].isin(given["place"])]  # the same images for both
    left, right = st.columns([3, 2])
    with left:
        if voted["label"].nunique() == 2:
            _show_roc(room, given, voted)
        else:
            _ask_for_more()
    if voted.empty:
        return
    with right:
        _show_rates(room, given, voted)
        with st.container(horizontal=True):
            offer_votes(room, "results")
            offer_handout(room)


def _ask_for_more() -> None:
    st.info(
        "An ROC curve needs votes on revealed images of both labels. Press *Back to images* to continue the vote.",
        icon=":material/info:",
    )


def _show_roc(room: Room, given: pd.DataFrame, images: pd.DataFrame) -> None:
    answers = scores.class_answers(given)
    model = scores.model_rates(images, room.model.threshold).point
    majority = scores.class_rates(given).point
    if model is None or majority is None:
        return
    figure = charts.class_roc(
        (images["label"].to_numpy(), images["probability"].to_numpy()),
        model,
        (answers["label"].to_numpy(), answers["score"].to_numpy()),
        majority,
        _student_points(room, given),
    )
    show_chart(figure, "class roc", "ROC curves of the class and of the model on the same images")


def _student_points(room: Room, given: pd.DataFrame) -> dict[str, tuple[float, float]]:
    names = votes.nicknames(room.code)
    points = {}
    for number, (student, found) in enumerate(scores.student_rates(given).items(), 1):
        if found.point is not None:
            name = names.get(student, "Student")
            points[f"{name} ({number})"] = found.point
    return points


def _show_rates(room: Room, given: pd.DataFrame, images: pd.DataFrame) -> None:
    rows = {
        "Class, majority": scores.class_rates(given),
        f"Model {room.model.name}": scores.model_rates(images, room.model.threshold),
    }
    show_table([_row(name, found) for name, found in rows.items()])
    students = scores.student_rates(given)
    st.markdown(_describe_students(given, images, list(students.values()), escape_markdown(room.labels[1])))
    if room.model.labels != room.labels:
        st.caption(
            f"The model was trained to call {escape_markdown(room.model.labels[1])}, the class voted on "
            f"{escape_markdown(room.labels[1])}: not the same question."
        )
    learn_more("vote results", _METHOD)


def _row(name: str, found: Rates) -> dict[str, str]:
    return {
        "Reader": escape_markdown(name),
        "Sensitivity": format_percent(found.sensitivity),
        "Specificity": format_percent(found.specificity),
        "Right": f"{found.correct} of {found.total}",
    }


def _describe_students(given: pd.DataFrame, images: pd.DataFrame, students: list[Rates], positive: str) -> str:
    voters = given["student"].nunique()
    voted = f"{format_count(voters, 'student')} voted on {format_count(len(images), 'image')}"
    counted = f"{voted}, {int(images['label'].sum())} of them {positive}."
    if not students:
        return f"{counted} None has {scores.MIN_VOTES} votes yet."
    median = float(np.median([found.correct / found.total for found in students]))
    return f"{counted} Their median share of right answers is {median:.0%}."


_METHOD = (
    "The class's curve is that of its mean confidence: each vote counts from 0, sure of the negative label, to 1, sure "
    "of the positive one. Its diamond is the majority; where both labels have as many votes, the mean confidence "
    f"decides. A student has a point from {scores.MIN_VOTES} votes on. The model's point is at its balanced threshold. "
    "Intervals are Wilson's, of 95%; with so few images they are wide."
)
