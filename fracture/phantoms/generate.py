"""A data set of phantoms on disk, in MURA's layout, drawn by several processes.

::

    OUT/{train,valid}/XR_HUMERUS/patient00001/study1_{positive,negative}/image1.png
    OUT/truth.csv      what each image shows, see records.py
    OUT/phantom.json   what was asked for and how far it is, see drawing.py

A study's folder goes from ``.part1``, in which it is drawn, by ``.study1_positive``, whole but not yet listed, to
``study1_positive`` once truth.csv lists it: a reader finds whole studies alone, and none without its truth. The images
hold their truth as well: whatever happens to the process, drawing again goes on from what is on disk.
"""

import contextlib
import itertools
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fracture.data.ground_truth import TRUTH_FILE
from fracture.errors import DatasetError
from fracture.jobs import process
from fracture.phantoms.job import STATUS, Drawing, Plan, claim, save, stop_request, words_for_disk
from fracture.phantoms.records import Row, png, read_png, read_rows, row_of, write_rows
from fracture.phantoms.study import generate_study

SAVED_EVERY = 1.0
"""Seconds between two states of truth.csv and phantom.json on disk, at least."""

_SECOND_STUDY_SHARE = 0.08
"""Of patients with two studies."""

_VALID_SHARE = 0.2
"""Of patients in the validation split: those with the highest numbers, as in MURA."""


def _nothing(drawing: Drawing) -> None:
    """Say nothing."""


def write(root: Path, plan: Plan, say: Callable[[Drawing], None] = _nothing, processes: int | None = None) -> Drawing:
    """Draw a data set, or what it lacks, and return how it then stands: complete, or interrupted by a request to stop.

    Args:
        root: a new or an empty folder, or one in which the same plan was begun.
        plan: what is to be drawn.
        say: hears of what is there already, and then of the progress, about once a second.
        processes: how many draw; as many as there are cores by default. The result does not depend on it.

    Raises:
        DatasetError: the folder holds anything else, is being drawn into, or cannot be written to.
    """
    with words_for_disk(root):
        ledger = _Ledger(claim(root, plan), _rows_on_disk(root))
        ledger.save()
        say(ledger.drawing())
        try:
            _draw(ledger, say, processes or os.cpu_count() or 1)
        except BaseException as failure:
            ledger.give_up(failure)
            raise
        ledger.save(ended=True)
        ended = replace(ledger.drawing(), working=False)
        say(ended)
        return ended


def studies_of(seed: int, patient: int) -> int:
    """How many studies a patient has: 1, or in a few cases 2."""
    second = np.random.default_rng([seed, patient, 2]).random() < _SECOND_STUDY_SHARE
    return 2 if second else 1


def split_of(patient: int, patients: int) -> str:
    """The split of a patient, 1 to ``patients``: valid for the last fifth, at least one; train for the others."""
    return "valid" if patient > patients - max(1, round(patients * _VALID_SHARE)) else "train"


def order_of(patients: int) -> list[int]:
    """All patients, 1 to ``patients``, in the order of drawing: any first few come from all over the set."""
    golden = (5**0.5 - 1) / 2  # multiples of the golden section fill the unit interval evenly
    return sorted(range(1, patients + 1), key=lambda patient: patient * golden % 1)


