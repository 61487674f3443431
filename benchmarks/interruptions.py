"""A fine-tuning that is killed again and again at random moments and gone on with, against one that is left alone.

Run as ``python -m benchmarks.interruptions --weights FILE.weights.h5``. Printed are the epochs that were trained
again after each kill, how far the curves and the best AUC of both lie apart, whether each line of ``events.jsonl`` is
whole, and how long a stop takes from the request to the end of the training loop.
"""

import argparse
import json
import os
import random
import signal
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.training.config import TrainConfig
from fracture.training.events import Event, read_events
from fracture.training.runs import queue
from fracture.training.runs.progress import RunProgress
from tests.support.waiting import wait

LONG = 3600
"""Seconds that nothing here takes."""


def main() -> None:
    """Train, interrupt, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--longest", type=float, default=45, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_MODELS"], os.environ["FRACTURE_CACHE"] = f"{place}/models", f"{place}/cache"
        write(Path(place) / "phantoms", Plan(patients=args.patients))
        choices = {"mode": "fine-tune", "image_size": 150, "unfreeze": "mixed8", "augmentation": "full"}
        choices |= {"averaging": 0.9, "learning_rate": 3e-4, "epochs": args.epochs, "weights": args.weights}
        chosen = [TrainConfig(data=f"{place}/phantoms", name=name, **choices) for name in ("left-alone", "killed")]
        alone = ended(queue.start(chosen[0]))
        killed = kill(queue.start(chosen[1]), args.kills, args.longest, random.Random(args.seed))
        compare(alone, killed)
        print(f"from the request to stop to the end of the loop: {stop(chosen[0]):.2f} s")


def ended(run: queue.Run) -> queue.Run:
    """The run when its process has ended."""
    return wait(lambda: (found := queue.find_run(run.folder)) and not found.active and found, LONG)


def events(run: queue.Run, kind: str) -> list[Event]:
    """All events of a kind that a run has said so far."""
    return [event for event in read_events(run.folder.events)[0] if event["kind"] == kind]


def kill(run: queue.Run, kills: int, longest: float, chance: random.Random) -> queue.Run:
    """Kill and go on; where it comes to its end before the last kill, the rest of them is not to be had."""
    for number in range(kills):
        end = time.monotonic() + chance.uniform(1, longest)
        wait(lambda end=end: time.monotonic() > end or not queue.find_run(run.folder).active, LONG)
        if (found := queue.find_run(run.folder)).state == "finished":
            print(f"it came to its end after {number} kills")
            return found
        os.kill(json.loads(run.folder.status.read_text())["pid"], signal.SIGKILL)
        queue.resume(ended(run))
    return ended(run)


def compare(alone: queue.Run, killed: queue.Run) -> None:
    """What the kills have cost."""
    print(f"states: {alone.state} and {killed.state} {killed.error or ''}")
    times = [event["epoch"] for event in events(killed, "epoch")]
    resumed, again = len(events(killed, "resumed")), len(times) - len(set(times))
    print(f"gone on with {resumed} times from an epoch that was kept; whole epochs trained again: {again}")
    lines = killed.folder.events.read_text().splitlines()
    whole = sum(isinstance(json.loads(line), dict) for line in lines)
    print(f"lines of events.jsonl that are whole: {whole:,} of {len(lines):,}")
    histories = [json.loads(run.folder.history.read_text()) for run in (alone, killed)]
    for name in ("loss", "val_loss", "val_auc"):
        ours, theirs = (history[name] for history in histories)
        apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        print(f"{name}: at most {apart:.2g} apart in any epoch; at the end {ours[-1]:.4f} and {theirs[-1]:.4f}")
    followed = RunProgress()
    followed.add(read_events(killed.folder.events)[0])
    print(f"the page's curves are the model's: {followed.history == {**followed.history, **histories[1]}}")


def stop(config: TrainConfig) -> float:
    """The median over three stops, each in the middle of an epoch."""
    took = []
    for number in range(3):
        run = queue.start(replace(config, name=f"stopped-{number}"))
        wait(lambda run=run: [event for event in events(run, "steps") if event["epoch"] == 2], LONG)
        asked = time.time()
        queue.request_stop(run)
        took.append(wait(lambda run=run: events(run, "kept"), LONG)[0]["time"] - asked)
        queue.end_now(run)
    return statistics.median(took)


if __name__ == "__main__":
    main()
