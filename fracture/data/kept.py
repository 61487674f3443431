"""Small databases in the cache: what took minutes to work out, kept for the next time.

Whatever is wrong with such a file, what it held can be worked out again: it is thrown away and begun anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fracture import home


@contextmanager
def kept(name: str, schema: str, version: int) -> Iterator[sqlite3.Connection]:
    """A connection to the database ``name`` in the cache; what is written is committed at the end.

    Args:
        name: a path below the cache, without its ending.
        schema: ``CREATE TABLE IF NOT EXISTS ...`` of its tables.
        version: of the schema and of what the values mean; a file of another one is begun anew.
    """
    file = home.cache_home() / f"{name}.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(_opened(file, schema, version)) as base, base:
        yield base


def _opened(file: Path, schema: str, version: int) -> sqlite3.Connection:
    try:
        return _open(file, schema, version)
    except sqlite3.OperationalError:  # in use, or the disk is full: it is whole
        raise
    except sqlite3.DatabaseError:
        file.unlink(missing_ok=True)
        return _open(file, schema, version)


def _open(file: Path, schema: str, version: int) -> sqlite3.Connection:
    base = sqlite3.connect(file, timeout=60)
    try:
        fresh = not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        said = base.execute("PRAGMA user_version").fetchone()[0]
        if not fresh and (said != version or base.execute("PRAGMA quick_check").fetchone()[0] != "ok"):
            raise sqlite3.DatabaseError
        with base:
            base.execute(schema)
            base.execute(f"PRAGMA user_version = {version:d}")
    except BaseException:
        base.close()
        raise
    return base
