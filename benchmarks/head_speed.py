"""A head trained again on cached features: as a process that starts from nothing, warm, and as a whole training.

    python -m benchmarks.head_speed [--images 1560] [--epochs 30] [--times 5]

Prints the seconds of each, and how many times faster the head is than the whole training.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.drawing import draw_mura

VIEWS = 3.0
"""Images of a patient, in the mean, that :func:`tests.support.drawing.draw_mura` draws."""

ALONE = """
from fracture.training.runs import queue
from fracture.experiments.workbench import open_bench, runs_with_features
bench = open_bench(runs_with_features(queue.runs())[0])
head = bench.fit(bench.training, bench.validation, bench.config)
print(len(bench.table), len(head.history["loss"]))
"""
WARM = """
import time
from fracture.training.runs import queue
from fracture.experiments.workbench import open_bench, runs_with_features
bench = open_bench(runs_with_features(queue.runs())[0])
for seed in range({times}):
    begun = time.perf_counter()
    bench.fit(bench.training, bench.validation, bench.config.changed(seed=seed))
    print(time.perf_counter() - begun)
"""


def main() -> None:
    """Draw images, train once so that their features are known, then time each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1560)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        patients = round(args.images / VIEWS)
        data = draw_mura(Path(place) / "MURA-v1.1", train_patients=patients * 4 // 5, valid_patients=patients // 5)
        first = _whole(place, data, "first", args.epochs)
        whole = [_whole(place, data, f"again{number}", args.epochs) for number in range(2)]
        alone, said = zip(*(_python(place, ALONE) for _ in range(args.times)), strict=True)
        warm = [float(line) for line in _python(place, WARM.format(times=args.times))[1].split()]
        images, epochs = said[0].split()
        figures = {
            "images": int(images),
            "epochs": int(epochs),
            "whole training, features computed": round(first, 2),
            "whole training, features cached": round(statistics.median(whole), 2),
            "head alone, process start included": round(statistics.median(alone), 2),
            "head alone, warm": round(statistics.median(warm), 3),
            "whole training, cached, against the head alone": round(
                statistics.median(whole) / statistics.median(alone), 1
            ),
        }
        print(json.dumps(figures, indent=1))


def _whole(place: str, data: Path, name: str, epochs: int) -> float:
    """Seconds of a training from the command line to the finished model."""
    command = ["-m", "fracture", "train", "--data", str(data), "--name", name, "--weights", "none", "--json"]
    return _timed(place, [*command, "--epochs", str(epochs)])[0]


def _python(place: str, code: str) -> tuple[float, str]:
    return _timed(place, ["-c", code])


def _timed(place: str, arguments: list[str]) -> tuple[float, str]:
    homes = {"FRACTURE_MODELS": f"{place}/models", "FRACTURE_CACHE": f"{place}/cache"}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **homes}, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - begun, done.stdout


if __name__ == "__main__":
    main()
