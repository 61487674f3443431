"""A data set that is being imported: what was asked for, how it stands, and how to start and stop it.

As with the drawing of phantoms, the work is a process that belongs to nobody; all that passes between it and the rest
are two files in its folder, ``import.json`` and a request to stop. What a person typed to prove who they are reaches
the process by its environment, and is written nowhere.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fracture import demo
from fracture.errors import Cancelled, FetchError, FractureError
from fracture.files import read_json, write_json
from fracture.importers.download import OnProgress, Progress
from fracture.jobs import process as background
from fracture.shapes import Either, Shape, finite, flag, maybe, misfit, text, whole

STATUS = "import.json"
LOG = ".import.log"
HIDDEN = ".import"
"""Where in its folder an import keeps what no reader should meet."""

Choice = str | int | bool

_CHOICES: Shape = {text: Either(text, Either(whole, flag))}
_PROGRESS: Shape = {"files": whole, "total_files": maybe(whole), "bytes": whole, "total_bytes": maybe(whole)}
_PROGRESS |= {"seconds_left": maybe(finite), "note": maybe(text)}
_STATUS: Shape = {"source": text, "choices": _CHOICES, "how": _CHOICES, "progress": _PROGRESS, "complete": flag}
_STATUS |= {"error": maybe(text), **background.PROCESS}


@dataclass(frozen=True)
class Order:
    """What is to be imported. ``source``: the command ``import-...`` that does it; ``choices``: its options.

    ``how``: options that make no difference to what comes; orders that differ in them alone are equal.
    """

    source: str
    choices: Mapping[str, Choice]
    how: Mapping[str, Choice] = field(default_factory=dict, compare=False)

    def words(self) -> str:
        """For people: ``kaggle (dataset cjinny/mura-v11, body part XR_HUMERUS)``."""
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.choices.items())
        return f"{self.source} ({told})"

    def options(self) -> list[str]:
        """For the command line."""
        flags = {f"--{name.replace('_', '-')}": value for name, value in {**self.choices, **self.how}.items()}
        said = {flag: [] if value is True else [str(value)] for flag, value in flags.items() if value is not False}
        return [text for flag, values in said.items() for text in (flag, *values)]


@dataclass(frozen=True)
class Import:
    """An import as it stands on disk."""

    root: Path
    order: Order
    progress: Progress = field(default_factory=Progress)
    working: bool = False
    """Whether its process is at work."""
    complete: bool = False
    error: str | None = None
    """Why the process gave up: a sentence."""

    @property
    def state(self) -> str:
        """``importing``, ``complete`` or ``interrupted``."""
        return "importing" if self.working else "complete" if self.complete else "interrupted"

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.working


Work = Callable[[OnProgress, Callable[[], bool]], None]
"""Does an import: says how far it is, and asks whether to stop; then raises Cancelled."""


def find_import(root: str | Path) -> Import | None:
    """How the import in this folder stands; None where there is none, or its ``import.json`` is damaged."""
    found = _read(Path(root))
    return found[0] if found else None


def unfinished(home: Path) -> list[Path]:
    """The folders directly in ``home`` into which an import has begun and not come to its end."""
    folders = sorted(home.iterdir()) if home.is_dir() else []
    return [path for path in folders if (found := find_import(path)) and found.state != "complete"]


def start(root: Path, order: Order, variables: Mapping[str, str] | None = None, visitor: str = "") -> None:
    """Import, or go on importing, in a process of its own.

    ``variables``: for that process's environment alone, such as credentials. ``visitor``: who asks for it in a public
    demo, which does one import at a time.
    Raises FetchError where the folder cannot be used, or is being imported into; PublicError where a public demo does
    not import this.
    """
    demo.check_visitor(visitor)
    demo.check_import(order.source, order.choices)
    root = root.absolute()
    with words_for_disk(root):
        if demo.on() and (busy := next((path for path in unfinished(root.parent) if _active(path)), None)):
            raise _busy(busy)
        new = demo.claimable(root, visitor)
        claim(root, order, waiting=True)
        if new:
            demo.sign(root, visitor)
        command = ["-m", "fracture", f"import-{order.source}", "--out", str(root), "--json", *order.options()]
        background.spawn(command, root / LOG, variables)


def _active(root: Path) -> bool:
    found = find_import(root)
    return found is not None and found.active


def request_stop(root: Path, visitor: str = "") -> None:
    """Ask an import to end with the files in hand; what is fetched is kept. PublicError for another visitor's."""
    demo.check_owner(root, visitor)
    with contextlib.suppress(OSError):  # the folder was deleted in the meantime: there is nothing to stop
        stop_request(root).touch()


