"""Jobs that fill a folder of their own, such as an import: one process at a time, stopped by a file, resumable.

In the folder ``import.json`` is the status, ``.import.stop`` asks the process to stop, ``.import.log`` has what it
printed, and ``.import.lock`` is held while the folder is claimed.
"""

import contextlib
import logging
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

from filelock import FileLock, Timeout

from fracture.demo import Policy
from fracture.errors import FractureError
from fracture.jobs import process
from fracture.jobs.status import JobStatus

_log = logging.getLogger(__name__)


class FolderStatus(JobStatus):
    """The status of a job that fills a folder."""

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.working

    @abstractmethod
    def conflict(self, wanted: Self) -> str | None:
        """Why ``wanted`` cannot be done in the folder of this job, as the end of a sentence; None where it can."""

    @abstractmethod
    def resumed(self, wanted: Self) -> Self:
        """The status of a process that does what ``wanted`` asks for and begins with what this job has done."""


S = TypeVar("S", bound=FolderStatus)


@dataclass(frozen=True)
class FolderJob(Generic[S]):
    """A kind of job: what its files are called, and its words for what can go wrong."""

    name: str
    status: type[S]
    error: type[FractureError]
    busy: str
    """What another process does to the folder: "is being imported into"."""
    content: str
    """What the folder may hold: "what the same import began"."""
    kept: str
    """What becomes of the files when the disk refuses more: a sentence."""

    def find(self, root: Path) -> S | None:
        """The status of the job in a folder; None where there is none, or a damaged one."""
        return self.status.read(root / f"{self.name}.json")

    def write(self, root: Path, status: S) -> None:
        """Write the status as of now. Raises OSError."""
        status.model_copy(update={"heartbeat": time.time()}).write(root / f"{self.name}.json")

    def log(self, root: Path) -> Path:
        """The file with what the process printed."""
        return root / f".{self.name}.log"

    def stop_request(self, root: Path) -> Path:
        """The file whose presence asks the process to stop."""
        return root / f".{self.name}.stop"

    def request_stop(self, root: Path, policy: Policy) -> None:
        """Ask the process to stop after what it is doing. Raises PublicError where it is another visitor's."""
        policy.check_owner(root)
        try:
            self.stop_request(root).touch()
        except OSError as error:  # the folder was deleted in the meantime: there is nothing to stop
            _log.info("%s was not asked to stop: %s", root, error)

    def active_in(self, home: Path) -> Path | None:
        """The first folder in ``home`` that a process is filling."""
        folders = sorted(home.iterdir()) if home.is_dir() else []
        for folder in folders:
            status = self.find(folder)
            if status is not None and status.active:
                return folder
        return None

    def start(
        self, root: Path, wanted: S, command: Sequence[str], policy: Policy, variables: Mapping[str, str] | None = None
    ) -> None:
        """Start or resume a job in a process of its own, which :meth:`claim`\\ s the folder in its turn.

        Args:
            root: the folder to fill.
            wanted: what is asked for.
            command: of ``python -m fracture``.
            policy: of who asks.
            variables: for the environment of that process alone, such as credentials.

        Raises:
            FractureError: :attr:`error`, where the folder cannot be used.
            PublicError: in a public demo, the folder is another visitor's or lies elsewhere.
        """
        with self.disk_errors(root):
            new = policy.check_new_dataset(root)
            self.claim(root, wanted, starting=True)
            if new:
                policy.sign(root)
            process.spawn(["-m", "fracture", *command], self.log(root), variables)

    def claim(self, root: Path, wanted: S, starting: bool = False) -> S:
        """Make the folder this process's own, or that of the process about to be started; returns its new status.

        Raises :attr:`error` where the folder holds anything else, or another process is filling it.
        """
        root.mkdir(parents=True, exist_ok=True)
        try:
            # Without the lock two processes could both find nobody at work, and both begin.
            with FileLock(root / f".{self.name}.lock", timeout=10):
                found = self.find(root)
                status = self._resumed(root, found, wanted, starting)
                if found is None or starting or not found.awaited:  # a stop that was asked for since the start holds
                    self.stop_request(root).unlink(missing_ok=True)
                if not starting:
                    status = status.model_copy(update=process.identity())
                self.write(root, status)
                return status
        except Timeout as error:
            raise self.busy_error(root) from error

    def _resumed(self, root: Path, found: S | None, wanted: S, starting: bool) -> S:
        if found is None:
            if others := sorted(path.name for path in root.iterdir() if not path.name.startswith(".")):
                shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
                raise self.error(f"{root} must be empty, or hold {self.content}. Received: {shown}")
            return wanted
        if found.active and found.taken(starting):
            raise self.busy_error(root)
        if conflict := found.conflict(wanted):
            raise self.error(f"{root} holds {conflict}; choose another folder, or the same settings.")
        return found.resumed(wanted)

    def busy_error(self, root: Path) -> FractureError:
        """The error that another process is filling a folder."""
        return self.error(f"{root} {self.busy} by another process. Wait until it has ended, or stop it.")

    @contextlib.contextmanager
    def disk_errors(self, root: Path) -> Iterator[None]:
        """Raise what the disk refuses as :attr:`error`."""
        try:
            yield
        except OSError as error:
            raise self.error(f"{root} cannot be written to: {error.strerror or error}. {self.kept}") from error
