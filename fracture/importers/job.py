"""A data set that is being imported: what was asked for, how far it is, and how to start and stop it.

The work is done by a process of its own, see :mod:`fracture.jobs`. Credentials that a person typed reach it through its
environment, and are written nowhere.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from fracture import demo
from fracture.demo import NOBODY, Policy
from fracture.documents import Document, Finite, Whole
from fracture.errors import Cancelled, FetchError, FractureError
from fracture.importers.download import OnProgress, Progress
from fracture.jobs import process
from fracture.jobs.folder_job import FolderJob, FolderStatus

HIDDEN = ".import"
"""The folder for an import's own files, which readers of the data set pass over."""

Choice = str | int | bool


@dataclass(frozen=True)
class Order:
    """What is to be imported. ``source``: the command ``import-...`` that does it; ``choices``: its options.

    ``how``: options that make no difference to the result; orders that differ in them alone are equal.
    """

    source: str
    choices: Mapping[str, Choice]
    how: Mapping[str, Choice] = field(default_factory=dict, compare=False)

    def words(self) -> str:
        """For people: ``kaggle (dataset cjinny/mura-v11, body part XR_HUMERUS)``."""
        described = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.choices.items())
        return f"{self.source} ({described})"

    def options(self) -> list[str]:
        """For the command line."""
        options = []
        for name, value in {**self.choices, **self.how}.items():
            flag = f"--{name.replace('_', '-')}"
            if value is True:
                options.append(flag)
            elif value is not False:
                options += [flag, str(value)]
        return options


@dataclass(frozen=True)
class Import:
    """An import as it stands on disk."""

    root: Path
    order: Order
    progress: Progress = field(default_factory=Progress)
    working: bool = False
    """Whether its process is running."""
    complete: bool = False
    error: str | None = None
    """Why the process gave up: a sentence."""

    @property
    def state(self) -> str:
        """``importing``, ``complete`` or ``interrupted``."""
        if self.working:
            return "importing"
        return "complete" if self.complete else "interrupted"

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.working

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return share(self.progress)


class ImportProgress(Document):
    """A :class:`fracture.importers.download.Progress` in ``import.json``."""

    files: Whole
    total_files: Whole | None
    bytes: Whole
    total_bytes: Whole | None
    seconds_left: Finite | None
    note: str | None


class ImportStatus(FolderStatus):
    """The file ``import.json``."""

    source: str
    choices: dict[str, str | Whole | bool]
    how: dict[str, str | Whole | bool]
    progress: ImportProgress
    complete: bool

    @classmethod
    def of(cls, order: Order, progress: Progress, *, complete: bool = False, **process: Any) -> Self:
        """The status of an import. ``process``: what it says of the process that writes it."""
        document = {**asdict(order), "progress": asdict(progress), "complete": complete, "error": None, **process}
        return cls.model_validate(document)

    @property
    def order(self) -> Order:
        """What was asked for."""
        return Order(self.source, self.choices, self.how)

    def conflict(self, wanted: Self) -> str | None:
        """Why the folder of this import cannot take another one."""
        if wanted.order == self.order:
            return None
        return f"an import from {self.order.words()}. Received: {wanted.order.words()}"

    def resumed(self, wanted: Self) -> Self:
        """What is complete is checked again as well: files may have been deleted since."""
        return type(self).of(wanted.order, _at_rest(Progress(**dict(self.progress))))


IMPORT = FolderJob(
    name="import",
    status=ImportStatus,
    error=FetchError,
    busy="is being imported into",
    content="what the same import began",
    kept="Whatever has been fetched is kept: start the same import again once that is put right.",
)


def share(progress: Progress) -> float:
    """How much of an import is done, 0 to 1; 0 where the number of files is not known yet."""
    return min(progress.files / progress.total_files, 1.0) if progress.total_files else 0.0


Work = Callable[[OnProgress, Callable[[], bool]], None]
"""Does an import: reports its progress, and asks whether to stop; then raises Cancelled."""


def find_import(root: str | Path) -> Import | None:
    """How the import in this folder stands; None where there is none, or its ``import.json`` is damaged."""
    found = IMPORT.find(Path(root))
    if found is None:
        return None
    progress = Progress(**dict(found.progress))
    return Import(Path(root), found.order, progress, found.working, found.complete, found.error)


def start(root: Path, order: Order, variables: Mapping[str, str] | None = None, policy: Policy = NOBODY) -> None:
    """Start or resume an import in a process of its own.

    ``variables``: for that process's environment alone, such as credentials. ``policy``: of
    who asks; a public demo does one import at a time.
    Raises FetchError where the folder cannot be used, or is being imported into; PublicError where a public demo does
    not import this.
    """
    policy.check_visitor()
    policy.check_import(order.source, order.choices)
    root = root.absolute()
    with IMPORT.disk_errors(root):
        if demo.is_public() and (busy := IMPORT.active_in(root.parent)):
            raise IMPORT.busy_error(busy)
    command = [f"import-{order.source}", "--out", str(root), "--json", *order.options()]
    IMPORT.start(root, ImportStatus.of(order, Progress()), command, policy, variables)


def request_stop(root: Path, policy: Policy = NOBODY) -> None:
    """Ask an import to stop after the files that it is fetching; what is fetched is kept.

    Raises PublicError where it is another visitor's.
    """
    IMPORT.request_stop(root, policy)


def stop_request(root: Path) -> Path:
    """The file whose presence asks the import to stop."""
    return IMPORT.stop_request(root)


def carry_out(root: Path, order: Order, work: Work, on_progress: OnProgress) -> Import:
    """Do an import in this process, and return how it then stands: complete, or interrupted by a request to stop.

    Raises FetchError, after having written it down for whoever looks at the folder later.
    """
    with IMPORT.disk_errors(root):
        claimed = IMPORT.claim(root, ImportStatus.of(order, Progress()))
        stop = IMPORT.stop_request(root)
        progress = Progress(**dict(claimed.progress))
        identity = process.identity()

        def report(now: Progress) -> None:
            nonlocal progress
            progress = now
            IMPORT.write(root, ImportStatus.of(order, progress, **identity))
            on_progress(progress)

        try:
            work(report, stop.exists)
            complete = True
        except Cancelled:
            complete = False
        except BaseException as failure:
            failed = ImportStatus.of(order, _at_rest(progress), error=_reason(failure), ended=True)
            with contextlib.suppress(OSError):  # a full disk: the failure itself is raised
                IMPORT.write(root, failed)
            raise
        progress = _at_rest(progress)
        IMPORT.write(root, ImportStatus.of(order, progress, complete=complete, ended=True))
        stop.unlink(missing_ok=True)
        return Import(root, order, progress, complete=complete)


def _at_rest(progress: Progress) -> Progress:
    return replace(progress, seconds_left=None, note=None)


def _reason(failure: BaseException) -> str | None:
    if isinstance(failure, FractureError):
        return str(failure)
    if isinstance(failure, OSError):
        return f"{failure.strerror or failure}."
    return None if isinstance(failure, KeyboardInterrupt) else f"The import broke off: {type(failure).__name__}."
