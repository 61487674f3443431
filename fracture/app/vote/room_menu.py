"""What a teacher needs seldom: the link back to the room, nicknames, the votes as a file, and closing the room."""

import time

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.frame import presenting
from fracture.app.shared.widgets import escape_markdown, show_errors
from fracture.app.vote import address, arriving
from fracture.app.vote.arriving import Seat
from fracture.errors import FractureError
from fracture.formatting import format_count, format_duration
from fracture.teaching import rooms, votes
from fracture.teaching.rooms import Room

VOTES_HIDDEN = state.Entry("hide votes", False)
"""Whether the chart stays empty until the answer is revealed; also the key of the switch."""


def show_menu(room: Room, seat: Seat) -> None:
    """The menu; drawn at a click, and never the teacher's link in front of a class."""
    if not presenting.is_on() and not state.ROOM_LINK_CLOSED.get():
        _offer_link(room, seat)
    menu = st.popover("Room", icon=":material/meeting_room:", key="room menu", on_change="rerun")
    if menu.open:
        with menu, show_errors():
            st.caption(f"Room {room.code} expires in {format_duration(max(0, room.expires - time.time()))}.")
            st.toggle(
                "Hide votes until the reveal",
                key=VOTES_HIDDEN.key,
                persist_state="session",
                help="The number of votes is shown. Students who see the others' votes follow them.",
            )
            _list_nicknames(room, seat)
            offer_votes(room, "room menu")
            _offer_to_close(room, seat)


def _offer_link(room: Room, seat: Seat) -> None:
    menu = st.popover("Teacher's link", icon=":material/link:", key="teacher link", on_change="rerun")
    if menu.open:
        link = f"{address.current_address(room.code)}&{arriving.TEACHER}={seat.secret}"
        menu.markdown(
            "It brings you back to this room after a reload. Keep it to yourself; it is shown until you close it."
        )
        menu.code(link, language=None, wrap_lines=True)
        menu.button(
            "Close link",
            icon=":material/check:",
            key="close teacher link",
            on_click=state.ROOM_LINK_CLOSED.set,
            args=(True,),
        )


def _list_nicknames(room: Room, seat: Seat) -> None:
    names = votes.nicknames(room.code)
    st.markdown(f"**{format_count(room.students, 'student')}**, {len(names):,} with a nickname. A click removes it.")
    with st.container(horizontal=True, key="nicknames"):
        for student, name in names.items():
            st.button(
                escape_markdown(name),
                icon=":material/close:",
                type="tertiary",
                key=f"remove {student}",
                on_click=_remove,
                args=(seat, student),
            )


def _remove(seat: Seat, student: str) -> None:
    """The callback of a button: what goes wrong is said on the page."""
    try:
        votes.remove_nickname(seat.code, seat.secret, student)
    except FractureError as error:
        state.failure("room").set(str(error))


def offer_votes(room: Room, place: str) -> None:
    """A button that downloads the votes without nicknames. ``place``: a part of its key."""
    st.download_button(
        "Download votes (CSV)",
        lambda: votes.anonymous_votes(room.code, room.labels).to_csv(index=False),
        f"class-vote-{room.code}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"votes csv {place}",
        help="The votes on revealed images, without nicknames",
    )


def _offer_to_close(room: Room, seat: Seat) -> None:
    st.markdown("Closing deletes the room with all its pictures, votes and nicknames. This cannot be undone.")
    sure = st.checkbox("Delete everything", key="confirm close")
    if st.button("Close room", icon=":material/delete:", type="primary", key="close room", disabled=not sure):
        rooms.close(room.code, seat.secret)
        st.rerun()
