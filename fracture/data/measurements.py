"""Measurements of every image of a data set, and the SHA-256 of their files; cached on disk.

::

    files ── measure ──> a row each ────┬──> checks, galleries
      └─ (path, size, time) ── cached ──┘        measured: cached rows alone, no file is opened
    files ── digests ──> a SHA-256 each ────> features, similar images, model cards

The statistics of one image are computed in :mod:`fracture.imaging.statistics`. A file is measured or hashed again when
its size or the time of its last change is another.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fracture.cache import find_rows, open_cache, write_rows
from fracture.cluster import lacks_path
from fracture.errors import RadiographError
from fracture.files import file_sha256, open_file
from fracture.imaging.radiograph import PREPROCESSING_VERSION, read
from fracture.imaging.statistics import Measures, measure_pixels
from fracture.parallel import HERE, Workplace, open_workers, run_tasks

MEASUREMENTS_VERSION = 3
"""To be raised whenever :func:`fracture.imaging.statistics.measure_pixels` gives other values for the same pixels, or
more of them."""

FILES_PER_CHUNK = 64
"""Images between two writes: at most so many must be measured again when the process is killed."""

_FILE_COLUMNS = ("problem", "sha256", "file_bytes", "file_format", "storage")

MEASUREMENT_COLUMNS = ("image_id", "path", "readable", *_FILE_COLUMNS, *Measures._fields)
"""The columns of every table of measurements. ``readable``: the whole file can be decoded; where not, ``problem`` is
a sentence that says why, and all measures are missing. ``sha256``: of the file's bytes; "" where it cannot be read.
``file_format`` and ``storage``: as :class:`fracture.imaging.radiograph.Radiograph` has them; "" where it cannot be
read."""

_SCHEMA = f"""CREATE TABLE IF NOT EXISTS images (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER,
    {", ".join((*_FILE_COLUMNS, *Measures._fields))}) WITHOUT ROWID"""

_DIGESTS_SCHEMA = """CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER,
    sha256 TEXT) WITHOUT ROWID"""

_Values = tuple[str | float | None, ...]
"""The file's columns and the measures of one image."""


class FileState(NamedTuple):
    """A file, with the size and time by which a change is noticed."""

    path: str
    size: int
    changed: int
    """In ns since the epoch; this and ``size`` are -1 where there is no such file."""


def _no_progress(done: int, total: int) -> None:
    """Report nothing."""


def _never() -> bool:
    return False


def measure(
    table: pd.DataFrame,
    on_progress: Callable[[int, int], None] = _no_progress,
    should_stop: Callable[[], bool] = _never,
    by: Workplace = HERE,
) -> pd.DataFrame:
    """Measurements of all images, computed on all cores where they are not cached.

    Args:
        table: of images, with ``image_id`` and ``path``.
        on_progress: called with the number of images that are done, and of all: at once, and after each
            :data:`FILES_PER_CHUNK`.
        should_stop: asked before each chunk; the rows until then are cached and returned.
        by: which processes measure; in this one, threads do.

    Returns:
        A table with :data:`MEASUREMENT_COLUMNS`, and the order and index of ``table``; rows are missing after a stop.
    """
    with open_cache("measurements/images", _SCHEMA, _version()) as cache:
        states, known = _look_up(cache, table)
        missing = [state for state in states if state.path not in known]
        done = len(states) - len(missing)
        on_progress(done, len(states))
        for chunk, values in _measured_chunks(missing, by, should_stop):
            found = dict(zip((state.path for state in chunk), values, strict=True))
            # In this thread alone: SQLite refuses a connection that another thread has opened.
            _write(cache, chunk, found)
            known.update(found)
            done += len(chunk)
            on_progress(done, len(states))
    return _frame(table, known)


def _measured_chunks(
    missing: list[FileState], by: Workplace, should_stop: Callable[[], bool]
) -> Iterator[tuple[list[FileState], list[_Values]]]:
    """The missing measurements, chunk by chunk."""

    def chunks() -> Iterator[list[FileState]]:
        for start in range(0, len(missing), FILES_PER_CHUNK):
            if should_stop():
                return
            yield missing[start : start + FILES_PER_CHUNK]

    if by == HERE:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from ((chunk, list(pool.map(_measure, chunk))) for chunk in chunks())
        return
    needs = [partial(lacks_path, state.path) for state in missing[:1]]
    with open_workers(by.processes, by.cluster, needs) as workers:
        yield from run_tasks(_measure_all, chunks(), workers)


def _measure_all(states: list[FileState]) -> list[_Values]:
    """Run by a worker."""
    return [_measure(state) for state in states]


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """The cached measurements: as :func:`measure` gives them, without a row where there is none.

    No image is opened; 40,561 images take about a second.
    """
    with open_cache("measurements/images", _SCHEMA, _version()) as cache:
        return _frame(table, _look_up(cache, table)[1])


