"""What the program weighs: memory and start-up time, each in a process of its own.

    python -m benchmarks.footprint --model NAME --image FILE

Printed are: peak memory of ``python -m fracture classify FILE``; the time of ``import fracture`` and of ``--help`` as a
share of the time that ``import tensorflow`` takes; and of a Streamlit server: seconds from its start to the first page
drawn in Chromium, and memory before and after one classification there. Ratios are of medians over turns in one run.

With ``--data PATH`` instead, the reference preset is trained on a data set at 150 and 224 px with bundled weights,
through TensorFlow and (``bundled-8bit``) without, each twice, the second time with the caches of the first; peak
memory, seconds, validation AUC and accuracy are printed.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from fracture.registry.model_folder import model_folder, read_card
from fracture.training.weights import BUNDLED_SOURCES
from tests.browser.chromium import chromium, new_page
from tests.support.serving import served

STARTS = {
    "import tensorflow": ["-c", "import tensorflow"],
    "import fracture": ["-c", "import fracture"],
    "python -m fracture --help": ["-m", "fracture", "--help"],
}

TRAIN = """
import sys
from fracture.training.config import TrainConfig
from fracture.training.pipeline import run
data, name, weights, size = sys.argv[1:]
run(TrainConfig(data=data, name=name, weights=weights, image_size=int(size)), emit=lambda kind, **said: None)
"""


def main() -> None:
    """Measure and print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="with --image")
    parser.add_argument("--image", help="with --model")
    parser.add_argument("--data", help="measure trainings on this data set instead")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    if args.data:
        train(args.data)
    elif args.model and args.image:
        classify(args.model, args.image, args.turns)
    else:
        parser.error("--model and --image, or --data")


def classify(model: str, image: str, turns: int) -> None:
    """The memory of an answer, the time of starts, and the server."""
    print(f"classify FILE: peak memory {peak(['-m', 'fracture', 'classify', image, '--model', model]):.0f} MB")
    times = {name: [] for name in STARTS}
    for _ in range(turns):
        for name, command in STARTS.items():
            times[name].append(seconds(command))
    whole = statistics.median(times["import tensorflow"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name}: {middle:.2f} s, {middle / whole:.3f} of importing TensorFlow")
    serve(Path(image))


def train(data: str) -> None:
    """Train at each size, without caches and with them, and print what that took."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_MODELS"], os.environ["FRACTURE_CACHE"] = f"{place}/models", f"{place}/cache"
        for size, weights in itertools.product(("150", "224"), BUNDLED_SOURCES):
            for turn in ("the first time", "again"):
                name, started = f"{weights}-{size}-{turn.split()[-1]}", time.perf_counter()
                memory = peak(["-c", TRAIN, data, name, weights, size])
                seconds = time.perf_counter() - started
                found = read_card(model_folder(name)).metrics["image"]
                auc, accuracy = found["auc"]["value"], found["points"]["half"]["accuracy"]["value"]
                print(f"{weights}, {size} px, {turn}: peak {memory:.0f} MB, {seconds:.0f} s, ", end="")
                print(f"AUC {auc:.3f}, accuracy {accuracy:.3f}")


def seconds(command: list[str]) -> float:
    """How long this interpreter takes to run the arguments."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - started


def peak(command: list[str]) -> float:
    """The peak resident memory, in MB, of this interpreter running the arguments, as the kernel counts it."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", code, sys.executable, *command], check=True, capture_output=True)
    return int(done.stdout) / 1024


def serve(image: Path) -> None:
    """Start the app, draw its first page, classify one image, and print what that took."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        page = new_page(browser)
        started = time.perf_counter()
        with served(Path(place) / "server.log") as app:
            page.goto(app.address)
            page.get_by_role("heading", name="Bone X-ray lab").wait_for()
            print(f"server: first page after {time.perf_counter() - started:.1f} s, {report(app.process)}")
            page.goto(f"{app.address}/classify")
            page.locator("input[type=file]").set_input_files(str(image))
            page.get_by_text("Probability of").wait_for()
            page.get_by_role("img", name="with its heat map").wait_for()
            print(f"server: after one classification {report(app.process)}")


def report(process: psutil.Process) -> str:
    """Its memory, and whether TensorFlow's library is in it."""
    loaded = any("tensorflow" in part.path for part in process.memory_maps())
    return f"{process.memory_info().rss / 2**20:.0f} MB, TensorFlow {'loaded' if loaded else 'absent'}"


if __name__ == "__main__":
    main()