def stop_request(root: Path) -> Path:
    """The file whose presence asks the import to stop."""
    return root / ".import.stop"


def carry_out(root: Path, order: Order, work: Work, say: OnProgress) -> Import:
    """Do an import in this process, and return how it then stands: complete, or interrupted by a request to stop.

    Raises FetchError, after having noted it down for whoever looks at the folder later.
    """
    with words_for_disk(root):
        current, stop = claim(root, order), stop_request(root)

        def hear(progress: Progress) -> None:
            nonlocal current
            current = replace(current, progress=progress)
            _save(current, **background.identity())
            say(progress)

        try:
            work(hear, stop.exists)
            current = replace(current, complete=True)
        except Cancelled:
            pass
        except BaseException as failure:
            with contextlib.suppress(OSError):
                _save(replace(_at_rest(current), error=_reason(failure)), ended=True)
            raise
        current = _at_rest(current)
        _save(current, ended=True)
        stop.unlink(missing_ok=True)
        return current


def claim(root: Path, order: Order, waiting: bool = False) -> Import:
    """Make the folder this process's own, or with ``waiting`` that of the process about to be started.

    Raises FetchError where it holds anything else, or is being imported into.
    """
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / ".import.lock", timeout=10):
            before, awaited = _checked(root, order, waiting)
            if not awaited:  # a stop asked for since the start holds
                stop_request(root).unlink(missing_ok=True)
            _save(before, **({} if waiting else background.identity()))
            return before
    except Timeout as error:
        raise _busy(root) from error


@contextlib.contextmanager
def words_for_disk(root: Path) -> Iterator[None]:
    """What a disk refuses, as a FetchError."""
    try:
        yield
    except OSError as error:
        raise FetchError(
            f"{root} cannot be written to: {error.strerror or error}. Whatever has been fetched is kept: "
            "start the same import again once that is put right."
        ) from error


def _read(root: Path) -> tuple[Import, dict[str, Any]] | None:
    try:
        status = read_json(root / STATUS)
    except (OSError, ValueError):
        return None
    if misfit(status, _STATUS):
        return None
    order = Order(status["source"], status["choices"], status["how"])
    progress = Progress(**{name: status["progress"].get(name) for name in _PROGRESS})
    working = background.working(status)
    return Import(root, order, progress, working, status["complete"], status.get("error")), status


def _save(current: Import, **process: float | bool) -> None:
    """Write ``import.json``. ``process``: :func:`fracture.jobs.process.identity`, or ``ended``. Raises OSError."""
    said = {**asdict(current.order), "complete": current.complete, "error": current.error}
    said["progress"] = asdict(current.progress)
    write_json(current.root / STATUS, {**said, "heartbeat": time.time(), **process})


def _checked(root: Path, order: Order, waiting: bool) -> tuple[Import, bool]:
    """What lies in the folder, if it may be gone on with; and whether a process was started that has yet to speak."""
    found = _read(root)
    if found is None:
        if others := sorted(path.name for path in root.iterdir() if not path.name.startswith(".")):
            shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
            raise FetchError(f"{root} must be empty, or hold what the same import began. Received: {shown}")
        return Import(root, order), False
    there, status = found
    if background.taken(status, waiting):
        raise _busy(root)
    if there.order != order:
        raise FetchError(
            f"{root} holds an import from {there.order.words()}. Received: {order.words()}; "
            "choose another folder, or the same settings."
        )
    # What is complete is looked through again: files may have been deleted since.
    return Import(root, order, replace(there.progress, seconds_left=None, note=None)), there.working and not waiting


def _at_rest(current: Import) -> Import:
    return replace(current, working=False, progress=replace(current.progress, seconds_left=None, note=None))


def _reason(failure: BaseException) -> str | None:
    if isinstance(failure, FractureError):
        return str(failure)
    if isinstance(failure, OSError):
        return f"{failure.strerror or failure}."
    return None if isinstance(failure, KeyboardInterrupt) else f"The import broke off: {type(failure).__name__}."


def _busy(root: Path) -> FetchError:
    return FetchError(f"{root} is being imported into by another process. Wait until it has ended, or stop it.")