def _version() -> int:
    return 1000 * MEASUREMENTS_VERSION + PREPROCESSING_VERSION


def _look_up(cache: sqlite3.Connection, table: pd.DataFrame) -> tuple[list[FileState], dict[str, _Values]]:
    """The state of every file, and the cached values by its path; a missing file is one that cannot be read."""
    states = [file_state(path) for path in table["path"].unique()]
    known = {state.path: _unreadable(f"{Path(state.path).name} cannot be found.") for state in states if state.size < 0}
    rows = find_rows(cache, "images", FileState._fields, states)
    known.update((row[0], row[len(FileState._fields) :]) for row in rows)
    return states, known


def file_state(path: str) -> FileState:
    """The present state of a file."""
    try:
        status = os.stat(path)  # noqa: PTH116  40,000 Path objects take longer than the question
    except (OSError, ValueError):
        return FileState(path, -1, -1)
    return FileState(path, status.st_size, status.st_mtime_ns)


def _measure(state: FileState) -> _Values:
    path = Path(state.path)
    try:
        with open_file(path) as file:
            data = file.read()
    except OSError as error:
        return _unreadable(f"{path.name} cannot be opened: {error.strerror or error}.")
    digest = hashlib.sha256(data).hexdigest()
    try:
        image = read(data, path.name)
    except RadiographError as error:
        return _unreadable(str(error), digest)
    return "", digest, len(data), image.format, image.storage, *measure_pixels(image.pixels)


def _unreadable(problem: str, digest: str = "") -> _Values:
    return problem, digest, None, "", "", *(None for _ in Measures._fields)


def _write(cache: sqlite3.Connection, states: Sequence[FileState], found: dict[str, _Values]) -> None:
    """Cache what was measured; but not that a file could not be opened, which may be possible the next time."""
    rows = []
    for state in states:
        values = found[state.path]
        _, digest, *_ = values
        if digest:
            rows.append((*state, *values))
    marks = ", ".join("?" * (len(FileState._fields) + len(_FILE_COLUMNS) + len(Measures._fields)))
    write_rows(cache, f"INSERT OR REPLACE INTO images VALUES ({marks})", rows)  # noqa: S608


def _frame(table: pd.DataFrame, known: dict[str, _Values]) -> pd.DataFrame:
    rows = table.loc[table["path"].isin(known.keys()), ["image_id", "path"]]
    names = [*_FILE_COLUMNS, *Measures._fields]
    values = pd.DataFrame([known[path] for path in rows["path"]], rows.index, names)
    numbers = {name: "float64" for name, kind in Measures.__annotations__.items() if kind in (float, int)}
    numbers["file_bytes"] = "float64"
    texts = dict.fromkeys(("problem", "sha256", "file_format", "storage", "phash", "phash_mirrored"), "str")
    # The rows of unreadable files hold None: a missing number becomes NaN, a missing hash "".
    values = values.astype(numbers).fillna({"phash": "", "phash_mirrored": ""}).astype(texts)
    return rows.assign(readable=values["problem"] == "", **values)[list(MEASUREMENT_COLUMNS)]


def digests(paths: Sequence[str]) -> list[str]:
    """The SHA-256 of each file in hexadecimal, computed where it is not cached; "" where a file cannot be read.

    An image is the same where its file is, whatever it is called.
    """
    known = known_digests(paths)
    missing = [file_state(path) for path in dict.fromkeys(paths) if path not in known]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_digest, (state.path for state in missing)))
    rows = [(*state, digest) for state, digest in zip(missing, found, strict=True) if digest]
    with open_cache("digests/files", _DIGESTS_SCHEMA, 1) as cache:
        write_rows(cache, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows)
    known.update({state.path: digest for state, digest in zip(missing, found, strict=True)})
    return [known[path] for path in paths]


def known_digests(paths: Sequence[str]) -> dict[str, str]:
    """The cached digests by path, without opening a file: of files that were hashed, or whose pixels were measured."""
    table = measured(pd.DataFrame({"image_id": paths, "path": paths}))
    by_path = zip(table["path"], table["sha256"], strict=True)
    known = {path: digest for path, digest in by_path if digest}
    with open_cache("digests/files", _DIGESTS_SCHEMA, 1) as cache:
        rows = find_rows(cache, "files", FileState._fields, map(file_state, dict.fromkeys(paths)))
    known.update((path, digest) for path, _, _, digest in rows)
    return known


def _digest(path: str) -> str:
    try:
        return file_sha256(Path(path))
    except OSError:
        return ""
