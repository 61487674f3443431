"""Download many files into one folder: several at once, each complete or not at all.

A file is written under a temporary name, checked, and renamed. So a file that is present is complete, and is not
downloaded again, even where the process was killed.
"""

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from fracture.errors import Cancelled, FetchError
from fracture.importers.http import NotFoundError, RateLimiter, RetryableError
from fracture.paths import leads_out

WORKERS = 4
"""Files that are downloaded at once."""

MISSING_SURPLUS = 2
"""By so many may the files that the server lacks outnumber those that came, before the download ends."""

REPORT_INTERVAL = 1.0
"""Seconds between two reports of the progress."""

POLL_INTERVAL = 0.1
"""Seconds between two checks of whether to stop."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemoteFile:
    """A file to download. ``name``: a posix path below the folder. ``size``: bytes, where known."""

    name: str
    size: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far a download is. ``seconds_left`` and ``total_bytes`` are None where they are unknown."""

    files: int = 0
    total_files: int | None = None
    bytes: int = 0
    total_bytes: int | None = None
    seconds_left: float | None = None
    note: str | None = None
    """What it waits for: a sentence."""


ReadFile = Callable[[RemoteFile], Generator[bytes, None, None]]
"""Yields the bytes of one file.

Raises RetryableError where another attempt may help, NotFoundError where the server lacks this file, and FetchError
for what ends the whole download.
"""

OnProgress = Callable[[Progress], object]
"""Receives the progress; what it returns is ignored."""


def ignore_progress(progress: Progress) -> None:
    """Do nothing: the default of ``on_progress``."""


def throttled(on_progress: OnProgress) -> OnProgress:
    """Passes on the first report, and then about one a second."""
    next_report = 0.0

    def report(progress: Progress) -> None:
        nonlocal next_report
        if time.monotonic() >= next_report:
            on_progress(progress)
            next_report = time.monotonic() + REPORT_INTERVAL

    return report


