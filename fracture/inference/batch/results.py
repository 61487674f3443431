"""Answers on disk as they come, so that an interrupted job can be resumed: a CSV file, or a folder of Parquet files.

::

    OUT.part           what is there so far; renamed to OUT when the job has ended
    OUT.part.json      what the job was asked for, and how many bytes of OUT.part count
    OUT.part.lock      while a process writes

What was written after the last :meth:`ResultFile.save` does not count and is answered again: a study is answered once,
wherever the process was interrupted, and half a line at the end is cut off.
"""

import csv
import io
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from fracture.errors import FractureError
from fracture.files import JsonObject, atomic_write, remove_folder
from fracture.inference.batch.answering import StudyAnswer
from fracture.inference.batch.done import DoneStudies, as_text
from fracture.inference.batch.resumable import Resumable
from fracture.inference.report import CSV_COLUMNS

COLUMNS = (*CSV_COLUMNS, "error")
"""The columns of both kinds. A file without an answer has a row of its own: its status is ``failed``, and ``error`` the
sentence that says why."""

FAILED = "failed"

SAVED_EVERY = 2.0
"""Seconds between two states on disk: what was answered after the last one is answered again after a kill."""

PART_SECONDS = 300.0
PART_ROWS = 10_000
"""A Parquet file has as many rows, or those of as many seconds."""

_NUMBERS = ("probability", "lowest", "highest", "doubt_from", "doubt_to")

_RECORD_BYTES = 2**20


class ResultFile(Protocol):
    """Where a job writes its answers."""

    def done(self) -> DoneStudies:
        """The studies that were answered before."""

    def add(self, answers: Iterable[StudyAnswer]) -> None:
        """Write the answers of studies."""

    def close(self) -> None:
        """Keep what is there, so that the job can be resumed."""

    def finish(self) -> None:
        """Give the results their name."""


def open_results(path: Path, settings: Mapping[str, Any]) -> ResultFile:
    """Begin the results of a job, or resume them where the same job was interrupted.

    Args:
        path: of a CSV file, or a name in ``.parquet`` for a folder of Parquet files.
        settings: what the job was asked for, as JSON has it.

    Raises:
        FractureError: the results of another job, or of another process, are there; or they can't be written.
    """
    if not path.parent.is_dir():
        raise FractureError(f"There is no folder {path.parent} to write {path.name} into.")
    return (ParquetResults if path.suffix == ".parquet" else CsvResults)(path, settings)


def table_rows(answers: Iterable[StudyAnswer]) -> Iterator[JsonObject]:
    """The rows of answers, and of files without one."""
    for answer in answers:
        yield from answer.rows
        for failure in answer.failures:
            failed = {"kind": "image", "study": answer.study.name, "image": failure.file}
            yield {**failed, "status": FAILED, "error": failure.sentence}


class CsvResults:
    """A CSV file that grows."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._job = Resumable(path, settings)
        try:
            self._file = self._job.part.open("r+b" if self._job.saved_bytes else "wb")
            self._file.truncate(self._job.saved_bytes)
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._job.problem(error) from error
        self._saved = time.monotonic()

    def done(self) -> DoneStudies:
        """The studies that were answered before."""
        if not self._job.saved_bytes:
            return DoneStudies()
        csv.field_size_limit(_RECORD_BYTES)
        with self._job.part.open(encoding="utf-8", newline="") as file:
            return DoneStudies(row["study"] for row in csv.DictReader(file))

    def add(self, answers: Iterable[StudyAnswer]) -> None:
        """Write the answers of studies."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        try:
            if not self._file.tell():
                writer.writeheader()
            writer.writerows(table_rows(answers))
            self._file.write(as_text(text.getvalue()).encode())
            if time.monotonic() >= self._saved + SAVED_EVERY:
                self._save()
        except OSError as error:
            raise self._job.problem(error) from error

    def close(self) -> None:
        """Keep what is there, so that the job can be resumed."""
        if self._file.closed:
            return
        try:
            self._save()
        except OSError as error:
            raise self._job.problem(error) from error
        finally:
            self._file.close()
            self._job.release()

    def finish(self) -> None:
        """Give the file its name."""
        self.add([])  # without any study, a header
        self.close()
        try:
            self._job.part.replace(self._job.path)
        except OSError as error:
            raise self._job.problem(error) from error
        self._job.end()

    def _save(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._job.save(self._file.tell())
        self._saved = time.monotonic()


class ParquetResults:
    """A folder that gets one Parquet file after the other; each is whole, and counts as soon as it is there."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._job = Resumable(path, settings)
        self._rows: list[JsonObject] = []
        self._saved = time.monotonic()
        try:
            if not self._job.saved_bytes:
                shutil.rmtree(self._job.part, ignore_errors=True)
                self._job.part.mkdir()
                self._job.save(1)
        except OSError as error:
            raise self._job.problem(error) from error

    def done(self) -> DoneStudies:
        """The studies that were answered before."""
        from pyarrow import parquet

        def names() -> Iterator[str]:
            for path in self._parts():
                yield from parquet.read_table(path, columns=["study"])["study"].to_pylist()

        return DoneStudies(names())

    def add(self, answers: Iterable[StudyAnswer]) -> None:
        """Write the answers of studies."""
        self._rows += table_rows(answers)
        if len(self._rows) >= PART_ROWS or time.monotonic() >= self._saved + PART_SECONDS:
            self._save()

    def close(self) -> None:
        """Keep what is there, so that the job can be resumed."""
        if self._rows:
            self._save()
        self._job.release()

    def finish(self) -> None:
        """Give the folder its name; one of that name, of an earlier job, is deleted."""
        if self._rows or not self._parts():
            self._save()
        try:
            if self._job.path.is_dir():
                _check_ours(self._job.path)
                remove_folder(self._job.path)
            self._job.part.replace(self._job.path)
        except OSError as error:
            raise self._job.problem(error) from error
        self._job.end()

    def _parts(self) -> list[Path]:
        return sorted(self._job.part.glob("part-*.parquet"))

    def _save(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pylist([_as_text(row) for row in self._rows], _schema())
        path = self._job.part / f"part-{len(self._parts()):05d}.parquet"
        try:
            atomic_write(path, lambda place: parquet.write_table(table, place))
        except OSError as error:
            raise self._job.problem(error) from error
        self._rows = []
        self._saved = time.monotonic()


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([(name, pa.float64() if name in _NUMBERS else pa.string()) for name in COLUMNS])


def _as_text(row: JsonObject) -> JsonObject:
    return {name: as_text(value) if isinstance(value, str) else value for name, value in row.items()}


def _check_ours(folder: Path) -> None:
    """Raises FractureError for a folder with anything else than Parquet files: it is not to be deleted."""
    others = [path.name for path in folder.iterdir() if not path.match("part-*.parquet")]
    if others:
        raise FractureError(f"{folder} holds other files, such as {others[0]}. Choose another name for the results.")
