"""Files that nobody should send, by the thousand, through all that the pages do with an upload.

Run as ``python -m benchmarks.hostile_uploads``; ``--large`` adds those of the most pixels, which take a while to
make. Each file goes through the functions of the pages in a process with a model loaded: an image is read, shrunk and
classified; a zip is unpacked; a colleague's decisions are merged. Printed are how many were answered or refused in one
sentence, the slowest, the largest peak of memory, and findings: an error that is no sentence, more than 5 s, more than
500 MB, or the end of the process. Exit status 1 where there is one.
"""

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from fracture.data import decisions
from fracture.errors import FractureError
from fracture.imaging import radiograph
from fracture.importers.zip_file import unpack
from fracture.inference.classifier import Classifier
from fracture.registry.model_folder import ModelFolder, bundled_model
from tests.conftest import SHARED
from tests.hostile import dicoms, pictures, tables, zips

MOST_SECONDS, MOST_MEMORY = 5.0, 500
PATIENCE = 40.0
SIDES = (7071, 5477, 3800, 3600)
"""px: at 50 million pixels, and just below what is allowed in color, in JPEG 2000 and for progressive JPEG."""


class Task(NamedTuple):
    """One file: its way in, its kind, and the number or the path by which a process makes or finds it."""

    way: str
    kind: str
    number: int = 0
    path: str = ""


class Outcome(NamedTuple):
    """What came of it, in seconds and MB."""

    said: str
    words: str
    seconds: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=9000, help="damaged images")
    parser.add_argument("--zips", type=int, default=900, help="damaged zips")
    parser.add_argument("--tables", type=int, default=900, help="damaged files of decisions")
    parser.add_argument("--large", action="store_true", help="those of the most pixels, too")
    parser.add_argument("--first", type=int, default=0, help="number of the first damaged file: others than before")
    parser.add_argument("--model", type=Path, default=bundled_model().path, help="a model's folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    logging.disable()  # of what pydicom warns while it writes them
    warnings.simplefilter("ignore")
    began = time.monotonic()
    findings = report(run(tasks(args), args.model, args.workers))
    print(f"in {time.monotonic() - began:.0f} s")
    sys.exit(1 if findings else 0)


def tasks(args: argparse.Namespace) -> Iterator[Task]:
    """All there is to be done; large files are made here, one at a time."""
    yield from (Task("image", kind) for kind in {**pictures.small(), **dicoms.small()})
    yield from (Task("zip", kind) for kind in zips.small())
    yield from (Task("table", kind) for kind in tables.small())
    for way, count in (("image", args.images), ("zip", args.zips), ("table", args.tables)):
        yield from (Task(way, "damaged", number) for number in range(args.first, args.first + count))
    for side in SIDES if args.large else ():
        for kind, make in {**pictures.large(side), **dicoms.large(side)}.items():
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(make())
                yield Task("image", f"{kind}, {side} px", path=file.name)


def run(todo: Iterator[Task], model: Path, workers: int) -> Iterator[tuple[Task, Outcome]]:
    """Each task in one of several processes; one that dies or does not answer is ended and replaced."""
    context = multiprocessing.get_context("spawn")
    free, busy = [_Worker(context, model) for _ in range(workers)], list[_Worker]()
    for task in todo:
        if task.path:  # its file is there only until the next one is asked for; in a process that has seen nothing
            yield from _all(busy, free, context, model)
            free.pop().end()
            free.append(_Worker(context, model))
        while not free:
            yield from _ready(busy, free, context, model)
        worker = free.pop()
        worker.begin(task)
        busy.append(worker)
        if task.path:
            yield from _all(busy, free, context, model)
    yield from _all(busy, free, context, model)
    for worker in free:
        worker.end()


class _Worker:
    """A process that does one task after the other."""

    def __init__(self, context: Any, model: Path) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, model))
        self.process.start()
        theirs.close()

    def begin(self, task: Task) -> None:
        self.task, self.since = task, time.monotonic()
        self.pipe.send(task)

    def outcome(self) -> Outcome | None:
        """What came of the task; None while it is at work."""
        try:
            if self.pipe.poll(0.02):
                answer: Outcome = self.pipe.recv()
                return answer
        except (EOFError, ConnectionError):
            self.process.join()
            return Outcome("FINDING", f"the process ended with {self.process.exitcode}", 0.0, 0.0)
        if time.monotonic() - self.since > PATIENCE:
            return Outcome("FINDING", "it did not come to an end", PATIENCE, 0.0)
        return None

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def _ready(busy: list[_Worker], free: list[_Worker], context: Any, model: Path) -> Iterator[tuple[Task, Outcome]]:
    for worker in busy[:]:
        if outcome := worker.outcome():
            busy.remove(worker)
            lost = outcome.seconds >= PATIENCE or not worker.process.is_alive()
            if lost:
                worker.end()
            free.append(_Worker(context, model) if lost else worker)
            yield worker.task, outcome


