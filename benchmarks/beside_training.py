"""How long an answer takes while a training runs, against an idle machine.

Run as ``python -m benchmarks.beside_training --weights FILE.weights.h5``. The bundled model is asked about a
drawn radiograph again and again, first alone and then while a fine-tuning is at work, as the app starts it.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.interruptions import LONG, events
from fracture.imaging.radiograph import load
from fracture.inference.classifier import Classifier
from fracture.phantoms.generate import write
from fracture.phantoms.plan import Plan
from fracture.registry.model_folder import bundled_model
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from tests.support.waiting import wait


def main() -> None:
    """Ask, train, ask again, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--answers", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_MODELS"], os.environ["FRACTURE_CACHE"] = f"{place}/models", f"{place}/cache"
        write(Path(place) / "phantoms", Plan(patients=40))
        file, classifier = next((Path(place) / "phantoms").rglob("*.png")), Classifier(bundled_model())
        idle = asked(classifier, file, args.answers)
        choices = {"mode": "fine-tune", "image_size": 224, "epochs": 100, "weights": args.weights}
        run = queue.start(TrainConfig(data=f"{place}/phantoms", name="beside", **choices))
        wait(lambda: len(events(run, "steps")) > 2, LONG)
        beside = asked(classifier, file, args.answers)
        print(f"median answer: {1000 * idle:.0f} ms idle, {1000 * beside:.0f} ms while a training runs")
        print(f"    {beside / idle:.2f} times as long")
        print(f"the training meanwhile: {events(run, 'steps')[-1]['images_a_second']:.1f} images a second")
        queue.end_now(run)


def asked(classifier: Classifier, file: Path, answers: int) -> float:
    """Median seconds from the file to the answer."""
    took = []
    for _ in range(answers):
        began = time.perf_counter()
        classifier.classify([(file.name, load(file))])
        took.append(time.perf_counter() - began)
    return statistics.median(took)


if __name__ == "__main__":
    main()
