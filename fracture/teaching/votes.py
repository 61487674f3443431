"""The students of a room, and their votes."""

import sqlite3
import time
from typing import NamedTuple

import pandas as pd

from fracture.errors import RoomError
from fracture.formatting import format_count
from fracture.teaching import codes, store

CONFIDENCES = ("guess", "fairly sure", "sure")
"""The steps of a vote's confidence, in words; on disk their numbers."""


class Vote(NamedTuple):
    """A student's answer to one image."""

    positive: bool
    confidence: int
    """The place in :data:`CONFIDENCES`."""


def join(code: str, nickname: str = "") -> str:
    """Join a room as a new student, whose random identity is returned.

    Raises RoomError where the room is closed or full.
    """
    student = codes.new_word()
    with store.writing() as rooms:
        row = _open_room(rooms, code)
        most = row["max_students"]
        if rooms.execute("SELECT count(*) FROM students WHERE room = ?", (code,)).fetchone()[0] >= most:
            raise RoomError(
                f"Room {code} is full: it holds {format_count(most, 'student')}. Look on with somebody who has joined."
            )
        rooms.execute("INSERT INTO students VALUES (?, ?, ?)", (code, student, codes.clean_nickname(nickname)))
    return student


def is_student(code: str, student: str) -> bool:
    """Whether this student has joined the room."""
    with store.reading() as rooms:
        return _is_student(rooms, code, student)


def vote(code: str, student: str, place: int, given: Vote) -> None:
    """Keep a student's vote on an image in the place of an earlier one. On return it is on disk.

    Raises:
        RoomError: the room is closed, the student has not joined it, or the image is not the one that is asked about:
            the teacher has revealed it or shows another.
    """
    if not 0 <= given.confidence < len(CONFIDENCES):
        raise RoomError(f"confidence must be 0 to {len(CONFIDENCES) - 1}. Received: {given.confidence}; vote again.")
    with store.writing() as rooms:
        row = _open_room(rooms, code)
        if not _is_student(rooms, code, student):
            raise RoomError(f"You have not joined room {code}. Join it, then vote.")
        if row["place"] != place or not _is_unrevealed(rooms, code, place):
            raise RoomError(
                "This vote came too late and does not count: the answer was revealed, or the image changed."
            )
        rooms.execute(
            "INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?, ?)",
            (code, place, student, int(given.positive), given.confidence, time.time()),
        )


def own_vote(code: str, student: str, place: int) -> Vote | None:
    """A student's vote on an image; None where they have not voted on it."""
    with store.reading() as rooms:
        row = rooms.execute(
            "SELECT positive, confidence FROM votes WHERE room = ? AND student = ? AND place = ?",
            (code, student, place),
        ).fetchone()
    return None if row is None else Vote(bool(row["positive"]), row["confidence"])


def count_votes(code: str, place: int) -> dict[Vote, int]:
    """How many students gave each vote on an image; votes that nobody gave are left out."""
    with store.reading() as rooms:
        rows = rooms.execute(
            "SELECT positive, confidence, count(*) AS votes FROM votes WHERE room = ? AND place = ? GROUP BY 1, 2",
            (code, place),
        ).fetchall()
    return {Vote(bool(row["positive"]), row["confidence"]): row["votes"] for row in rows}


def nicknames(code: str) -> dict[str, str]:
    """The nicknames of the students who gave one, by student, in the order in which they joined."""
    with store.reading() as rooms:
        rows = rooms.execute(
            "SELECT student, nickname FROM students WHERE room = ? AND nickname != '' ORDER BY rowid", (code,)
        ).fetchall()
    return {row["student"]: row["nickname"] for row in rows}


def remove_nickname(code: str, secret: str, student: str) -> None:
    """Remove a student's nickname; their votes stay. Raises RoomError where this is not the teacher."""
    with store.writing() as rooms:
        row = _open_room(rooms, code)
        if not codes.matches(secret, row["secret"]):
            raise RoomError(f"Only the teacher who opened room {code} may do this. Open your teacher's link.")
        rooms.execute("UPDATE students SET nickname = '' WHERE room = ? AND student = ?", (code, student))


def revealed_images(code: str) -> pd.DataFrame:
    """The images that were revealed, a row each: ``place, identity, label, probability``, the model's."""
    return _table(code, "SELECT place, identity, label, probability FROM images WHERE room = ? AND revealed")


def revealed_votes(code: str) -> pd.DataFrame:
    """The votes on the images that were revealed, a row each.

    ``place, student, positive, confidence, time, label``; the time in seconds since 1970.
    """
    return _table(
        code,
        "SELECT votes.place, student, positive, confidence, time, label FROM votes "
        "JOIN images ON images.room = votes.room AND images.place = votes.place "
        "WHERE votes.room = ? AND revealed ORDER BY votes.place, student",
    )


def anonymous_votes(code: str, labels: tuple[str, str]) -> pd.DataFrame:
    """The votes on the images that were revealed, to be downloaded: no nickname, and students as numbers.

    The numbers follow the random identities, not the order in which the students joined.
    """
    given = revealed_votes(code)
    identity = revealed_images(code).set_index("place")["identity"]
    word = dict(enumerate(labels))
    return pd.DataFrame(
        {
            "image": given["place"] + 1,
            "name": given["place"].map(identity),
            "truth": given["label"].map(word),
            "student": given["student"].rank(method="dense").astype("int64"),
            "vote": given["positive"].map(word),
            "confidence": given["confidence"].map(dict(enumerate(CONFIDENCES))),
        }
    )


def _table(code: str, query: str) -> pd.DataFrame:
    with store.reading() as rooms:
        found = rooms.execute(query, (code,))
        columns = [column[0] for column in found.description]
        return pd.DataFrame([tuple(row) for row in found], columns=columns)


def _open_room(rooms: sqlite3.Connection, code: str) -> sqlite3.Row:
    row: sqlite3.Row | None = rooms.execute(
        "SELECT * FROM rooms WHERE code = ? AND expires > ?", (code, time.time())
    ).fetchone()
    if row is None:
        raise RoomError(f"Room {code} is closed or has expired. Ask your teacher for another code.")
    return row


def _is_student(rooms: sqlite3.Connection, code: str, student: str) -> bool:
    found = rooms.execute("SELECT 1 FROM students WHERE room = ? AND student = ?", (code, student)).fetchone()
    return found is not None


def _is_unrevealed(rooms: sqlite3.Connection, code: str, place: int) -> bool:
    found = rooms.execute(
        "SELECT 1 FROM images WHERE room = ? AND place = ? AND NOT revealed", (code, place)
    ).fetchone()
    return found is not None
