"""How a visitor comes to a room: by the code in the address, by a teacher's link, or from another page."""

from typing import NamedTuple

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.widgets import linked_name
from fracture.teaching import codes, rooms, votes

ROOM = "room"
"""The parameter of the address that holds a room's code."""
STUDENT = "student"
"""The parameter that identifies a student: a reload keeps their votes."""
TEACHER = "teacher"
"""The parameter of a teacher's link, which leaves the address on arrival."""


class Seat(NamedTuple):
    """In which room a visitor is, and as whom."""

    code: str
    secret: str = ""
    """The teacher's; empty for students."""
    student: str = ""
    """Identifies the student; empty before they have joined."""


def find_seat() -> Seat | None:
    """The visitor's place; None where they have neither opened nor named a room. Raises RoomError."""
    _read_address()
    code = st.query_params.get(ROOM)
    taught = state.TAUGHT_ROOM.get()
    joined = state.JOINED_ROOM.get()
    if taught is not None and code in (None, taught[0]):
        return _seat(Seat(taught[0], secret=taught[1]))
    if joined is not None and code in (None, joined[0]):
        return _seat(Seat(joined[0], student=joined[1]))
    return Seat(codes.clean_code(code)) if code else None


def leave() -> None:
    """Go back to the page without a room: the callback of a button."""
    state.TAUGHT_ROOM.pop()
    state.ROOM_LINK_CLOSED.pop()
    state.JOINED_ROOM.pop()
    for name in (ROOM, STUDENT):
        st.query_params.pop(name, None)


def teach(code: str, secret: str) -> None:
    """Make this visitor the teacher of a room."""
    state.TAUGHT_ROOM.set((code, secret))
    state.ROOM_LINK_CLOSED.pop()
    st.query_params[ROOM] = code


def take_seat(code: str, student: str) -> None:
    """Make this visitor a student of a room; the address says so, for a reload."""
    state.JOINED_ROOM.set((code, student))
    st.query_params[ROOM] = code
    st.query_params[STUDENT] = student


def _read_address() -> None:
    """Take a teacher's secret or a student's identity out of the address, where they are those of the room."""
    code = codes.clean_code(st.query_params.get(ROOM, ""))
    secret = st.query_params.pop(TEACHER, "")
    if secret and rooms.is_teacher(code, secret):
        teach(code, secret)
    student = linked_name(STUDENT)
    if student and votes.is_student(code, student):
        state.JOINED_ROOM.set((code, student))


def _seat(seat: Seat) -> Seat:
    """The seat, after the address has been brought in line with it: the visitor may come from another page."""
    named = {ROOM: seat.code, STUDENT: seat.student}
    for name, value in named.items():
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
    return seat
