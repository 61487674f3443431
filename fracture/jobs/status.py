"""The status file of a background job, and what follows from it."""

import time
from pathlib import Path
from typing import ClassVar, Self

from pydantic import AliasChoices, AliasPath, Field

from fracture.documents import Moment, Whole
from fracture.files import read_json, write_json
from fracture.jobs.process import Identity, alive

SECONDS_TO_START = 30.0
"""After which a process that was started and has written nothing is given up."""


class JobStatus(Identity):
    """What every job's status file says; each kind of job adds keys of its own.

    A status without ``pid`` was written by the process that started the job, at the time of its ``heartbeat``.
    """

    silent_seconds: ClassVar[float] = 600.0
    """After which a process of another host is given up. Its job writes the status with its progress, not by a clock;
    the clocks of two hosts may differ, too."""

    heartbeat: Moment | None = None
    ended: bool = False
    """Whether the process has said that it is done, whatever came of it."""
    error: str | None = None
    """Why the process gave up: a sentence."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The status in a file; None where there is none, or a damaged one."""
        try:
            return cls.model_validate(read_json(path))
        except (OSError, ValueError):  # which a ValidationError is, too
            return None

    def write(self, path: Path) -> None:
        """Replace the file. Raises OSError."""
        document = self.to_json()
        if self.over:
            document.pop("host", None)
        write_json(path, document)

    @property
    def over(self) -> bool:
        """Whether nobody asks about the process any more: the file then has the keys that all versions know."""
        return self.ended

    @property
    def alive(self) -> bool:
        """Whether the job's process is running, or was started just now and has not written yet."""
        if self.pid is None:
            return self._heard_within(SECONDS_TO_START)
        if self.elsewhere:
            return self._heard_within(self.silent_seconds)
        return alive(self)

    def _heard_within(self, seconds: float) -> bool:
        # The clock may have been set back since: that must not prolong the wait.
        return self.heartbeat is not None and abs(time.time() - self.heartbeat) < seconds

    @property
    def working(self) -> bool:
        """Whether there is more to come of the job."""
        return not self.ended and self.alive

    @property
    def awaited(self) -> bool:
        """Whether the job's process was started and has not written yet."""
        return self.pid is None and self.working

    def taken(self, starting: bool) -> bool:
        """Whether the job is another process's.

        A process that was started and has not written yet may be this very one, unless this one is ``starting`` it.
        """
        return self.working and (starting or not (self.pid is None or self.own))


DATA_STATUS = ("import.json", "phantom.json")
"""The status files of the jobs that fill a data set's folder."""


class DataJobStatus(JobStatus):
    """What the status files of :data:`DATA_STATUS` say in common, each in words of its own."""

    files: Whole = Field(0, validation_alias=AliasChoices("images", AliasPath("progress", "files")))
    """How many files the job has brought so far."""
    import_complete: bool = Field(False, validation_alias="complete")
    patients_done: Whole = Field(0, validation_alias="done")
    patients: Whole | None = None

    @property
    def complete(self) -> bool:
        """Whether the folder holds all that was asked for."""
        return self.import_complete or (self.patients is not None and self.patients_done >= self.patients)


def data_job(folder: Path) -> DataJobStatus | None:
    """The job that fills a data set's folder, or has filled it; None for other folders."""
    found = (DataJobStatus.read(folder / name) for name in DATA_STATUS)
    return next((status for status in found if status is not None), None)
