"""A class votes on X-rays from its phones: the teacher's page, the students' pages, and the way into a room."""

from fracture.app.shared.widgets import ensure_routed, show_errors
from fracture.app.vote import opening, student, teacher
from fracture.app.vote.arriving import find_seat

ensure_routed("vote")
with show_errors():
    seat = find_seat()
    if seat is None:
        opening.show_start()
    elif seat.secret:
        teacher.show_seat(seat)
    else:
        student.show_seat(seat)
