"""What a process does that carries out a job over many images: claim its folder, report progress, say why it gave up.

A folder that can't be written to stops no job: nothing is reported there then.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar

from fracture.documents import Whole
from fracture.errors import Cancelled, FractureError
from fracture.jobs import process
from fracture.jobs.folder_job import FolderJob, FolderStatus

_log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]
"""Called with the number of images done, and of all."""


class ImageJobStatus(FolderStatus):
    """The status of a job that looks at images one by one, from the beginning each time."""

    done: Whole = 0
    """Images that the model has answered."""
    images: Whole = 0
    """All images; 0 until they are counted."""
    complete: bool = False

    def resumed(self, wanted: Self) -> Self:
        """From the beginning: the model or the images may have changed since."""
        return wanted

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done / self.images, 1.0) if self.images else 0.0


S = TypeVar("S", bound=ImageJobStatus)

REPORT_SECONDS = 60.0
"""After which the status is written though little was done: other hosts would give the job up."""


def ignore_progress(done: int, total: int) -> None:
    """Report no progress."""


def claim_folder(job: FolderJob[S], folder: Path, wanted: S) -> Path | None:
    """The job's folder, which is this process's from now on; None where it can't be written to.

    Raises the job's error where another process is at work in it.
    """
    try:
        job.claim(folder, wanted)
    except OSError as error:
        _log.warning("%s cannot be written to: %s", folder, error)
        return None
    return folder


def report_in(job: FolderJob[S], place: Path | None, wanted: S, on_progress: OnProgress) -> OnProgress:
    """Reports progress in the job's folder too, and raises Cancelled where somebody asked the job to stop."""
    identity = process.identity()
    stop = None if place is None else job.stop_request(place)
    written = 0
    written_at = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal written, written_at
        on_progress(done, total)
        if place is None or stop is None:
            return
        if stop.exists():
            raise Cancelled
        now = time.monotonic()
        # A hundred times in all: each write waits for the disk.
        if done - written >= total / 100 or now - written_at > REPORT_SECONDS:
            written = done
            written_at = now
            write_status(job, place, wanted.model_copy(update={"done": done, "images": total, **identity}))

    return report


@contextlib.contextmanager
def recording_failure(job: FolderJob[S], place: Path | None, wanted: S) -> Iterator[None]:
    """Write down why a job has ended without a result."""
    try:
        yield
    except BaseException as failure:
        if place is not None:
            reason = str(failure) if isinstance(failure, FractureError) else None
            write_status(job, place, wanted.model_copy(update={"error": reason, "ended": True}))
            job.stop_request(place).unlink(missing_ok=True)
        raise


def write_status(job: FolderJob[S], place: Path | None, status: S) -> None:
    """Write the status where there is a folder for it; the job itself goes on where the disk refuses."""
    if place is None:
        return
    try:
        job.write(place, status)
    except OSError as error:
        _log.warning("%s cannot be written to: %s", place, error)
