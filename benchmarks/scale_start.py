"""What ``fracture classify FILE`` costs for one file: seconds, processor time and memory, beside another checkout.

python -m benchmarks.scale_start --data FILE [--beside CHECKOUT] [--rounds 5]
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from fracture.paths import PROJECT

CODE = """
import resource, subprocess, sys, time
started = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    checkouts = [PROJECT, args.beside] if args.beside else [PROJECT]
    found: dict[Path, list[list[float]]] = {checkout: [] for checkout in checkouts}
    for _ in range(args.rounds):
        for checkout in checkouts:
            found[checkout].append(cost(checkout, args.data.resolve()))
    for checkout, costs in found.items():
        seconds, processor, memory = map(statistics.median, zip(*costs, strict=True))
        print(f"{checkout}: {seconds:.2f} s, {processor:.2f} s of processor time, {memory:.0f} MB (medians)")


def cost(checkout: Path, file: Path) -> list[float]:
    command = [sys.executable, "-m", "fracture", "classify", str(file)]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        check=True,
        capture_output=True,
        text=True,
    )
    return [float(number) for number in done.stdout.split()]


if __name__ == "__main__":
    main()
