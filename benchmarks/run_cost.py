"""What runs were estimated to cost, beside what they took: seconds, and peak memory, as ratios.

    python -m benchmarks.run_cost --data PHANTOMS [--cases head-8bit head-keras fine-tune]

Each run is a process of its own, without caches; heads run once more, with their features cached. A ratio above 1 means
that the estimate was too high.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.footprint import peak
from fracture.data.combine import load_combined
from fracture.training.config import PRESETS, TrainConfig
from fracture.training.cost import estimate_cost, machine_speed
from fracture.training.weights import find_weights

CASES: dict[str, dict[str, Any]] = {
    "head-8bit": {"weights": "bundled-8bit"},
    "head-8bit-299": {"weights": "bundled-8bit", "image_size": 299},
    "head-keras": {"weights": "bundled"},
    "fine-tune": {**PRESETS["fine-tune"], "weights": "bundled", "epochs": 2, "image_size": 224, "box_weight": 0.0},
}

TRAIN = """
import json, sys
from fracture.training.config import TrainConfig
from fracture.training.pipeline import run
run(TrainConfig.from_json(json.loads(sys.argv[1])), emit=lambda kind, **said: None)
"""


def main() -> None:
    """Estimate, run and print each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_MODELS"] = f"{place}/models"
        os.environ["FRACTURE_CACHE"] = f"{place}/cache"
        for name in args.cases:
            turns = ("first",) if name == "fine-tune" else ("first", "cached")
            for turn in turns:
                config = TrainConfig(data=str(args.data.resolve()), name=f"{name}-{turn}", **CASES[name])
                compare(f"{name}, {turn}", config)


def compare(name: str, config: TrainConfig) -> None:
    """Print the estimate of a run, what it then took, and the ratios."""
    table = load_combined(config.data).table
    cost = estimate_cost(table, config, find_weights(config), machine_speed())
    began = time.perf_counter()
    memory = peak(["-c", TRAIN, json.dumps(config.to_json())])
    seconds = time.perf_counter() - began
    estimated = cost.memory / 2**20
    print(
        f"{name}: estimated {cost.seconds:.0f} s and {estimated:.0f} MB, took {seconds:.0f} s and {memory:.0f} MB; "
        f"ratios {cost.seconds / seconds:.2f} and {estimated / memory:.2f}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
