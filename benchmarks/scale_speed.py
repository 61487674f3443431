"""Images a second of ``fracture classify`` on a folder: one process, several, and Dask workers of one thread.

    python -m benchmarks.scale_speed --data FOLDER [--images 300] [--workers 2] [--rounds 3]

Each number is the best of several rounds in turn, so that other programs of the machine disturb all alike. The cluster
needs the extra ``cluster``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fracture.inference.batch.listing import list_studies
from tests.support.clusters import start_cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "images")
        link(args.data, folder, args.images)
        out = Path(place, "out.csv")
        ways = {
            "one process": ["--workers", "1"],
            f"{args.workers} processes": ["--workers", str(args.workers)],
            "one Dask worker of one thread": ["--cluster", "1"],
            f"{args.workers} Dask workers of one thread": ["--cluster", str(args.workers)],
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(args.rounds):
            for name, options in ways.items():
                best[name] = min(best[name], seconds(folder, out, options))
        for name, took in best.items():
            print(f"{name:32} {took:6.1f} s  {args.images / took:5.1f} images a second")
        one, many, worker, workers = best.values()
        print(f"{args.workers} processes: {one / many:.2f} times one; {args.workers} workers: {worker / workers:.2f}")


def link(data: Path, folder: Path, count: int) -> None:
    """Links to images from all over a data set."""
    folder.mkdir()
    files = [study.files[0] for study in list_studies([str(data)], together=False)]
    for path in files[:: max(1, len(files) // count)][:count]:
        (folder / Path(path).name).symlink_to(path)


def seconds(folder: Path, out: Path, options: list[str]) -> float:
    """Of the command, from its start to its end; of a cluster, whose workers have the model loaded."""
    if options[0] != "--cluster":
        return timed(folder, out, options)
    with tempfile.TemporaryDirectory() as place, start_cluster(Path(place), int(options[1])) as address:
        warm = Path(place, "warm")
        link(folder, warm, 8 * int(options[1]))
        timed(warm, out, ["--cluster", address])
        return timed(folder, out, ["--cluster", address])


def timed(folder: Path, out: Path, options: list[str]) -> float:
    command = [sys.executable, "-m", "fracture", "classify", str(folder), "--csv", str(out), *options]
    started = time.monotonic()
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not out.exists():
        raise SystemExit(done.stderr)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
