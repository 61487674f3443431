"""What a full disk costs, and one that cannot be written, for real: a small tmpfs.

Run as root, ``python -m benchmarks.faults``. Printed for each fault are what was said, what was kept, and what
came of it when there was room; at the end whether a finished model and a data set beside are byte for byte as they
were. Exit status 1 where they are not, or where something did not go on.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fracture.data.dataset import scan
from fracture.data.export import zip_prep
from fracture.errors import FractureError
from fracture.inference.classifier import load_classifier
from fracture.paths import PROJECT
from fracture.phantoms import job
from fracture.phantoms.job import find_phantom_job
from fracture.phantoms.plan import Plan
from fracture.registry.edit import write_note
from fracture.registry.model_folder import ModelFolder, model_folder
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.support.drawing import draw_mura
from tests.support.waiting import wait

LONG = 900
"""Seconds that nothing here takes."""


def main() -> int:
    """Do each, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bundled-8bit", help="of the training")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        for name in ("data", "models", "cache"):
            os.environ[f"FRACTURE_{name.upper()}"] = str(base / name)
            (base / name).mkdir()
        data = draw_mura(base / "data" / "drawn")
        shutil.copytree(PROJECT / "models" / "fracatlas", base / "models" / "finished")
        before = sums(base / "models" / "finished") | sums(data)
        config = TrainConfig(data=str(data), name="run", weights=args.weights, image_size=75, epochs=12)
        failed = [*full_disks(base, data, config), *read_only(base, config)]
        if sums(base / "models" / "finished") | sums(data) != before:
            failed.append("a finished run or data set was harmed")
        print("finished model and data set beside:", "HARMED" if "harmed" in str(failed) else "as they were, sha256")
    print("failed:", "; ".join(failed) or "nothing")
    return 1 if failed else 0


def sums(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder that is not hidden."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@contextmanager
def small_disk(place: Path, megabytes: float) -> Iterator[Path]:
    """A real disk of so many megabytes."""
    place.mkdir(exist_ok=True)
    size = f"size={int(megabytes * 1024)}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def enlarge(place: Path) -> None:
    """There is room again."""
    subprocess.run(["mount", "-o", "remount,size=1g", str(place)], check=True)


def said_by(work: Callable[[], object]) -> str:
    """The sentence that a person reads; a defect of the program goes through."""
    try:
        work()
    except FractureError as error:
        return str(error)
    return "nothing"


def full_disks(base: Path, data: Path, config: TrainConfig) -> Iterator[str]:
    """Drawing, export and training on disks that are too small for them, and once more when there is room."""
    with small_disk(base / "small-data", 1) as place:
        root = place / "phantoms"
        job.start(root, Plan(patients=8))
        stood = wait(lambda: (found := find_phantom_job(root)) and not found.active and found, LONG)
        print(f"drawing, 1 MB: {stood.state}, {stood.images} images are kept; {stood.error}")
        enlarge(place)
        job.start(root, Plan(patients=8))
        stood = wait(lambda: (found := find_phantom_job(root)) and not found.active and found, LONG)
        print(f"drawing, when there is room: {stood.state}, {stood.images} images; {stood.error}")
        if stood.state != "complete":
            yield "a drawing was not gone on with"
    with small_disk(base / "small-out", 0.1) as place:
        print(f"export, 0.1 MB: {said_by(lambda: zip_prep(scan(data), place / 'prep.zip'))}")
        if list(place.iterdir()):
            yield "an export left something"
    yield from full_models(base, config)


def full_models(base: Path, config: TrainConfig) -> Iterator[str]:
    """A training that cannot be saved keeps its last epoch, and ends as it should when there is room."""
    with small_disk(base / "models" / "run", 0.3) as place:
        folder = model_folder("run")
        begun = start_in(folder, config)
        stood = ended(begun)
        print(f"training, 0.3 MB: {stood.state}; {stood.error}; checkpoint {folder.checkpoint.exists()}")
        enlarge(place)
        queue.resume(stood)
        stood = ended(stood)
        print(f"training, when there is room: {stood.state}; {stood.error or 'no error'}")
        if stood.state != "finished" or not folder.usable:
            yield "a training was not gone on with"


def read_only(base: Path, config: TrainConfig) -> Iterator[str]:
    """A models folder that cannot be written: its models answer, and what wants to write says so."""
    with small_disk(base / "fixed", 100) as place:
        shutil.copytree(base / "models" / "finished", place / "finished")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        os.environ["FRACTURE_MODELS"] = str(place)
        print(f"training, read-only: {said_by(lambda: queue.start(config))}")
        print(f"note, read-only: {said_by(lambda: write_note(model_folder('finished'), 'seen'))}")
        if (said := said_by(lambda: load_classifier("finished"))) != "nothing":
            yield f"a model in a read-only folder does not answer: {said}"
    os.environ["FRACTURE_MODELS"] = str(base / "models")


def start_in(folder: ModelFolder, config: TrainConfig) -> queue.Run:
    """As :func:`fracture.training.runs.queue.start` would, in a folder that is there: it is a disk of its own."""
    run = queue.Run(folder, "queued", config.to_json(), time.time())
    with queue.alone():
        queue._queue(run)
    queue.advance()
    return run


def ended(run: queue.Run) -> queue.Run:
    """The run when its process has ended."""
    return wait(lambda: (found := queue.find_run(run.folder)) and not found.active and found, LONG)


if __name__ == "__main__":
    sys.exit(main())
