"""How a large job survives kills, and what memory its main process needs: many tiny files and a tiny model.

    python -m benchmarks.scale_kills --model FOLDER [--files 100000] [--kills 10]

``--model``: a folder of a model that answers in milliseconds, such as one that the tests train.
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

DIFFERENT = 50
"""Pictures that differ; the others are copies under other names."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, nargs=2, default=(5, 40), help="until a kill, at least and at most")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pictures")
        draw(folder, args.files)
        out = Path(place, "out.csv")
        command = [sys.executable, "-m", "fracture", "classify", str(folder), "--model", args.model.name]
        command += ["--csv", str(out), "--workers", str(args.workers)]
        environment = {**os.environ, "FRACTURE_MODELS": str(args.model.parent), "FRACTURE_SHIPPED": place}
        chance = random.Random(0)
        for _ in range(args.kills):
            killed = run(command, environment, chance.uniform(*args.seconds))
            print(f"killed after {killed}", flush=True)
            if out.exists():
                break
        print(f"the last one: {run(command, environment, None)}")
        report(folder, out)


def draw(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (80, 80), np.uint8)) for _ in range(DIFFERENT)]
    for number in range(count):
        below = folder / f"{number // 1000:04}"
        below.mkdir(parents=True, exist_ok=True)
        pictures[number % DIFFERENT].save(below / f"{number:07}.png", compress_level=1)


def run(command: list[str], environment: dict[str, str], seconds: float | None) -> str:
    """Run the command, to its end or to a kill, and say what memory its main process had."""
    started = time.monotonic()
    memory: list[tuple[float, int]] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        main_process = psutil.Process(process.pid)
        while process.poll() is None:
            past = time.monotonic() - started
            if seconds is not None and past > seconds:
                os.kill(process.pid, signal.SIGKILL)
                break
            memory.append((past, resident(main_process)))
            time.sleep(0.5)
    values = [value / 1e6 for _, value in memory if value]
    tenth = max(1, len(values) // 10)
    early = max(values[tenth : 3 * tenth] or values)
    late = max(values[-2 * tenth :])
    return f"{time.monotonic() - started:.0f} s; main process {early:.1f} MB early, {late:.1f} MB late"


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def report(folder: Path, out: Path) -> None:
    with out.open(newline="") as file:
        rows = Counter(row["image"] for row in csv.DictReader(file))
    files = {str(path) for path in folder.rglob("*.png")}
    doubled = sum(count > 1 for count in rows.values())
    print(f"{len(files):,} files: {len(files - rows.keys()):,} lost, {doubled:,} doubled")


if __name__ == "__main__":
    main()
