"""The rooms of class votes: a teacher opens one, shows image after image, reveals each, and closes the room.

Students are in :mod:`fracture.teaching.votes`. Every action of the teacher needs the secret of the room.
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

from fracture import demo
from fracture.errors import PublicError, RoomError
from fracture.teaching import codes, store

SECONDS = 3 * 3600.0
"""How long a room is open."""

MAX_STUDENTS = 100
"""In a room. Fifty were measured, see ``benchmarks/class_vote.py``."""

LOBBY = -1
"""The place before the first image: students arrive."""


@dataclass(frozen=True)
class NewImage:
    """An image of a room with its truth and the model's answer, all of it known before the room opens."""

    identity: str
    """Its name in the votes that are downloaded."""
    picture: bytes
    """JPEG."""
    label: int
    """The truth: 0 or 1."""
    truth: str
    """The truth in words."""
    probability: float
    """The model's, of its positive label, 0 to 1."""
    answer: str
    """The model's answer in words."""
    heat: bytes
    """JPEG: the picture with the model's heat map and the truth over it."""


class RoomModel(NamedTuple):
    """The model that answers beside a class."""

    name: str
    labels: tuple[str, str]
    """Its own words, which may not be those of the class."""
    threshold: float
    """Its balanced one: a probability at or above it is called positive."""


@dataclass(frozen=True)
class Room:
    """An open room."""

    code: str
    expires: float
    """Seconds since 1970."""
    labels: tuple[str, str]
    """The words for label 0 and label 1 that the class votes with."""
    model: RoomModel
    credit: str
    """Of the images; empty where none is due."""
    images: int
    place: int
    """Of the image that is shown; :data:`LOBBY` before the first, the number of images after the last."""
    revealed: bool
    """Whether the truth of the image that is shown is revealed."""
    students: int
    votes: int
    """On the image that is shown."""

    @property
    def step(self) -> tuple[int, bool]:
        """What a page must be drawn again for."""
        return self.place, self.revealed

    @property
    def shows_image(self) -> bool:
        """Whether an image is shown, neither the lobby nor the results."""
        return 0 <= self.place < self.images


class Reveal(NamedTuple):
    """What is shown of an image once it is revealed."""

    label: int
    truth: str
    probability: float
    answer: str
    heat: bytes


def open_room(images: Sequence[NewImage], labels: tuple[str, str], model: RoomModel, credit: str) -> tuple[str, str]:
    """Open a room, whose code and whose teacher's secret are returned.

    Raises:
        PublicError: the public demo has as many rooms as it allows.
        RoomError: there is no image, or the file of rooms can't be written.
    """
    if not images:
        raise RoomError("A room needs at least one image. Received: none; choose other images.")
    secret = codes.new_word()
    with store.writing() as rooms:
        _delete_expired(rooms)
        _check_number(rooms)
        code = _unused_code(rooms)
        rooms.execute(
            "INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                code,
                codes.hashed(secret),
                time.time() + SECONDS,
                *labels,
                model.name,
                *model.labels,
                model.threshold,
                credit,
                _max_students(),
                LOBBY,
            ),
        )
        rooms.executemany(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            [(code, place, *astuple(each)) for place, each in enumerate(images)],
        )
    return code, secret


def find_room(code: str) -> Room | None:
    """The open room with this code; None where there is none. Whoever looks deletes expired rooms."""
    with store.reading() as rooms:
        row = rooms.execute(_FIND, (code,)).fetchone()
    if row is not None and row["expires"] <= time.time():
        with store.writing() as rooms:
            _delete_expired(rooms)
        store.erase_deleted()
        return None
    return None if row is None else _room(row)


def is_teacher(code: str, secret: str) -> bool:
    """Whether this is the secret of the room's teacher; no where the room is closed."""
    with store.reading() as rooms:
        row = rooms.execute("SELECT secret FROM rooms WHERE code = ?", (code,)).fetchone()
    return row is not None and codes.matches(secret, row["secret"])


