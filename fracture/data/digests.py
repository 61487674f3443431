"""The SHA-256 of image files, kept on disk: an image is the same where its file is, whatever it is called.

A file is hashed again when its size or the time of its last change is another.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from fracture.cache import keep, kept
from fracture.data.measurements import FileState, file_state, measured
from fracture.files import file_sha256

_SCHEMA = """CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, sha256 TEXT)
    WITHOUT ROWID"""


def digests(paths: Sequence[str]) -> list[str]:
    """The SHA-256 of each file in hexadecimal, computed where it is not known; "" where a file cannot be read."""
    known = known_digests(paths)
    missing = [file_state(path) for path in dict.fromkeys(paths) if path not in known]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_digest, (state.path for state in missing)))
    rows = [(*state, digest) for state, digest in zip(missing, found, strict=True) if digest]
    with kept("digests/files", _SCHEMA, 1) as base:
        keep(base, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows)
    known.update({state.path: digest for state, digest in zip(missing, found, strict=True)})
    return [known[path] for path in paths]


def known_digests(paths: Sequence[str]) -> dict[str, str]:
    """By path, those that are known without opening a file: hashed before, or when their pixels were measured."""
    table = measured(pd.DataFrame({"image_id": paths, "path": paths}))
    by_path = zip(table["path"], table["sha256"], strict=True)
    known = {path: digest for path, digest in by_path if digest}
    with kept("digests/files", _SCHEMA, 1) as base:
        known.update(_look_up(base, map(file_state, dict.fromkeys(paths))))
    return known


def _look_up(base: sqlite3.Connection, states: Iterable[FileState]) -> dict[str, str]:
    base.execute("CREATE TEMP TABLE wanted (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER) WITHOUT ROWID")
    base.executemany("INSERT INTO wanted VALUES (?, ?, ?)", states)
    found = dict(base.execute("SELECT path, sha256 FROM files JOIN wanted USING (path, size, changed)"))
    base.commit()
    return found


def _digest(path: str) -> str:
    try:
        return file_sha256(Path(path))
    except OSError:
        return ""
