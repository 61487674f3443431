"""Many visitors at the same time: errors, mixed-up answers, how long each waits, and the memory of the server.

    python -m benchmarks.many_visitors [--visitors 50] [--minutes 10] [--think 8]

The app is started on a free port, with a drawn data set and the model that comes along. Each visitor is a session of
its own over a real websocket: it opens the app, goes to the data set, turns pages of the gallery and fetches its
pictures, uploads marked images of its own and must find their own marks, names and answers, which were worked out in
this process before; now and then its connection breaks, and it comes back to its session or begins a new one. Half of
all files have the same name. ``--think`` are the seconds between two actions, on average.

Printed are actions, errors, mixed-up answers, the median and the 95th percentile of each action, and the server's
memory. It is flat where the mean of the last third of the time, without the first fifth, is at most 5 % above that of
the middle third. The exit status is 1 where it is not, and for any error or mixed-up answer.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from fracture.inference.classifier import Classifier
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.registry.model_folder import bundled_model
from tests.support.serving import homes_in, served
from tests.support.visitors import Record, uploads, visit_all

EACH = 3
"""Images of a visitor."""

EVERY = 5
"""Seconds between two looks at the server's memory."""

GROWTH = 1.05


def main() -> None:
    """Let them come, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--think", type=float, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        write(Path(place) / "data" / "phantoms", Plan(patients=40))
        files = sorted(Path(place).rglob("image*.png"))
        made = uploads(files, EACH * args.visitors, Classifier(bundled_model()))
        owned = [made[first : first + EACH] for first in range(0, len(made), EACH)]
        with served(Path(place) / "server.log", homes=homes_beside_the_bundled_model(Path(place))) as app:
            end = time.monotonic() + args.minutes * 60
            record, visitors = visit_all(app.address, owned, args.think, end)
            used = list(watched(app.process, end))
            for visitor in visitors:
                visitor.join(180)
        log = (Path(place) / "server.log").read_text()
    record.errors += [f"in the log of the server: {log[-2000:]}"] * ("Traceback" in log)
    sys.exit(0 if report(record, used) else 1)


def homes_beside_the_bundled_model(place: Path) -> dict[str, str]:
    """The app's folders in ``place``, with the bundled model as their only one."""
    homes = homes_in(place)
    bundled = bundled_model()
    (place / "models" / bundled.name).symlink_to(bundled.path)
    return homes


def watched(server: psutil.Process, end: float) -> Iterator[float]:
    """The server's resident memory in MB, again and again until the end."""
    while time.monotonic() < end:
        yield server.memory_info().rss / 2**20
        time.sleep(EVERY)


def report(record: Record, used: list[float]) -> bool:
    """Print what came out, and tell whether it is as it should be."""
    print(f"{sum(map(len, record.seconds.values()))} actions, {record.checked} answers checked")
    for action, seconds in record.seconds.items():
        middle, slow = statistics.median(seconds), float(np.percentile(seconds, 95))
        print(f"    {action}: {len(seconds)} times, median {middle:.2f} s, 95th percentile {slow:.2f} s")
    print(f"{len(record.errors)} errors, {len(record.mixed_up)} mixed-up answers")
    for wrong in [*record.errors, *record.mixed_up][:20]:
        print(f"    {wrong}")
    return flat(used) and record.checked > 0 and not record.errors and not record.mixed_up


def flat(used: list[float]) -> bool:
    """Print how the memory went, and tell whether it stayed as it was."""
    warm = used[len(used) // 5 :]
    first, middle, last = (statistics.mean(third) for third in np.array_split(warm, 3))
    slope = float(np.polyfit(np.arange(len(warm)) * EVERY / 60, warm, 1)[0])
    print("memory of the server in MB:", " ".join(f"{each:.0f}" for each in used[:: max(1, len(used) // 40)]))
    print(f"    thirds: {first:.0f}, {middle:.0f}, {last:.0f} MB; {slope:+.1f} MB a minute; peak {max(used):.0f} MB")
    return last <= GROWTH * middle


if __name__ == "__main__":
    main()
