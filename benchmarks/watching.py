"""What a server has to do while one tab watches a training.

Run as ``python -m benchmarks.watching --weights FILE.weights.h5``. A fine-tuning of drawn radiographs runs,
Chromium has its page open, and after it has drawn its first epochs the server's processor time is counted for a minute.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.interruptions import LONG, events
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.browser.chromium import chromium, new_page
from tests.support.serving import served
from tests.support.waiting import wait


def main() -> None:
    """Train, watch, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for name in ("data", "models", "cache"):
            os.environ[f"FRACTURE_{name.upper()}"] = f"{place}/{name}"
        write(Path(place) / "data" / "phantoms", Plan(patients=60))
        choices = {"mode": "fine-tune", "image_size": 150, "unfreeze": "mixed8", "epochs": 100}
        config = TrainConfig(data=f"{place}/data/phantoms", name="watched", weights=args.weights, **choices)
        with served(Path(place) / "server.log") as app, chromium() as browser:
            run = queue.start(config)
            page = new_page(browser)
            page.goto(f"{app.address}/train?run=watched")
            wait(lambda: len(events(run, "epoch")) > 1, LONG)
            page.get_by_text("at a threshold of 50%").first.wait_for(timeout=60_000)
            page.wait_for_timeout(2000)
            share, epochs = watched(app.process, args.seconds), len(events(run, "epoch"))
            print(
                f"processor time of the server: {share:.1%} of one core, over {args.seconds:g} s and to epoch {epochs}"
            )
            queue.end_now(run)


def watched(server: psutil.Process, seconds: float) -> float:
    """The share of one core that the server takes."""
    before, began = sum(server.cpu_times()[:2]), time.monotonic()
    time.sleep(seconds)
    return (sum(server.cpu_times()[:2]) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
