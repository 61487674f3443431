"""The teacher's page, on a projector: students arrive, vote on image after image, and see each revealed."""

import streamlit as st

from fracture import charts
from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.frame.chart import show_vega_chart
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.app.vote import address, arriving, results
from fracture.app.vote.arriving import Seat
from fracture.app.vote.pictures import image_title, revealed, show_image, show_sources
from fracture.app.vote.room_menu import VOTES_HIDDEN, show_menu
from fracture.app.vote.secret import keep_secret
from fracture.errors import FractureError
from fracture.teaching import rooms, scores, votes
from fracture.teaching.rooms import Room
from fracture.teaching.votes import CONFIDENCES

POLL_SECONDS = 1.0
"""Between two looks at the votes."""

PICTURE_HEIGHT_PX = 500
"""Of a picture, within the first screen of a projector of 720 px."""
PICTURE_WIDTH_PX = 720

CHART_HEIGHT_PX = 200
PRESENTED_CHART_HEIGHT_PX = 250
LOBBY_QR_PX = 360
"""Seen from the last row."""
QR_PX = 120
"""For those who come late."""


def show_seat(seat: Seat) -> None:
    """The room as its teacher, and the class on the projector, see it."""
    room = rooms.find_room(seat.code)
    if room is None:
        st.container(horizontal=True).title("Class vote", anchor=False)
        st.info(f"Room {seat.code} is closed: everything in it is deleted.", icon=":material/door_front:")
        st.button("Open another room", key="leave room", icon=":material/add:", on_click=arriving.leave)
        return
    _draw_head(room, seat)
    if error := state.failure("room").pop():
        st.error(escape_markdown(error), icon=":material/error:")
    if room.shows_image:
        _show_image(room)
    elif room.place == rooms.LOBBY:
        _show_lobby(room)
    else:
        results.show_results(room)
    shown = room.place if room.shows_image else -1
    keep_secret(seat.code, seat.secret)
    presenting.offer_steps("image", shown, room.images, lambda to: _act(rooms.show, seat, _step(room, to)))
    show_sources(room)


def _step(room: Room, to: int) -> int:
    """Where an arrow key of a presentation leads, which goes round: from the last image on to the results."""
    if room.place == rooms.LOBBY:
        return 0
    return room.images if room.place == room.images - 1 and to == 0 else to


def _draw_head(room: Room, seat: Seat) -> None:
    """The title, how far the vote is, the buttons and the menu, in one row."""
    with st.container(horizontal=True, vertical_alignment="center", key="vote head"):
        st.title("Class vote", anchor=False, width="content")
        if room.shows_image:
            image_title(room)
        _draw_buttons(room, seat)
        show_menu(room, seat)


def _draw_buttons(room: Room, seat: Seat) -> None:
    if room.place >= room.images:
        _draw_button("Back to images", ":material/arrow_back:", "back to images", seat, _place_to_reveal(room))
        return
    if room.shows_image:
        st.button(
            "Reveal answer",
            type="secondary" if room.revealed else "primary",
            icon=":material/visibility:",
            key="reveal",
            disabled=room.revealed,
            on_click=_act,
            args=(rooms.reveal, seat, room.place),
        )
    words = {rooms.LOBBY: "Begin vote", room.images - 1: "Show results"}.get(room.place, "Next image")
    primary = room.revealed or room.place == rooms.LOBBY
    if words != "Next image" or not presenting.is_on():  # the bar of a presentation has that button
        _draw_button(words, ":material/arrow_forward:", "next image", seat, room.place + 1, primary=primary)
    if 0 <= room.place < room.images - 1:
        nothing = votes.revealed_images(room.code).empty
        _draw_button("Show results", ":material/bar_chart:", "show results", seat, room.images, disabled=nothing)


