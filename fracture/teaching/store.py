"""The file of rooms: one SQLite database that all processes of an app share, and one transaction for each change.

Nothing is kept in memory: a server may be killed at any moment, and what it has acknowledged is still there. The file
lies in the cache folder, since its rooms end after three hours anyway.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from filelock import FileLock

from fracture import paths
from fracture.errors import RoomError
from fracture.jobs.process import HOST_VARIABLE

VERSION = 1
"""Of the tables. It is a part of the file's name: two versions of the app that run at the same time share no file."""

WAIT_SECONDS = 5.0
"""How long to wait for another process that writes; each write takes milliseconds."""

_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.", "ceph", "lustre", "glusterfs", "gpfs", "beegfs")
"""How the names of file systems begin that several hosts may mount."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (
    code TEXT PRIMARY KEY,
    secret TEXT NOT NULL,       -- the hash of the teacher's secret
    expires REAL NOT NULL,      -- seconds since 1970
    negative TEXT NOT NULL,     -- the two label words that the class votes with
    positive TEXT NOT NULL,
    model TEXT NOT NULL,        -- its name and its own words for the labels
    model_negative TEXT NOT NULL,
    model_positive TEXT NOT NULL,
    threshold REAL NOT NULL,    -- the model's balanced one
    credit TEXT NOT NULL,
    max_students INTEGER NOT NULL,
    place INTEGER NOT NULL      -- -1: students arrive; 0, 1, ...: this image; the number of images: the results
);
CREATE TABLE IF NOT EXISTS images (
    room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE,
    place INTEGER NOT NULL,
    identity TEXT NOT NULL,
    picture BLOB NOT NULL,      -- JPEG
    label INTEGER NOT NULL,     -- the truth: 0 or 1
    truth TEXT NOT NULL,        -- in words
    probability REAL NOT NULL,  -- the model's, of its positive label
    answer TEXT NOT NULL,       -- the model's, in words
    heat BLOB NOT NULL,         -- JPEG: the picture with the heat map and the truth over it
    revealed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, place)
);
CREATE TABLE IF NOT EXISTS students (
    room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE,
    student TEXT NOT NULL,
    nickname TEXT NOT NULL,
    PRIMARY KEY (room, student)
);
CREATE TABLE IF NOT EXISTS votes (
    room TEXT NOT NULL,
    place INTEGER NOT NULL,
    student TEXT NOT NULL,
    positive INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (room, place, student),
    FOREIGN KEY (room, place) REFERENCES images ON DELETE CASCADE,
    FOREIGN KEY (room, student) REFERENCES students ON DELETE CASCADE
);
"""


def rooms_file() -> Path:
    """Where the rooms lie."""
    return paths.cache_home() / f"class-votes-{VERSION}.sqlite"


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """A connection that reads. Raises RoomError where the file can't be used."""
    with _connected() as rooms:
        yield rooms


@contextmanager
def writing() -> Iterator[sqlite3.Connection]:
    """A connection within a transaction, which is kept as a whole, or not at all where an error leaves the block.

    Raises RoomError where the file can't be written.
    """
    with _connected() as rooms:
        # One that begins with reading may be refused when it comes to write; this one waits for its turn now.
        rooms.execute("BEGIN IMMEDIATE")
        with rooms:
            yield rooms


def erase_deleted() -> None:
    """Take what was deleted out of the write-ahead log, too, where nobody reads at the moment."""
    with _connected() as rooms:
        rooms.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _connected() -> Iterator[sqlite3.Connection]:
    file = rooms_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=WAIT_SECONDS)) as rooms:
            _prepare(rooms)
            yield rooms
    except (OSError, sqlite3.OperationalError) as error:  # in use, read-only, or the disk is full
        raise RoomError(f"The rooms can't be read or written just now ({error}). Try again in a moment.") from error
    except sqlite3.DatabaseError as error:
        raise RoomError(
            f"The file of rooms is damaged ({error}). Delete {file.name} in the folder of caches, and open a new room."
        ) from error


def _prepare(rooms: sqlite3.Connection) -> None:
    rooms.row_factory = sqlite3.Row
    rooms.execute("PRAGMA foreign_keys = ON")
    rooms.execute("PRAGMA secure_delete = ON")  # deleted votes and pictures are overwritten
    rooms.execute("PRAGMA synchronous = NORMAL")  # survives a killed server; a power cut may cost the last votes
    if rooms.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        _create_tables(rooms)


def _create_tables(rooms: sqlite3.Connection) -> None:
    with FileLock(f"{rooms_file()}.lock", timeout=WAIT_SECONDS):  # two that change the kind of log refuse each other
        # Readers don't wait for writers then. The log's index is shared memory, which no other host sees.
        if not _shared_by_hosts(rooms_file().parent):
            rooms.execute("PRAGMA journal_mode = WAL")
        rooms.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def _shared_by_hosts(folder: Path) -> bool:
    """Whether other hosts may write to a folder: it is on a network file system, or this host has a name for others."""
    if os.environ.get(HOST_VARIABLE):
        return True
    mounts = [each for each in psutil.disk_partitions(all=True) if folder.is_relative_to(each.mountpoint)]
    if not mounts:
        return False
    innermost = max(mounts, key=lambda each: len(each.mountpoint))
    return innermost.fstype.lower().startswith(_NETWORK) or "remote" in innermost.opts
