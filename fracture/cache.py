"""Small databases in the cache: what took minutes to work out, kept for the next time.

Whatever is wrong with such a file or its place, what it held can be worked out again: a damaged file is thrown away and
begun anew, and where the cache cannot be used at all, what is worked out is kept in memory, for this once.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from fracture import paths

PATIENCE = 60.0
"""Seconds to wait for others who write."""


@contextmanager
def kept(name: str, schema: str, version: int) -> Iterator[sqlite3.Connection]:
    """A connection to the database ``name`` in the cache; it is written to by :func:`keep`.

    Args:
        name: a path below the cache, without its ending.
        schema: ``CREATE TABLE IF NOT EXISTS ...`` of its table.
        version: of the schema and of what the values mean; what is there of another one is dropped.
    """
    with closing(_opened(paths.cache_home() / f"{name}.sqlite", schema, version)) as base:
        yield base


def keep(base: sqlite3.Connection, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, all or none; where the disk refuses, that costs the time to work them out again, no more."""
    with suppress(sqlite3.OperationalError), base:
        base.executemany(statement, rows)


def _opened(file: Path, schema: str, version: int) -> sqlite3.Connection:
    with suppress(OSError, sqlite3.Error):
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=PATIENCE):  # nobody takes away what another one has just begun
            if _damaged(file):
                file.unlink()
            return _open(str(file), schema, version)
    return _open(":memory:", schema, version)


def _damaged(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as base:
        try:
            return bool(base.execute("PRAGMA quick_check").fetchone()[0] != "ok")
        except sqlite3.OperationalError:  # it is in use, or cannot be opened: that is no damage
            raise
        except sqlite3.DatabaseError:
            return True


def _open(place: str, schema: str, version: int) -> sqlite3.Connection:
    """The look, the tables and the version are one transaction: nobody sees one of them without the others."""
    base = sqlite3.connect(place, timeout=PATIENCE)
    try:
        base.execute("PRAGMA temp_store = MEMORY")
        base.execute("BEGIN IMMEDIATE")
        with base:
            if base.execute("PRAGMA user_version").fetchone()[0] != version:
                _drop_tables(base)
                base.execute(f"PRAGMA user_version = {version:d}")
            base.execute(schema)
    except BaseException:
        base.close()
        raise
    return base


def _drop_tables(base: sqlite3.Connection) -> None:
    for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        base.execute(f'DROP TABLE "{name}"')
