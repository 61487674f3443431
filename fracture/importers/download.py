"""Many files from elsewhere into one folder: several at once, each whole or not at all.

A file comes under a temporary name, is looked at, and takes its place by a rename. So whatever lies at its place is
whole, and is not fetched again, whatever became of the process that fetched it.
"""

import contextlib
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from fracture.errors import Cancelled, FetchError
from fracture.importers.file_checks import check_name
from fracture.importers.http import NotThereError, Pace, Trouble, given_up, hang_up

WORKERS = 4
"""Files that are fetched at once."""

MORE_MISSING = 2
"""By so many may the files that a server does not have outnumber those that are there, before it is given up."""

SAID_EVERY = 1.0
"""Seconds between two words on the progress."""


@dataclass(frozen=True)
class Wanted:
    """A file to be fetched. ``name``: a posix path below the folder. ``size``: bytes, where known before."""

    name: str
    size: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far it is. ``seconds_left`` and ``total_bytes`` are None where they cannot be told."""

    files: int = 0
    total_files: int | None = None
    bytes: int = 0
    total_bytes: int | None = None
    seconds_left: float | None = None
    note: str | None = None
    """What is being waited for: a sentence."""


Fetch = Callable[[Wanted], Generator[bytes, None, None]]
"""The bytes of one file. Raises Trouble for what may go better the next time, FetchError for what will not.

After a NotThereError the other files are fetched all the same.
"""

Say = Callable[[Progress], object]
"""Hears how far it is; what it returns does not matter."""


def _nothing(progress: Progress) -> None:
    """Say nothing."""


def fetch_all(
    root: Path,
    wanted: Sequence[Wanted],
    fetch: Fetch,
    *,
    parts: Path,
    whole: Callable[[Path], bool],
    say: Say = _nothing,
    should_stop: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
    workers: int = WORKERS,
) -> Progress:
    """Fetch the files that are lacking, and return how it then stands.

    Args:
        root: where they go.
        wanted: which ones. No name may lead out of ``root``.
        fetch: gets one; is called by several threads at a time.
        parts: a folder on the same disk for what is not whole yet; nobody else may write there.
        whole: whether a file is; asked of those that are there, and of each that comes.
        say: hears of the progress at first, about once a second, and at the end.
        should_stop: asked several times a second.
        pace: when to ask, and how often to try.
        workers: files at once.

    Raises:
        Cancelled: as wished; what is whole is kept.
        FetchError: a name leads out of ``root``, trouble came too often, or a file is nowhere; then all others came.
        OSError: the disk refuses.
    """
    for item in wanted:
        check_name(item.name)
    parts.mkdir(parents=True, exist_ok=True)
    for left_over in parts.glob("part-*"):
        left_over.unlink()
    sizes = {item: (root / item.name).stat().st_size for item in wanted if whole(root / item.name)}
    there = {item: size for item, size in sizes.items() if item.size in (None, size)}
    run = _Run(root, parts, fetch, whole, pace or Pace(), _Tally(wanted, there))
    say(run.progress())
    try:
        _work(run, (item for item in wanted if item not in there), workers, say, should_stop)
    finally:
        say(run.progress())
    if run.missing:
        raise FetchError(
            f"{run.missing[0]} Missing like this: {len(run.missing):,} of {len(wanted):,} files; all others are there."
        )
    return run.progress()


class _Tally:
    """What has come so far; shared by the workers."""

    def __init__(self, wanted: Sequence[Wanted], there: Mapping[Wanted, int]) -> None:
        self._lock, self._began = threading.Lock(), time.monotonic()
        sizes = [item.size for item in wanted if item.size is not None]
        self._total, self._total_bytes = len(wanted), sum(sizes) if len(sizes) == len(wanted) else None
        self._done, self._bytes = self._at_first = len(there), sum(there.values())

    def add(self, size: int, files: int = 0) -> None:
        with self._lock:
            self._bytes += size
            self._done += files

    def progress(self, note: str | None) -> Progress:
        with self._lock:
            return Progress(self._done, self._total, self._bytes, self._total_bytes, self._seconds_left(), note)

    def _seconds_left(self) -> float | None:
        files, size = self._at_first
        took = time.monotonic() - self._began
        if self._total_bytes is not None:
            new, left = self._bytes - size, self._total_bytes - self._bytes
        else:
            new, left = self._done - files, self._total - self._done
        return took / new * left if new > 0 else None


@dataclass
class _Run:
    """Everything that a worker needs."""

    root: Path
    parts: Path
    fetch: Fetch
    whole: Callable[[Path], bool]
    pace: Pace
    tally: _Tally
    stop: threading.Event = field(default_factory=threading.Event)
    missing: list[NotThereError] = field(default_factory=list)

    def progress(self) -> Progress:
        return self.tally.progress(self.pace.note())

    def get(self, item: Wanted) -> None:
        """Fetch one file, trying again where that may help; one that is nowhere is noted."""
        for attempt in range(1, self.pace.tries + 1):
            began = self.pace.turn(self.stop)
            try:
                self._try(item)
            except Trouble as trouble:
                if attempt == self.pace.tries:
                    raise given_up(trouble.sentence, attempt) from None
                self.pace.failed(trouble, began)
                continue
            except NotThereError as error:
                self.missing.append(error)
                if len(self.missing) > self.progress().files + MORE_MISSING:
                    raise
            return self.pace.succeeded(began)
        return None

    def _try(self, item: Wanted) -> None:
        handle, name = tempfile.mkstemp(prefix="part-", suffix=Path(item.name).suffix, dir=self.parts)
        part, got = Path(name), 0
        try:
            with os.fdopen(handle, "wb") as file, contextlib.closing(self.fetch(item)) as chunks:
                for chunk in chunks:
                    if self.stop.is_set():
                        raise Cancelled
                    file.write(chunk)
                    got += len(chunk)
                    self.tally.add(len(chunk))
            if self.stop.is_set():  # and perhaps for that reason this was the end
                raise Cancelled
            self._place(item, part, got)
        except BaseException:
            self.tally.add(-got)
            raise
        finally:
            part.unlink(missing_ok=True)
        self.tally.add(0, files=1)

    def _place(self, item: Wanted, part: Path, got: int) -> None:
        if item.size not in (None, got):
            raise Trouble(f"Of {item.name}, {got:,} bytes came instead of {item.size:,}.")
        if not self.whole(part):
            raise Trouble(f"What came as {item.name} is no whole file.")
        place = self.root / item.name
        place.parent.mkdir(parents=True, exist_ok=True)
        part.chmod(0o644)
        part.replace(place)


def _work(run: _Run, todo: Iterator[Wanted], workers: int, say: Say, should_stop: Callable[[], bool]) -> None:
    """Keep the workers at it until all is there. Raises Cancelled once that is wished."""
    running: set[Future[None]] = set()
    next_word = time.monotonic() + SAID_EVERY
    with ThreadPoolExecutor(workers) as pool:
        try:
            while not should_stop():
                running |= {pool.submit(run.get, item) for item in itertools.islice(todo, workers - len(running))}
                if not running:
                    return
                ended, running = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()
                if time.monotonic() >= next_word:
                    say(run.progress())
                    next_word = time.monotonic() + SAID_EVERY
        finally:
            run.stop.set()  # an error, Ctrl-C, or the wish to stop: the workers end with the bytes in hand
            while wait(running, timeout=0.1).not_done:
                hang_up()  # those that wait for more of them
    raise Cancelled
