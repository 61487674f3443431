"""SQLite caches: what took minutes to compute, stored in the cache folder for the next time.

Whatever is in such a file can be computed again, so a cache never fails: a damaged file is deleted and begun from
scratch, and where the folder cannot be used at all, the cache is in memory, for this once. What is cached, and under
which key, is defined where it is computed::

    with open_cache("hashes", "CREATE TABLE IF NOT EXISTS images (path TEXT PRIMARY KEY, hash TEXT)", 1) as cache:
        known = find_rows(cache, "images", ["path"], [(path,) for path in paths])
        write_rows(cache, "INSERT OR REPLACE INTO images VALUES (?, ?)", computed)
"""

import functools
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from fracture import paths

WAIT_SECONDS = 60.0
"""How long to wait for other processes that write."""

_log = logging.getLogger(__name__)


@contextmanager
def open_cache(name: str, schema: str, version: int) -> Iterator[sqlite3.Connection]:
    """A connection to one cache, for the thread that opens it; to be written to by :func:`write_rows`.

    Opening reads the whole file, to see whether it is damaged: open once for many rows.

    Args:
        name: a path below the cache folder, without its ending ``.sqlite``.
        schema: ``CREATE TABLE IF NOT EXISTS ...`` of its table.
        version: of the schema and of what the values mean, SQLite's ``user_version``; tables of another version are
            dropped. 0 is that of a file whose version nobody has set.
    """
    with closing(_open_file_or_memory(cache_file(name), schema, version)) as cache:
        yield cache


def cache_file(name: str) -> Path:
    """Where a cache lies, by its path below the cache folder without the ending."""
    return paths.cache_home() / f"{name}.sqlite"


def find_rows(
    cache: sqlite3.Connection, table: str, key: Sequence[str], wanted: Iterable[Sequence[object]]
) -> list[tuple[Any, ...]]:
    """The rows of a table whose columns ``key`` hold one of the ``wanted`` values; none where it cannot be read.

    ``table`` and ``key`` are names from the program, never text from elsewhere.
    """
    columns = ", ".join(key)
    marks = ", ".join("?" * len(key))
    try:
        with cache:
            # A table and not `IN (?, ?, ...)`: SQLite bounds the number of question marks.
            cache.execute("DROP TABLE IF EXISTS temp.wanted")
            cache.execute(f"CREATE TEMP TABLE wanted ({columns})")
            cache.executemany(f"INSERT INTO wanted VALUES ({marks})", wanted)  # noqa: S608
            # CROSS JOIN keeps this order: go through what is wanted, and look each up by its key.
            query = f"SELECT {table}.* FROM wanted CROSS JOIN {table} USING ({columns})"  # noqa: S608
            return cache.execute(query).fetchall()
    except sqlite3.ProgrammingError:  # a mistake in this program, not damage
        raise
    except sqlite3.DatabaseError as error:
        _warn_once(f"A cache cannot be read, so that its values are computed again: {error}")
        return []


def write_rows(cache: sqlite3.Connection, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, all or none. Where the disk refuses, they will have to be computed again, no more."""
    try:
        with cache:
            cache.executemany(statement, rows)
    except sqlite3.ProgrammingError:  # a mistake in this program, not damage
        raise
    except sqlite3.DatabaseError as error:
        _warn_once(f"A cache cannot be written, so that its values will be computed again: {error}")


def _open_file_or_memory(file: Path, schema: str, version: int) -> sqlite3.Connection:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=WAIT_SECONDS):  # nobody deletes a file that another one has just begun
            if _is_damaged(file):
                _log.warning("%s is damaged; it is begun from scratch.", file)
                file.unlink()
            return _open(str(file), schema, version)
    except (OSError, sqlite3.Error) as error:
        _warn_once(f"{file} cannot be used, so that nothing is kept on disk: {error}")
        return _open(":memory:", schema, version)


def _is_damaged(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=WAIT_SECONDS)) as cache:
        try:
            return bool(cache.execute("PRAGMA quick_check").fetchone()[0] != "ok")
        except sqlite3.OperationalError:  # in use, or cannot be opened: that is no damage
            raise
        except sqlite3.DatabaseError:
            return True


def _open(place: str, schema: str, version: int) -> sqlite3.Connection:
    """Open a file or ``:memory:``, with the table and the version that are asked for.

    Reading the version, dropping tables and creating them is one transaction: no other process sees half of it.
    """
    cache = sqlite3.connect(place, timeout=WAIT_SECONDS)
    try:
        cache.execute("PRAGMA temp_store = MEMORY")
        # A transaction that begins with reading may be refused when it comes to write; this one waits for its turn now.
        cache.execute("BEGIN IMMEDIATE")
        with cache:
            if cache.execute("PRAGMA user_version").fetchone()[0] != version:
                _drop_tables(cache)
                cache.execute(f"PRAGMA user_version = {version:d}")
            cache.execute(schema)
    except BaseException:
        cache.close()
        raise
    return cache


def _drop_tables(cache: sqlite3.Connection) -> None:
    for (name,) in cache.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        cache.execute(f'DROP TABLE "{name}"')


@functools.lru_cache(100)
def _warn_once(message: str) -> None:
    """A page would say the same at each click."""
    _log.warning(message)
