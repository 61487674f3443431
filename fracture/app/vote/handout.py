"""The hand-out of a class vote: how the class and the model did, and both answers to each image."""

from datetime import datetime

import streamlit as st

from fracture.estimate import format_percent
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
    entries = [_entry(room, place, called.get(place)) for place in images["place"]]
    return to_pdf(Lesson(title="Class vote", language=""), [*summary, *entries], datetime.now().astimezone(), NOTICE)


def _describe(found: Rates) -> str:
    return (
        f"Right on {found.correct} of {found.total} images. Sensitivity {format_percent(found.sensitivity)}, "
        f"specificity {format_percent(found.specificity)}, with Wilson's 95% intervals."
    )


def _entry(room: Room, place: int, called: bool | None) -> Entry:
    """An image that was revealed."""
    reveal = rooms.reveal_of(room.code, place)
    if reveal is None:  # the room was closed meanwhile
        return Entry(f"Image {place + 1}")
    own = "no votes" if called is None else room.labels[int(called)]
    model = f"{reveal.answer}, probability of {room.model.labels[1]} {reveal.probability:.0%}"
    return Entry(f"Image {place + 1}", figure=f"Class: {own}. Model: {model}.", result=f"Truth: {reveal.truth}.")