def _draw_button(
    label: str, icon: str, key: str, seat: Seat, place: int, *, primary: bool = False, disabled: bool = False
) -> None:
    """A button that shows another image, or the results."""
    st.button(
        label,
        type="primary" if primary else "secondary",
        icon=icon,
        key=key,
        disabled=disabled,
        on_click=_act,
        args=(rooms.show, seat, place),
    )


def _place_to_reveal(room: Room) -> int:
    """Of the first image that is not revealed yet; of the last one where all are."""
    revealed_places = set(votes.revealed_images(room.code)["place"])
    return next((place for place in range(room.images) if place not in revealed_places), room.images - 1)


def _act(action: results.Action, seat: Seat, place: int) -> None:
    """The callback of a button: what goes wrong is said on the page."""
    try:
        action(seat.code, seat.secret, place)
    except FractureError as error:
        state.failure("room").set(str(error))


def _show_lobby(room: Room) -> None:
    left, right = st.columns([2, 3])
    with right:
        chosen = address.choose_address(room.code)
        st.markdown(
            "Scan the QR code with a phone, or open the address and enter the code. Then vote on each image, and say "
            "how sure you are."
        )
        address.show_address(chosen)
        st.fragment(_count_students, run_every=POLL_SECONDS)(room)
    with left:
        address.show_code(room.code, chosen, LOBBY_QR_PX)


def _count_students(drawn: Room) -> None:
    with show_errors():
        room = _same_step(drawn)
        st.metric("Students", f"{room.students:,}")
        names = list(votes.nicknames(room.code).values())
        st.markdown(" · ".join(escape_markdown(name) for name in names) or " ")


def _show_image(room: Room) -> None:
    left, right = st.columns([3, 2])
    with right:
        st.fragment(_count_votes, run_every=POLL_SECONDS)(room)
        heat = _show_truth(room) if room.revealed else False
        if not room.revealed:
            with st.container(horizontal=True, vertical_alignment="center"):
                address.show_code(room.code, address.current_address(room.code), QR_PX)
    with left:
        show_image(room, PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX, heat=heat)


def _show_truth(room: Room) -> bool:
    """The truth, the model's answer and the class's. Returns whether the heat map is to be shown."""
    reveal = revealed(room)
    if reveal is None:
        return False
    positive = escape_markdown(room.model.labels[1])
    st.markdown(
        f"Truth: **{escape_markdown(reveal.truth)}**  \nModel: **{escape_markdown(reveal.answer)}**, probability of "
        f"{positive} {reveal.probability:.0%}  \n{_describe_class(room)}"
    )
    return st.toggle("Heat map", value=True, key="vote heat map")


def _describe_class(room: Room) -> str:
    given = votes.revealed_votes(room.code)
    own = given[given["place"] == room.place]
    if own.empty:
        return "Class: no votes"
    called = int(scores.class_answers(own)["called"].iloc[0])
    agreeing = int((own["positive"] == called).sum())
    return f"Class: **{escape_markdown(room.labels[called])}**, {agreeing} of {len(own)} votes"


def _count_votes(drawn: Room) -> None:
    """The votes as they come in. The chart takes new votes in place."""
    with show_errors():
        room = _same_step(drawn)
        st.metric("Votes", f"{room.votes:,} of {room.students:,}")
        hidden = VOTES_HIDDEN.get() and not room.revealed
        counts = {} if hidden else votes.count_votes(room.code, room.place)
        height = PRESENTED_CHART_HEIGHT_PX if presenting.is_on() else CHART_HEIGHT_PX
        chart = charts.vote_histogram(counts, room.labels, CONFIDENCES, height)
        alt = f"Votes of the class: {room.votes} of {room.students}"
        show_vega_chart(chart, alt, key=f"votes {room.code} {room.place}")


def _same_step(drawn: Room) -> Room:
    """The room as it is now; where it has gone on in another tab, or was closed, the page is drawn again."""
    room = rooms.find_room(drawn.code)
    if room is None or room.step != drawn.step:
        st.rerun()
    return room
