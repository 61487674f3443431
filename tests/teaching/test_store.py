"""The file of rooms: shared by processes, and errors of the disk in one sentence."""

import sqlite3
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from fracture.errors import RoomError
from fracture.teaching import rooms, store, votes
from tests.support.votes import LABELS, MODEL, image


def test_damaged_file_is_one_sentence(room):
    """It says what to do."""
    store.rooms_file().write_bytes(b"no database" * 1000)
    for rest in store.rooms_file().parent.glob("class-votes-*-*"):
        rest.unlink()
    with pytest.raises(RoomError, match=r"damaged .* Delete class-votes"):
        rooms.find_room(room[0])


def test_full_disk_is_one_sentence(room, monkeypatch):
    """A vote that could not be written is not acknowledged."""

    def refuse(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_prepare", refuse)
    with pytest.raises(RoomError, match="disk is full"):
        votes.join(room[0])


def test_rooms_opened_at_the_same_time_are_all_there(homes):
    """The first ones make the file together."""
    opened = []
    threads = [
        threading.Thread(target=lambda: opened.append(rooms.open_room([image(0)], LABELS, MODEL, ""))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({code for code, _ in opened}) == 8
    assert all(rooms.find_room(code) for code, _ in opened)


def test_another_process_sees_the_room_at_once(room):
    """Several processes of the app share it, and what one has written is there for the others."""
    code, _ = room
    script = f"from fracture.teaching import votes; print(votes.join({code!r}, 'from another process'))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert votes.is_student(code, found.stdout.strip())


def test_transaction_is_kept_as_a_whole_or_not_at_all(room):
    """An error within it leaves the room as it was."""
    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        connection.execute("DELETE FROM rooms")
        _ = 1 / 0
    assert rooms.find_room(room[0]) is not None


def test_readers_do_not_wait_for_a_writer(room):
    """While a vote is being written, phones look on."""
    with store.writing() as connection:
        connection.execute("UPDATE rooms SET place = 2")
        assert rooms.find_room(room[0]).place == rooms.LOBBY
    assert rooms.find_room(room[0]).place == 2


@pytest.mark.parametrize(
    ("fstype", "host", "log"),
    [("ext4", "", "wal"), ("nfs4", "", "delete"), ("fuse.sshfs", "", "delete"), ("ext4", "a", "delete")],
)
def test_write_ahead_log_is_for_one_host_alone(homes, monkeypatch, fstype, host, log):
    """A network file system, and a host that has a name for others, keep the ordinary log; votes work there, too."""
    root = SimpleNamespace(mountpoint="/", fstype="ext4", opts="rw")
    mounted = SimpleNamespace(mountpoint=str(homes), fstype=fstype, opts="rw")
    monkeypatch.setattr(store.psutil, "disk_partitions", lambda **_: [mounted, root])
    monkeypatch.setenv("FRACTURE_HOST", host)
    code, _ = rooms.open_room([image(0)], LABELS, MODEL, "")
    with store.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == log
    assert votes.is_student(code, votes.join(code))
