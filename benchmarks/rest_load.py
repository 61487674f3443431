"""Clients of the REST interface, mixed with pages: errors, mixed-up answers, and latency beside the page's own.

    python -m benchmarks.rest_load [--clients 10] [--pages 4] [--minutes 2] [--think 8]

``server.py`` is started on a free port, with the model that comes along. Each client sends marked images of its own,
one after the other. Each page is a new session over a real websocket, which uploads the same images to *Classify*. Half
of all files have the same name. Every answer is compared with what this process answers alone. ``--think`` are the
seconds between two actions, on average, of clients and pages alike.

Printed are answers, errors, mixed-up answers, the median and the 95th percentile of both latencies, and the server's
memory. Negative images are timed apart: for the boxes in all others the page runs another network. The exit status is 1
for any error or mixed-up answer, and where clients wait more than 1.2 times as long as pages for negative images, in
the median.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.many_visitors import homes_beside_the_bundled_model
from fracture.api.access import TOKEN_VARIABLE, VARIABLE
from fracture.inference.classifier import Classifier
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.registry.model_folder import bundled_model
from tests.support.rest_clients import BY_REST, NEGATIVE, ON_THE_PAGE, answer_alone, load
from tests.support.serving import served
from tests.support.visitors import Record, uploads

EACH = 3
"""Images of a client."""

MAX_RATIO = 1.2


def main() -> None:
    """Let them come, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--pages", type=int, default=4, help="at most as many as clients")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--think", type=float, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        record, megabytes = measure(Path(place), args.clients, args.pages, args.minutes * 60, args.think)
    print(f"memory of the server at the end: {megabytes:.0f} MB")
    sys.exit(0 if report(record) else 1)


def measure(place: Path, clients: int, pages: int, seconds: float, think: float) -> tuple[Record, float]:
    """What happened, and the server's resident memory in MB at the end."""
    write(place / "phantoms", Plan(patients=6))
    files = sorted((place / "phantoms").rglob("image*.png"))
    made = uploads(files, EACH * clients, Classifier(bundled_model()))
    expected = answer_alone(bundled_model(), made)
    shares = [made[first : first + EACH] for first in range(0, len(made), EACH)]
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    environment[VARIABLE] = "1"
    homes = homes_beside_the_bundled_model(place)
    with served(place / "server.log", script="server.py", environment=environment, homes=homes) as app:
        load(app.address, shares[:1], expected, pages=1, think=0, seconds=0)  # the model is loaded once
        record = load(app.address, shares, expected, pages, think, seconds)
        megabytes = app.process.memory_info().rss / 2**20
    return record, megabytes


def report(record: Record) -> bool:
    """Print what came out, and tell whether it is as it should be."""
    print(f"{record.checked} answers checked, {len(record.errors)} errors, {len(record.mixed_up)} mixed-up answers")
    for wrong in [*record.errors, *record.mixed_up][:20]:
        print(f"    {wrong}")
    for name, seconds in sorted(record.seconds.items()):
        slow = np.percentile(seconds, 95)
        print(f"{name}: {len(seconds)} times, median {statistics.median(seconds):.2f} s, 95th percentile {slow:.2f} s")
    ratio = latency_ratio(record)
    print(f"negative images, by REST against the page: {ratio:.2f} times the median")
    return not record.errors and not record.mixed_up and ratio <= MAX_RATIO


def latency_ratio(record: Record) -> float:
    """How many times as long a client waits for a negative image as a page, in the median; infinite without any."""
    by_rest = record.seconds.get(f"{NEGATIVE} {BY_REST}")
    on_the_page = record.seconds.get(f"{NEGATIVE} {ON_THE_PAGE}")
    if not by_rest or not on_the_page:
        return float("inf")
    return statistics.median(by_rest) / statistics.median(on_the_page)


if __name__ == "__main__":
    main()
