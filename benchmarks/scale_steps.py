"""Processor seconds and bytes of each step of ``fracture classify`` for an image, and what they mean for an archive.

    python -m benchmarks.scale_steps --data FOLDER [--images 40] [--archive 10000000] [--cores 100]

Steps run in this process with one thread for the model, as in a worker of one thread. Processor time hardly depends on
what else the machine does, where time by the clock does.
"""

import argparse
import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from fracture import parallel
from fracture.files import JsonObject
from fracture.imaging.radiograph import load
from fracture.inference.batch.answering import Request, answer_study, load_models
from fracture.inference.batch.asking import models_to_ask
from fracture.inference.batch.job import CHUNK_SECONDS
from fracture.inference.batch.listing import Study, list_studies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--archive", type=int, default=10_000_000)
    parser.add_argument("--cores", type=int, default=100)
    args = parser.parse_args()
    parallel._threads = 1  # as in a worker
    files = spread(args.data, args.images)
    request = Request(tuple(models_to_ask(None)))
    load_models(request)
    answer_study(request, Study(files[0], (files[0],)))  # the first one is slower
    rows: list[JsonObject] = []
    steps = {
        "read": seconds(lambda file: Path(file).read_bytes(), files),
        "decode, with reading": seconds(lambda file: load(Path(file)), files),
        "answer, with both": seconds(lambda file: rows.extend(answer_study(request, Study(file, (file,))).rows), files),
    }
    for name, each in steps.items():
        print(f"{name:22} {1000 * each:7.1f} ms of one core an image")
    size = sum(Path(file).stat().st_size for file in files) / len(files)
    line = sum(map(line_bytes, rows)) / len(files)
    print(f"{'file':22} {size / 1000:7.1f} kB an image")
    print(f"{'line of the CSV file':22} {line:7.0f} bytes an image")
    print(f"{'memory of a worker':22} {psutil.Process().memory_info().rss / 1e6:7.0f} MB")
    example(args.archive, args.cores, steps["answer, with both"], size, line)


def spread(data: Path, count: int) -> list[str]:
    """Images from all over a data set."""
    files = [study.files[0] for study in list_studies([str(data)], together=False)]
    return files[:: max(1, len(files) // count)][:count]


def seconds(step: Callable[[str], object], files: list[str]) -> float:
    """Of processor time an image, those of all threads together."""
    started = time.process_time()
    for file in files:
        step(file)
    return (time.process_time() - started) / len(files)


def line_bytes(row: JsonObject) -> int:
    text = io.StringIO()
    csv.writer(text).writerow(row.values())
    return len(text.getvalue().encode())


def example(images: int, cores: int, each: float, size: float, line: float) -> None:
    core_hours = images * each / 3600
    hours = core_hours / cores
    print(f"\n{images:,} images on {cores} such cores: {core_hours:,.0f} hours of a core, {hours:.1f} by the clock")
    print(f"read: {images * size / 1e12:.2f} TB, {images * size / hours / 3600 / 1e6:.0f} MB a second")
    print(
        f"written: {images * line / 1e9:.1f} GB; tasks of {CHUNK_SECONDS:g} s: {images * each / CHUNK_SECONDS:,.0f}, ",
        end="",
    )
    print(f"{cores / CHUNK_SECONDS:.0f} a second")


if __name__ == "__main__":
    main()
