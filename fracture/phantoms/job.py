"""A data set of phantoms in the making: what was asked for, how it stands, and how to start and stop it.

The drawing is a process that belongs to nobody; all that passes between it and the rest are two files in its folder,
``phantom.json`` and a request to stop. See :mod:`fracture.phantoms.generate` for the work itself.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fracture import demo
from fracture.errors import DatasetError
from fracture.files import read_json, write_json
from fracture.jobs import process as background
from fracture.phantoms.study import DIFFICULTY
from fracture.shapes import Shape, finite, maybe, misfit, text, whole

STATUS = "phantom.json"
LOG = ".phantom.log"

_STATUS: Shape = {
    **dict.fromkeys(("patients", "seed", "done", "images"), whole),
    "difficulty": finite,
    "seconds_left?": maybe(finite),
    "error?": maybe(text),
    **background.PROCESS,
}

RENDERER = 1
"""To be raised whenever the same seed draws other pixels: a data set is not gone on with by another renderer."""

MOST_PATIENTS = 20_000
MOST_SEED = 2**31


@dataclass(frozen=True)
class Plan:
    """What is to be drawn. The same plan draws the same bytes.

    ``patients``: 2 to 20,000. ``seed``: 0 to 2**31. ``difficulty``: from 0, what everyone sees, to 1, what a
    specialist would argue about. Raises DatasetError for other values.
    """

    patients: int = 200
    seed: int = 1
    difficulty: float = DIFFICULTY

    def __post_init__(self) -> None:
        if not 2 <= self.patients <= MOST_PATIENTS:
            raise DatasetError(f"patients must be 2 to {MOST_PATIENTS}. Received: {self.patients}")
        if not 0 <= self.seed <= MOST_SEED:
            raise DatasetError(f"seed must be 0 to {MOST_SEED}. Received: {self.seed}")
        if not 0 <= self.difficulty <= 1:
            raise DatasetError(f"difficulty must be 0 to 1. Received: {self.difficulty}")


@dataclass(frozen=True)
class Drawing:
    """A data set of phantoms as it stands on disk."""

    root: Path
    plan: Plan
    done: int
    """Patients that are drawn."""
    images: int
    working: bool
    """Whether its process is at work."""
    seconds_left: float | None = None
    """None where it cannot be told."""
    error: str | None = None
    """Why the process gave up: a sentence."""

    @property
    def state(self) -> str:
        """``drawing``, ``complete`` or ``interrupted``."""
        return "complete" if self.done >= self.plan.patients else "drawing" if self.working else "interrupted"

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.state == "drawing"


def find_drawing(root: str | Path) -> Drawing | None:
    """How the drawing in this folder stands; None where there is none, or its ``phantom.json`` is damaged."""
    found = _read(Path(root))
    return found[0] if found else None


def _read(root: Path) -> tuple[Drawing, dict[str, Any]] | None:
    with contextlib.suppress(OSError, ValueError, DatasetError):
        status = read_json(root / STATUS)
        if misfit(status, _STATUS):
            return None
        plan = Plan(status["patients"], status["seed"], status["difficulty"])
        left, error = status.get("seconds_left"), status.get("error")
        return Drawing(root, plan, status["done"], status["images"], background.working(status), left, error), status
    return None


def find_same(home: Path, plan: Plan) -> Drawing | None:
    """The data set in a folder of data sets that was begun with the same plan, whatever has become of it."""
    folders = sorted(home.iterdir()) if home.is_dir() else []
    return next((found for path in folders if (found := find_drawing(path)) and found.plan == plan), None)


def start(root: Path, plan: Plan, visitor: str = "") -> None:
    """Draw, or go on drawing, in a process of its own; one beside another would only make both slower.

    ``visitor``: who asks for it in a public demo. Raises DatasetError where the folder cannot be used, or this one or
    one beside it is being drawn into; PublicError where a public demo does not draw so much.
    """
    demo.check_visitor(visitor)
    demo.check_phantoms(plan.patients)
    with words_for_disk(root):
        others = sorted(root.parent.iterdir()) if root.parent.is_dir() else []
        if busy := next((path for path in others if (found := find_drawing(path)) and found.active), None):
            raise _busy(busy)
        new = demo.claimable(root, visitor)
        claim(root, plan, waiting=True)
        if new:
            demo.sign(root, visitor)
        command = ["-m", "fracture", "phantom", str(root), "--json"]
        choices = [text for name, value in asdict(plan).items() for text in (f"--{name}", str(value))]
        background.spawn([*command, *choices], root / LOG)


def request_stop(root: Path, visitor: str = "") -> None:
    """Ask a drawing to end after the patients in hand; what is drawn is kept. PublicError for another visitor's."""
    demo.check_owner(root, visitor)
    with contextlib.suppress(OSError):  # the folder was deleted in the meantime: there is nothing to stop
        stop_request(root).touch()