@dataclass(frozen=True)
class Downloader:
    """How an import downloads files, several at once.

    Attributes:
        temp_folder: a folder on the same disk for incomplete files, used by this import alone.
        on_progress: receives the progress at first, about once a second, and at the end.
        should_stop: called several times a second.
        interrupt: ends the responses in progress; called repeatedly once the download is to end.
        limiter: when a request may go out, and how often it is repeated.
    """

    temp_folder: Path
    on_progress: OnProgress = ignore_progress
    should_stop: Callable[[], bool] = lambda: False
    interrupt: Callable[[], object] = lambda: None
    limiter: RateLimiter = field(default_factory=RateLimiter)

    def preparing(self, note: str) -> "Downloader":
        """The same for lists and tables, which no progress counts. ``note``: what they are needed for, a sentence."""

        def report(now: Progress) -> None:
            self.on_progress(replace(now, files=0, total_files=None, note=now.note or note))

        return replace(self, on_progress=report)

    def download(
        self,
        root: Path,
        files: Sequence[RemoteFile],
        read: ReadFile,
        is_complete: Callable[[Path], bool] = Path.is_file,
        workers: int = WORKERS,
    ) -> None:
        """Download the files that are missing.

        Args:
            root: the folder to fill.
            files: what to download. No name may lead out of ``root``.
            read: yields the bytes of a file; is called by several threads at a time.
            is_complete: whether a file is; called for those that are present, and for each that comes.
            workers: files at once.

        Raises:
            Cancelled: ``should_stop`` returned True; complete files are kept.
            FetchError: a name leads out of ``root``, all attempts failed, or a file is missing; then all others came.
            OSError: the disk cannot be written to.
        """
        for file in files:
            if leads_out(file.name):
                raise FetchError(
                    "A file must be named by a path below its folder. "
                    f"Received: {file.name[:120]!r}; nothing was written."
                )
        self.temp_folder.mkdir(parents=True, exist_ok=True)
        # A killed process leaves such files behind.
        for leftover in self.temp_folder.glob("part-*"):
            leftover.unlink()
        run = _Run(self, root, files, read, is_complete)
        report = throttled(self.on_progress)
        report(run.progress())
        with ThreadPoolExecutor(workers) as pool:
            running = {pool.submit(run.work) for _ in range(workers)}
            try:
                while running:
                    if self.should_stop():
                        raise Cancelled
                    ended, running = wait(running, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
                    for future in ended:
                        future.result()
                    report(run.progress())
            finally:  # also after an error or Ctrl-C: the workers end, and drop what is incomplete
                run.stop.set()
                while wait(running, timeout=POLL_INTERVAL).not_done:
                    self.interrupt()  # a worker may be waiting for a slow server
                self.on_progress(run.progress())
        if run.missing:
            raise FetchError(
                f"{run.missing[0]} Missing: {len(run.missing):,} of {len(files):,} files; all others were downloaded."
            )


@dataclass
class _Run:
    """One call of :meth:`Downloader.download`, shared by its workers."""

    downloader: Downloader
    root: Path
    files: Sequence[RemoteFile]
    read: ReadFile
    is_complete: Callable[[Path], bool]

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.missing: list[NotFoundError] = []
        self._lock = threading.Lock()
        self._limiter = self.downloader.limiter
        places = {file: self.root / file.name for file in self.files}
        sizes = {file: place.stat().st_size for file, place in places.items() if self.is_complete(place)}
        present = {file: size for file, size in sizes.items() if file.size in (None, size)}
        total_bytes = (
            None if any(file.size is None for file in self.files) else sum(file.size or 0 for file in self.files)
        )
        self._pending = deque(file for file in self.files if file not in present)
        self._start = Progress(len(present), len(self.files), sum(present.values()), total_bytes)
        self._now = self._start
        self._began = time.monotonic()

    def progress(self) -> Progress:
        now = self._now
        if now.total_bytes is None:
            done = now.files - self._start.files
            left = (now.total_files or 0) - now.files
        else:
            done = now.bytes - self._start.bytes
            left = now.total_bytes - now.bytes
        seconds = time.monotonic() - self._began
        return replace(now, seconds_left=seconds / done * left if done > 0 else None, note=self._limiter.note())

    def _count(self, size: int, files: int = 0) -> None:
        with self._lock:
            self._now = replace(self._now, files=self._now.files + files, bytes=self._now.bytes + size)

    def work(self) -> None:
        """Download pending files until none is left or ``stop`` is set."""
        retrying = self._limiter.retrying()
        while not self.stop.is_set():
            try:
                file = self._pending.popleft()
            except IndexError:
                return
            retrying(self._attempt, file)

    def _attempt(self, file: RemoteFile) -> None:
        self._limiter.acquire(self.stop)
        try:
            self._transfer(file)
        except RetryableError as error:
            self._limiter.pause(error.retry_after, str(error))
            raise
        except NotFoundError as error:
            _log.info("%s", error)
            self.missing.append(error)
            if len(self.missing) > self.progress().files + MISSING_SURPLUS:
                raise

    def _transfer(self, file: RemoteFile) -> None:
        handle, name = tempfile.mkstemp(prefix="part-", suffix=Path(file.name).suffix, dir=self.downloader.temp_folder)
        part = Path(name)
        received = 0
        try:
            with os.fdopen(handle, "wb") as opened, contextlib.closing(self.read(file)) as chunks:
                for chunk in chunks:
                    if self.stop.is_set():
                        raise Cancelled
                    opened.write(chunk)
                    received += len(chunk)
                    self._count(len(chunk))
            if self.stop.is_set():  # an interrupted response may look like one that has ended
                raise Cancelled
            self._place(file, part, received)
        except BaseException:
            self._count(-received)
            raise
        finally:
            part.unlink(missing_ok=True)
        self._count(0, files=1)

    def _place(self, file: RemoteFile, part: Path, received: int) -> None:
        """Check a file and rename it to its place."""
        if file.size not in (None, received):
            raise RetryableError(f"Of {file.name}, {received:,} bytes came instead of {file.size:,}.")
        if not self.is_complete(part):
            raise RetryableError(f"What came as {file.name} is no complete file.")
        place = self.root / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp lets only the owner read a file.
        part.chmod(0o644)
        part.replace(place)