def picture(code: str, place: int) -> bytes | None:
    """The JPEG of an image; None where there is none."""
    with store.reading() as rooms:
        row = rooms.execute("SELECT picture FROM images WHERE room = ? AND place = ?", (code, place)).fetchone()
    return None if row is None else bytes(row["picture"])


def reveal_of(code: str, place: int) -> Reveal | None:
    """What was revealed of an image; None where the teacher has not revealed it yet."""
    with store.reading() as rooms:
        row = rooms.execute(
            "SELECT label, truth, probability, answer, heat FROM images WHERE room = ? AND place = ? AND revealed",
            (code, place),
        ).fetchone()
    return None if row is None else Reveal(**row)


def show(code: str, secret: str, place: int) -> None:
    """Show another image, the lobby or the results. Raises RoomError where this is not the teacher."""
    with store.writing() as rooms:
        _check_teacher(rooms, code, secret)
        rooms.execute(
            "UPDATE rooms SET place = max(-1, min(?, (SELECT count(*) FROM images WHERE room = code))) WHERE code = ?",
            (place, code),
        )


def reveal(code: str, secret: str, place: int) -> None:
    """Reveal an image; no vote on it counts from now on. Raises RoomError where this is not the teacher."""
    with store.writing() as rooms:
        _check_teacher(rooms, code, secret)
        rooms.execute("UPDATE images SET revealed = 1 WHERE room = ? AND place = ?", (code, place))


def close(code: str, secret: str) -> None:
    """Delete a room with its images, its students and their votes. Raises RoomError where this is not the teacher."""
    with store.writing() as rooms:
        _check_teacher(rooms, code, secret)
        rooms.execute("DELETE FROM rooms WHERE code = ?", (code,))
    store.erase_deleted()


_FIND = """
SELECT rooms.*,
    (SELECT count(*) FROM images WHERE room = code) AS images,
    (SELECT revealed FROM images WHERE room = code AND images.place = rooms.place) AS revealed,
    (SELECT count(*) FROM students WHERE room = code) AS students,
    (SELECT count(*) FROM votes WHERE room = code AND votes.place = rooms.place) AS votes
FROM rooms WHERE code = ?
"""


def _room(row: sqlite3.Row) -> Room:
    return Room(
        code=row["code"],
        expires=row["expires"],
        labels=(row["negative"], row["positive"]),
        model=RoomModel(row["model"], (row["model_negative"], row["model_positive"]), row["threshold"]),
        credit=row["credit"],
        images=row["images"],
        place=row["place"],
        revealed=bool(row["revealed"]),
        students=row["students"],
        votes=row["votes"],
    )


def _check_teacher(rooms: sqlite3.Connection, code: str, secret: str) -> None:
    row = rooms.execute("SELECT secret FROM rooms WHERE code = ? AND expires > ?", (code, time.time())).fetchone()
    if row is None:
        raise RoomError(f"Room {code} is closed. Open a new one.")
    if not codes.matches(secret, row["secret"]):
        raise RoomError(f"Only the teacher who opened room {code} may do this. Open your teacher's link.")


def _check_number(rooms: sqlite3.Connection) -> None:
    most = demo.LIMITS.max_rooms
    if demo.is_public() and rooms.execute("SELECT count(*) FROM rooms").fetchone()[0] >= most:
        raise PublicError(
            f"The public demo has at most {most} rooms at a time. Received: one more; try again when one is closed, "
            "or run the app yourself."
        )


def _max_students() -> int:
    return demo.LIMITS.max_students if demo.is_public() else MAX_STUDENTS


def _unused_code(rooms: sqlite3.Connection) -> str:
    code = codes.new_code()
    while rooms.execute("SELECT 1 FROM rooms WHERE code = ?", (code,)).fetchone():
        code = codes.new_code()
    return code


def _delete_expired(rooms: sqlite3.Connection) -> None:
    rooms.execute("DELETE FROM rooms WHERE expires <= ?", (time.time(),))