def stop_request(root: Path) -> Path:
    """The file whose presence asks the drawing to stop."""
    return root / ".phantom.stop"


def claim(root: Path, plan: Plan, waiting: bool = False) -> Drawing:
    """Make the folder this process's own, or with ``waiting`` that of the process about to be started.

    Raises DatasetError where it holds anything else, or is being drawn into.
    """
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / ".phantom.lock", timeout=10):
            before = _checked(root, plan, waiting)
            if waiting or not _awaited(root):  # a stop asked for since the start holds
                stop_request(root).unlink(missing_ok=True)
            # An empty tree, so that the folder is known as a data set from the first moment on.
            (root / "train" / "XR_HUMERUS").mkdir(parents=True, exist_ok=True)
            before = replace(before, seconds_left=None, error=None)
            save(before, **({} if waiting else background.identity()))
            return before
    except Timeout as error:
        raise _busy(root) from error


def _awaited(root: Path) -> bool:
    """Whether a process was started that has not spoken yet."""
    found = _read(root)
    return found is not None and found[0].active and "pid" not in found[1]


def save(drawing: Drawing, **process: float | bool) -> None:
    """Write ``phantom.json``. ``process``: :func:`fracture.jobs.process.identity`, or ``ended``. Raises OSError."""
    progress = {"done": drawing.done, "images": drawing.images, "seconds_left": drawing.seconds_left}
    said = {**asdict(drawing.plan), "renderer": RENDERER, **progress, "error": drawing.error}
    write_json(drawing.root / STATUS, {**said, "heartbeat": time.time(), **process})


@contextlib.contextmanager
def words_for_disk(root: Path) -> Iterator[None]:
    """What a disk refuses, as a DatasetError."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{root} cannot be written to: {error.strerror or error}. Whatever has been drawn is kept."
        ) from error


def _checked(root: Path, plan: Plan, waiting: bool) -> Drawing:
    """What lies in the folder, if it may be gone on with."""
    found = _read(root)
    if found is None:
        if others := sorted(path.name for path in root.iterdir() if not path.name.startswith(".")):
            shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
            raise DatasetError(f"{root} must be empty, or hold phantoms drawn before. Received: {shown}")
        return Drawing(root, plan, 0, 0, working=False)
    drawing, status = found
    if drawing.active and background.taken(status, waiting):
        raise _busy(root)
    if drawing.plan != plan or status.get("renderer") != RENDERER:
        there = drawing.plan
        raise DatasetError(
            f"{root} holds phantoms of {there.patients} patients, seed {there.seed}, difficulty {there.difficulty:g}, "
            f"renderer {status.get('renderer')}. Received: {plan.patients} patients, seed {plan.seed}, difficulty "
            f"{plan.difficulty:g}, renderer {RENDERER}; choose another folder, or the same settings."
        )
    return drawing


def _busy(root: Path) -> DatasetError:
    return DatasetError(f"{root} is being drawn by another process. Wait until it has ended, or stop it.")
