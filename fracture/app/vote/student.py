"""A student's page, on a phone: the picture, two buttons, how sure they are, and what they voted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.app.vote import arriving
from fracture.app.vote.arriving import Seat
from fracture.app.vote.opening import ask_for_code
from fracture.app.vote.pictures import image_title, revealed, show_image, show_sources
from fracture.app.vote.secret import ask_for_secret
from fracture.errors import FractureError
from fracture.formatting import format_count
from fracture.teaching import codes, rooms, scores, votes
from fracture.teaching.rooms import Room
from fracture.teaching.votes import CONFIDENCES, Vote

POLL_SECONDS = 2.0
"""Between two looks of a phone at its room: fifty phones look 25 times a second, see ``benchmarks/class_vote.py``."""

PICTURE_HEIGHT_PX = 380
"""Of a picture: the buttons stand below it on the first screen of a phone of 844 px."""
PICTURE_WIDTH_PX = 560

CONFIDENCE = "vote confidence"
"""The key of the control."""


def show_seat(seat: Seat) -> None:
    """The room as a student sees it; a sentence where it is not open."""
    st.container(horizontal=True).title("Class vote", anchor=False)
    room = rooms.find_room(seat.code)
    if room is None:
        _show_closed(seat)
    elif not seat.student:
        ask_for_secret(room.code)
        _offer_to_join(room)
    else:
        _show_room(room, seat.student)


def _show_closed(seat: Seat) -> None:
    expired = state.ROOM_EXPIRES.get()
    if seat.student and expired:
        why = "has expired: a room is open for three hours" if time.time() >= expired else "was closed by the teacher"
        st.info(f"Room {seat.code} {why}. Your votes are deleted.", icon=":material/door_front:")
    else:
        shown = seat.code or "with this code"
        st.warning(
            f"There is no open room {shown}. It was closed, has expired after three hours, or the code is mistyped.",
            icon=":material/door_front:",
        )
    st.button("Leave room", key="leave room", icon=":material/logout:", on_click=arriving.leave)
    ask_for_code()


def _offer_to_join(room: Room) -> None:
    st.markdown(f"Room **{room.code}** · *{escape_markdown(room.labels[1])}* or *{escape_markdown(room.labels[0])}*?")
    with st.form("join room", border=False):
        nickname = st.text_input(
            "Nickname (optional)",
            max_chars=codes.MAX_NICKNAME,
            key="nickname",
            autocomplete="off",
            help="The class may see it beside your result. No real names.",
        )
        if st.form_submit_button("Join room", type="primary", icon=":material/login:", key="join room button"):
            with show_errors():
                arriving.take_seat(room.code, votes.join(room.code, nickname))
                st.rerun()


def _show_room(room: Room, student: str) -> None:
    state.ROOM_EXPIRES.set(room.expires)
    if room.shows_image:
        image_title(room)
        show_image(room, PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX, heat=room.revealed)
        if room.revealed:
            _show_truth(room, student)
    elif room.place == rooms.LOBBY:
        st.success("You have joined. The first image appears here when your teacher begins.", icon=":material/check:")
    else:
        _show_score(room, student)
    if room.shows_image and not room.revealed:
        st.fragment(_ask)(room, student)  # by itself, so that a vote draws nothing else
    st.fragment(_follow, run_every=POLL_SECONDS)(room)
    show_sources(room)


def _follow(drawn: Room) -> None:
    """Look whether the teacher has gone on. It draws nothing: fifty phones ask for it at a time."""
    with show_errors():
        room = rooms.find_room(drawn.code)
        if room is None or room.step != drawn.step:
            st.rerun()


def _ask(room: Room, student: str) -> None:
    """How sure, which label, and what was voted."""
    with show_errors():
        _draw_question(room, student)


def _draw_question(room: Room, student: str) -> None:
    given = votes.own_vote(room.code, student, room.place)
    st.segmented_control(
        "How sure are you?",
        range(len(CONFIDENCES)),
        default=1,
        required=True,
        format_func=lambda step: CONFIDENCES[step].capitalize(),
        key=f"{CONFIDENCE} {room.place}",
        width="stretch",
        on_change=_reconsider,
        args=(room.code, student, room.place),
    )
    for positive in (True, False):
        _offer_vote(room, student, positive, given)
    if error := state.failure("vote").pop():
        st.error(escape_markdown(error), icon=":material/error:")
    st.markdown(_describe(room, given))


def _offer_vote(room: Room, student: str, positive: bool, given: Vote | None) -> None:
    chosen = given is not None and given.positive == positive
    word = escape_markdown(room.labels[int(positive)].capitalize())
    # Not the primary color, which is blue: the color of the negative label.
    st.button(
        f"**{word}**" if chosen else word,
        icon=":material/check:" if chosen else None,
        key=f"vote {'positive' if positive else 'negative'}",
        width="stretch",
        on_click=_vote,
        args=(room.code, student, room.place, positive),
    )


def _vote(code: str, student: str, place: int, positive: bool) -> None:
    """The callback of a button: what goes wrong is said below it."""
    confidence = st.session_state.get(f"{CONFIDENCE} {place}", 1)
    with _kept_failure():
        votes.vote(code, student, place, Vote(positive, confidence))


def _reconsider(code: str, student: str, place: int) -> None:
    """Another confidence counts at once where the student has voted."""
    with _kept_failure():
        given = votes.own_vote(code, student, place)
        if given is not None:
            _vote(code, student, place, given.positive)


@contextmanager
def _kept_failure() -> Iterator[None]:
    try:
        yield
    except FractureError as error:
        state.failure("vote").set(str(error))


def _describe(room: Room, given: Vote | None) -> str:
    if given is None:
        return "You have not voted yet."
    return f"You voted {_words(room, given)}. Until the answer is revealed you can vote again."


def _words(room: Room, given: Vote) -> str:
    return f"*{escape_markdown(room.labels[int(given.positive)])}* ({CONFIDENCES[given.confidence]})"


def _show_truth(room: Room, student: str) -> None:
    state.failure("vote").pop()  # of a vote that came too late; it says nothing about the next image
    reveal = revealed(room)
    if reveal is None:
        return
    given = votes.own_vote(room.code, student, room.place)
    own = "You did not vote."
    if given is not None:
        right = "right" if int(given.positive) == reveal.label else "wrong"
        own = f"You voted {_words(room, given)}: {right}."
    st.markdown(f"{own} The truth is **{escape_markdown(reveal.truth)}**.")
    positive = escape_markdown(room.model.labels[1])
    st.markdown(
        f"The model says *{escape_markdown(reveal.answer)}*, with a probability of {positive} of "
        f"{reveal.probability:.0%}."
    )


def _show_score(room: Room, student: str) -> None:
    given = votes.revealed_votes(room.code)
    own = given[given["student"] == student]
    right = int((own["positive"] == own["label"]).sum())
    st.markdown(f"**You were right on {right} of {format_count(len(own), 'image')} that you voted on.**")
    if len(given):
        others = scores.class_rates(given)
        model = scores.model_rates(votes.revealed_images(room.code), room.model.threshold)
        st.markdown(
            f"The majority of the class was right on {others.correct} of {others.total}, the model on {model.correct} "
            f"of {model.total}."
        )
    if len(own) < scores.MIN_VOTES:
        st.caption(f"From {scores.MIN_VOTES} votes on you have a point in the chart that your teacher shows.")