@dataclass
class _Ledger:
    """What is drawn so far, and the files that say so."""

    before: Drawing
    rows: list[Row]
    began: float = field(default_factory=time.monotonic)
    next_save: float = 0.0
    at_first: int = 0
    unlisted: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.at_first = len(self.done())

    def add(self, rows: list[Row]) -> None:
        """Take note of studies that are drawn; they show with the next :meth:`save`."""
        self.rows += rows
        self.unlisted |= {(self.before.root / row["image"]).parent for row in rows}

    def done(self) -> set[int]:
        """The patients all of whose studies are drawn."""
        studies = Counter(patient for patient, _ in {(int(row["patient"]), int(row["study"])) for row in self.rows})
        return {patient for patient, number in studies.items() if number == studies_of(self.before.plan.seed, patient)}

    def drawing(self) -> Drawing:
        """How it stands."""
        done = len(self.done())
        took, new = time.monotonic() - self.began, done - self.at_first
        left = took / new * (self.before.plan.patients - done) if new else None
        return replace(self.before, done=done, images=len(self.rows), working=True, seconds_left=left, error=None)

    def save(self, ended: bool = False) -> None:
        """Both files anew, and between them the studies that truth.csv now lists."""
        started = time.monotonic()
        self._list()
        save(self.drawing(), **process.identity(), ended=ended)
        took = time.monotonic() - started
        pause = SAVED_EVERY if self.rows else 0.0  # the first image is waited for
        self.next_save = started + max(pause, 20 * took)  # a large table must not hold the drawing up

    def give_up(self, failure: BaseException) -> None:
        """Say why, as far as the disk lets us."""
        words = (failure.strerror or str(failure)) if isinstance(failure, OSError) else str(failure)
        broken = replace(self.drawing(), error=words if isinstance(failure, OSError | DatasetError) else None)
        for half in self.before.root.glob("*/XR_HUMERUS/patient*/.part*"):  # on a full disk the room for these words
            shutil.rmtree(half, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._list()
        with contextlib.suppress(OSError):
            save(broken, **process.identity(), ended=True)

    def _list(self) -> None:
        write_rows(self.before.root / TRUTH_FILE, self.rows)
        while self.unlisted:
            place = self.unlisted.pop()
            _hidden(place).rename(place)


def _draw(ledger: _Ledger, say: Callable[[Drawing], None], processes: int) -> None:
    """Draw the patients that are lacking until all are there, or until asked to stop."""
    root, plan = ledger.before.root, ledger.before.plan
    drawn, stop = ledger.done(), stop_request(root)
    todo = iter([patient for patient in order_of(plan.patients) if patient not in drawn])
    running: set[Future[list[Row]]] = set()
    with ProcessPoolExecutor(processes, initializer=_follow_parent) as pool:
        while True:
            if not stop.exists():
                few = itertools.islice(todo, 2 * processes - len(running))
                running |= {pool.submit(_draw_patient, root, plan, patient) for patient in few}
            if not running:
                break
            ended, running = wait(running, timeout=SAVED_EVERY, return_when=FIRST_COMPLETED)
            for future in ended:
                ledger.add(_result(future))
            if time.monotonic() >= ledger.next_save:
                ledger.save()
                say(ledger.drawing())
    stop.unlink(missing_ok=True)


def _result(future: Future[list[Row]]) -> list[Row]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise DatasetError("A process that drew was killed; there may be too little memory.") from error


def _draw_patient(root: Path, plan: Plan, patient: int) -> list[Row]:
    """Draw the studies that a patient lacks; the rows of what was drawn."""
    folder = root / split_of(patient, plan.patients) / "XR_HUMERUS" / f"patient{patient:05d}"
    if not (root / STATUS).exists():
        raise DatasetError(f"{root} was deleted while it was being drawn.")
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [
        study for study in range(1, studies_of(plan.seed, patient) + 1) if not any(folder.glob(f"study{study}_*"))
    ]
    return [row for study in lacking for row in _draw_study(root, plan, patient, study, folder)]


def _draw_study(root: Path, plan: Plan, patient: int, study: int, folder: Path) -> Iterator[Row]:
    views = generate_study(plan.seed, patient, study, plan.difficulty)
    place = folder / f"study{study}_{'positive' if views[0].truth.abnormal else 'negative'}"
    beside = folder / f".part{study}"
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
    beside.mkdir()
    rows = []
    for number, phantom in enumerate(views, 1):
        image = (place / f"image{number}.png").relative_to(root).as_posix()
        rows.append(row_of(phantom, image, patient, study, plan.difficulty))
        (beside / f"image{number}.png").write_bytes(png(phantom, rows[-1], plan.seed))
    beside.rename(_hidden(place))
    yield from rows


def _hidden(place: Path) -> Path:
    return place.with_name(f".{place.name}")


def _rows_on_disk(root: Path) -> list[Row]:
    """The truth of all whole studies: as truth.csv has it, or else as the images themselves do."""
    try:
        listed = {row["image"]: row for row in read_rows(root / TRUTH_FILE)}
    except (DatasetError, KeyError):
        listed = {}  # damaged from outside: the images still know
    for folder in root.glob("*/XR_HUMERUS/patient*/.study*_*"):  # whole, and cut off before they were listed
        folder.rename(folder.with_name(folder.name[1:]))
    rows = []
    for folder in sorted(root.glob("*/XR_HUMERUS/patient*/study*_*")):
        images = {path.relative_to(root).as_posix(): path for path in sorted(folder.glob("image*.png"))}
        try:
            if not images or not all(path.stat().st_size for path in images.values()):
                raise ValueError
            rows += [listed.get(image) or read_png(path, image) for image, path in images.items()]
        except (OSError, SyntaxError, ValueError, KeyError):
            shutil.rmtree(folder)  # cut short by a machine that went off: it is drawn again
    return rows


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
