"""What a full disk and a killed server cost, for real: a small tmpfs, and ``kill -9`` of the app's process.

Run as root, ``python -m tests.benchmarks.faults --weights bundled``. Printed for each fault are what was said, what was
lost, and whether the next start worked; at the end whether a finished model and a data set beside are byte for byte as
they were, and how many tracebacks the server wrote. Exit status 1 where a finished run was harmed, a traceback was
written, or a next start did not work.
"""

import argparse
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fracture.classify.store import ModelFolder, model_folder
from fracture.data.dataset import scan
from fracture.data.phantom import drawing
from fracture.data.phantom.drawing import Plan, find_drawing
from fracture.data.prep import zip_prep
from fracture.errors import FractureError
from fracture.home import PROJECT
from fracture.learn import jobs
from fracture.learn.config import TrainConfig
from tests.benchmarks.footprint import wait_until_up
from tests.drawing import draw_mura
from tests.waiting import wait

LONG = 900
"""Seconds that nothing here takes."""


def main() -> int:
    """Do each, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bundled", help="of the trainings")
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
        failed = [*full_disks(base, data, config), *killed_servers(base, config)]
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
        drawing.start(root, Plan(patients=8))
        stood = wait(lambda: (found := find_drawing(root)) and not found.active and found, LONG)
        print(f"drawing, 1 MB: {stood.state}, {stood.images} images are kept; {stood.error}")
        enlarge(place)
        drawing.start(root, Plan(patients=8))
        stood = wait(lambda: (found := find_drawing(root)) and not found.active and found, LONG)
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
        jobs.resume(stood)
        stood = ended(stood)
        print(f"training, when there is room: {stood.state}; {stood.error or 'no error'}")
        if stood.state != "finished" or not folder.usable:
            yield "a training was not gone on with"


def start_in(folder: ModelFolder, config: TrainConfig) -> jobs.Run:
    """As :func:`fracture.learn.jobs.start` would, in a folder that is there: it is a disk of its own."""
    run = jobs.Run(folder, "queued", config.to_json(), time.time())
    with jobs.alone():
        jobs._queue(run)
    jobs.advance()
    return run


def ended(run: jobs.Run) -> jobs.Run:
    """The run when its process has ended."""
    return wait(lambda: (found := jobs.find_run(run.folder)) and not found.active and found, LONG)


@contextmanager
def server(base: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app as a process, its port, and a log in ``base``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options]
    with (base / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health")
        yield process, port
    finally:
        process.kill()
        process.wait()


def killed_servers(base: Path, config: TrainConfig) -> Iterator[str]:
    """During an upload, a drawing and a training; the work goes on by itself, and the app comes up again."""
    with server(base) as (process, port), socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(
            b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000
        )
        drawing.start(base / "data" / "phantoms", Plan(patients=8))
        run = jobs.start(TrainConfig(**{**config.to_json(), "name": "beside", "also": ()}))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    left = [path.name for path in base.rglob("*") if "upload" in path.name]
    print(f"server killed during an upload: {left or 'nothing'} is left of it")
    with server(base):
        print("the next start: up")
        drawn = wait(lambda: (found := find_drawing(base / "data" / "phantoms")) and not found.active and found, LONG)
        trained = ended(run)
        print(f"server killed during a drawing: {drawn.state}; during a training: {trained.state}")
        if drawn.state != "complete" or trained.state != "finished":
            yield "what was at work did not come to its end"
    tracebacks = (base / "server.log").read_text(errors="replace").count("Traceback")
    print(f"tracebacks in the server's log: {tracebacks}")
    if tracebacks:
        yield "the server wrote a traceback"


if __name__ == "__main__":
    sys.exit(main())
