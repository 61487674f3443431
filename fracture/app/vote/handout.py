"""The hand-out of a class vote: how the class and the model did, and both answers to each image."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import streamlit as st

from fracture.estimate import format_percent
from fracture.formatting import format_count
from fracture.inference.classifier import NOTICE
from fracture.teaching import rooms, scores, votes
from fracture.teaching.entries import Entry
from fracture.teaching.handout import to_pdf
from fracture.teaching.lesson import Lesson
from fracture.teaching.rooms import Room
from fracture.teaching.scores import Rates


def offer_handout(room: Room) -> None:
    """A button that downloads it; it is made at the click."""
    st.download_button(
        "Hand-out (PDF)",
        lambda: make_handout(room),
        f"class-vote-{room.code}.pdf",
        "application/pdf",
        icon=":material/download:",
        on_click="ignore",
        key="vote handout",
        help="The class's and the model's rates, and their answers to each revealed image",
    )


def make_handout(room: Room) -> bytes:
    """The document, without nicknames."""
    given = votes.revealed_votes(room.code)
    images = votes.revealed_images(room.code)
    voted = images[images["place"].isin(given["place"])]
    readers = {
        "Class, majority": scores.class_rates(given),
        f"Model {room.model.name}": scores.model_rates(voted, room.model.threshold),
    }
    summary = [Entry(name, figure=_describe(found)) for name, found in readers.items()]
    answers = scores.class_answers(given)
    called = dict(zip(answers["place"], answers["called"], strict=True))
    entries = [_entry(room, place, _describe_class(room, given, place, called)) for place in images["place"]]
    lesson = Lesson(title=f"Class vote, room {room.code}", language="")
    return to_pdf(lesson, [*summary, *entries], datetime.now().astimezone(), NOTICE, numbered=False)


def _describe(found: Rates) -> str:
    right = f"Right on {found.correct} of {format_count(found.total, 'image')}."
    sensitivity = format_percent(found.sensitivity)
    specificity = format_percent(found.specificity)
    return f"{right} Sensitivity {sensitivity}, specificity {specificity}, with Wilson's 95% intervals."


def _describe_class(room: Room, given: pd.DataFrame, place: int, called: Mapping[int, bool]) -> str:
    """The majority's answer to an image, and how many called it positive."""
    own = given[given["place"] == place]
    if own.empty:
        return "no votes"
    return f"{room.labels[int(called[place])]}; {int(own['positive'].sum())} of {len(own)} said {room.labels[1]}"


def _entry(room: Room, place: int, own: str) -> Entry:
    """An image that was revealed."""
    reveal = rooms.reveal_of(room.code, place)
    if reveal is None:  # the room was closed meanwhile
        return Entry(f"Image {place + 1}")
    model = f"{reveal.answer}, probability of {room.model.labels[1]} {reveal.probability:.0%}"
    return Entry(f"Image {place + 1}", figure=f"Class: {own}. Model: {model}.", result=f"Truth: {reveal.truth}.")