def _all(busy: list[_Worker], free: list[_Worker], context: Any, model: Path) -> Iterator[tuple[Task, Outcome]]:
    while busy:
        yield from _ready(busy, free, context, model)


def work(pipe: Connection, model: Path) -> None:
    """In a process of its own: load the model, then do what comes."""
    classifier = Classifier(ModelFolder(model))
    classifier.view("warm", radiograph.read(pictures.encoded(pictures.RAMP)))
    real = SHARED / "data" / "fracatlas" / "images"
    while True:
        task: Task = pipe.recv()
        data = content(task, real if real.is_dir() else None)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        began = time.monotonic()
        said, words = tried(task.way, data, classifier)
        pipe.send(Outcome(said, words, time.monotonic() - began, _peak()))


def content(task: Task, real: Path | None) -> bytes:
    """The bytes of a task's file."""
    if task.path:
        return Path(task.path).read_bytes()
    if task.kind == "damaged":
        from tests.hostile import mutants  # draws, by much that a server has not loaded

        make = {"image": lambda: mutants.mutant(task.number, real)[1], "zip": lambda: zips.mutant(task.number)}
        return make.get(task.way, lambda: tables.mutant(task.number))()
    known = {"image": {**pictures.small(), **dicoms.small()}, "zip": zips.small(), "table": tables.small()}
    return known[task.way][task.kind]()


def tried(way: str, data: bytes, classifier: Classifier) -> tuple[str, str]:
    """(answered, sentence or FINDING; what was said)."""
    try:
        return "answered", {"image": _image, "zip": _zip, "table": _table}[way](data, classifier)
    except FractureError as error:
        words = str(error)
        return ("FINDING" if "\n" in words or len(words) > 1000 else "sentence"), words
    except Exception:  # noqa: BLE001 - which is what is looked for
        return "FINDING", traceback.format_exc()


def _image(data: bytes, classifier: Classifier) -> str:
    image = radiograph.read(data, "upload")
    radiograph.shrink(image.pixels, 1024)
    view = classifier.view("upload", image)
    if not 0 <= view.probability <= 1:
        raise ValueError(f"a probability of {view.probability}")
    return f"{image.width} x {image.height}"


def _zip(data: bytes, _: Classifier) -> str:
    with tempfile.TemporaryDirectory() as home:
        out = Path(home) / "home" / "out"
        try:
            return f"{unpack(BytesIO(data), out).images} images"
        finally:
            left = {path.name for path in (*Path(home).iterdir(), *Path(home, "home").glob("*"))}
            if left - {"home", "out", ".unpacking.lock"}:
                raise ValueError(f"left behind: {left}")


def _table(data: bytes, _: Classifier) -> str:
    with tempfile.TemporaryDirectory() as root:
        return f"{decisions.merge(Path(root), BytesIO(data))} decisions"


def _peak() -> float:
    """MB of memory that the process had at most since it was counted anew."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def report(done: Iterator[tuple[Task, Outcome]]) -> int:
    """Print what came of all, and how many findings there are."""
    counted, findings, slowest, largest = Counter[tuple[str, str]](), 0, [], []
    for task, outcome in done:
        shown = f"{task.way} {task.kind} {task.number or ''}".strip()
        said = outcome.said
        if outcome.seconds > MOST_SECONDS or outcome.memory > MOST_MEMORY:
            said = "FINDING"
        if said == "FINDING":
            findings += 1
            print(f"FINDING {shown}: {outcome.seconds:.1f} s, {outcome.memory:.0f} MB: {outcome.words}", flush=True)
        counted[task.way, said] += 1
        slowest = sorted([*slowest, (outcome.seconds, shown)])[-3:]
        largest = sorted([*largest, (outcome.memory, shown)])[-3:]
    for (way, said), count in sorted(counted.items()):
        print(f"{way:6} {said:9} {count:6,}")
    print(f"{'all':6} {'':9} {counted.total():6,}")
    print("slowest:", "; ".join(f"{seconds:.2f} s {shown}" for seconds, shown in reversed(slowest)))
    print("most memory:", "; ".join(f"{memory:.0f} MB {shown}" for memory, shown in reversed(largest)))
    print(f"findings: {findings}")
    return findings


if __name__ == "__main__":
    main()
