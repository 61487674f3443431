"""Rooms: what a teacher does, and when a room ends."""

import pytest

from fracture import demo
from fracture.errors import PublicError, RoomError
from fracture.teaching import codes, rooms, store, votes
from fracture.teaching.votes import Vote
from tests.support.votes import LABELS, MODEL, image


def test_new_room_waits_for_students(room):
    """It shows no image yet, and holds what it was opened with."""
    code, secret = room
    found = rooms.find_room(code)
    assert (found.place, found.images, found.students, found.labels) == (rooms.LOBBY, 3, 0, LABELS)
    assert (found.model, found.credit) == (MODEL, "CC BY")
    assert not found.shows_image and rooms.picture(code, 0) == b"picture 0"
    assert rooms.is_teacher(code, secret) and not rooms.is_teacher(code, "another")
    assert set(code) <= set(codes.LETTERS) and len(code) == codes.CODE_LENGTH


def test_teacher_leads_from_image_to_image(room):
    """An image's truth is there once it is revealed, and the last step is the results."""
    code, secret = room
    rooms.show(code, secret, 0)
    assert rooms.reveal_of(code, 0) is None
    rooms.reveal(code, secret, 0)
    assert rooms.find_room(code).revealed and rooms.reveal_of(code, 0).truth == "normal"
    rooms.show(code, secret, 1)
    assert not rooms.find_room(code).revealed
    rooms.show(code, secret, 99)
    assert rooms.find_room(code).place == 3


@pytest.mark.parametrize("action", [rooms.show, rooms.reveal, lambda code, secret, _: rooms.close(code, secret)])
def test_only_the_teacher_leads(room, action):
    """Another secret is refused in one sentence, and nothing changes."""
    before = rooms.find_room(room[0])
    with pytest.raises(RoomError, match="Only the teacher"):
        action(room[0], "another", 0)
    assert rooms.find_room(room[0]) == before


def test_closed_room_leaves_nothing_behind(room):
    """Neither a row nor a byte of a picture or a nickname is left in the files."""
    code, secret = room
    student = votes.join(code, "Zebra-nickname")
    rooms.show(code, secret, 0)
    votes.vote(code, student, 0, Vote(True, 2))
    rooms.close(code, secret)
    assert rooms.find_room(code) is None
    with store.reading() as connection:
        for table in ("rooms", "images", "students", "votes"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
    left = b"".join(path.read_bytes() for path in store.rooms_file().parent.glob("class-votes*"))
    assert b"picture 0" not in left and b"Zebra" not in left


def test_expired_room_is_deleted_by_whoever_looks_next(room, monkeypatch):
    """After three hours it is gone, students, votes and all."""
    later = rooms.time.time() + rooms.SECONDS + 1
    votes.join(room[0], "A")
    monkeypatch.setattr(rooms.time, "time", lambda: later)
    with pytest.raises(RoomError, match="closed"):
        rooms.show(*room, 0)
    assert rooms.find_room(room[0]) is None
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM students").fetchone()[0] == 0


def test_room_without_images_is_refused(homes):
    """There would be nothing to vote on."""
    with pytest.raises(RoomError, match="at least one image"):
        rooms.open_room([], LABELS, MODEL, "")


def test_public_demo_limits_rooms_and_students(homes, monkeypatch):
    """One room more, and one student more, are refused with what is allowed; a closed room makes room."""
    monkeypatch.setenv(demo.VARIABLE, "1")
    opened = [rooms.open_room([image(0)], LABELS, MODEL, "") for _ in range(demo.LIMITS.max_rooms)]
    with pytest.raises(PublicError, match=f"at most {demo.LIMITS.max_rooms} rooms"):
        rooms.open_room([image(0)], LABELS, MODEL, "")
    rooms.close(*opened[1])
    rooms.open_room([image(0)], LABELS, MODEL, "")
    for _ in range(demo.LIMITS.max_students):
        votes.join(opened[0][0])
    with pytest.raises(RoomError, match="is full"):
        votes.join(opened[0][0])
