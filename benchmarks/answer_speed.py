"""One image at 299 px, bytes to answer with heat map, against ``keras.Model.predict`` on the same model.

    python -m benchmarks.answer_speed [--size 299] [--turns 5] [--image FILE]

Both sides take turns on the same file, by default a drawn PNG of 512 px, MURA's largest size; ours in a process of its
own, as in use. A turn is ten answers, after two that are not counted: the caches still hold the other side's data.
The plain side decodes the file with Keras's own functions and calls ``predict``, and draws no heat map. Printed are
medians and their ratio.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image

BLOCK = 10
"""Answers counted in each turn."""


def main() -> None:
    """Time both sides in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=299)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--image", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_CACHE"] = place
        whole = build(Path(place), args.size)
        image = args.image or drawn(Path(place))
        command = [sys.executable, "-m", "benchmarks.answer_speed", "--serve", place, str(image)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as server:
            sides = {"plain": lambda: timed(lambda: predict(whole, image, args.size)), "ours": lambda: ask(server)}
            times = {name: [] for name in sides}
            for _ in range(args.turns):
                for name, side in sides.items():
                    times[name] += [side() for _ in range(BLOCK + 2)][2:]
            server.stdin.close()
    plain, ours = (statistics.median(times[name]) * 1000 for name in ("plain", "ours"))
    print(f"{args.size} px: keras predict {plain:.1f} ms, ours with heat map {ours:.1f} ms")
    print(f"{plain / ours:.1f} times faster")


def serve(place: Path, image: Path) -> None:
    """Answer once for each line that comes in, and print the seconds it took."""
    from fracture.inference.classifier import load_classifier

    classifier = load_classifier("timed", place)
    for _ in sys.stdin:
        print(timed(lambda: answer(classifier, image)), flush=True)


def ask(server: subprocess.Popen) -> float:
    """Have the serving process answer once; seconds it took there."""
    print("answer", file=server.stdin, flush=True)
    return float(server.stdout.readline())


def timed(work: Callable[[], None]) -> float:
    """Seconds that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def build(place: Path, size: int):
    """A network with random weights as a Keras model, which is returned, and as a model folder in ``place``."""
    from fracture.files import write_json
    from fracture.registry.model_folder import CARD_SCHEMA
    from fracture.training.backbone.features import Preparation
    from fracture.training.backbone.network import build_network
    from fracture.training.config import TrainConfig
    from fracture.training.export.tflite import served_graph
    from fracture.training.weights import find_weights

    config = TrainConfig(data="none", name="timed", weights="none", image_size=size)
    weights = find_weights(config)
    network = build_network(config, weights)
    folder = place / "timed"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(
        served_graph(network, weights, Preparation(size, config.fit, weights.input_range), frozen=True)
    )
    card = {
        "schema": CARD_SCHEMA,
        "labels": ["a", "b"],
        "input": {"fit": config.fit},
        "thresholds": {"balanced": 0.5, "high_sensitivity": 0.3, "high_specificity": 0.7},
        "temperature": 1.0,
        "metrics": {},
    }
    write_json(folder / "card.json", card)
    return network.whole


def drawn(place: Path) -> Path:
    """A PNG of 512 px with smooth content."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).resize((512, 512), Image.Resampling.BICUBIC)
    small.save(place / "drawn.png")
    return place / "drawn.png"


def answer(classifier, path: Path) -> None:
    """Bytes -> probability and heat map as drawn over the image."""
    from fracture.charts import heat_overlay
    from fracture.imaging.radiograph import load, shrink

    image = load(path)
    view = classifier.view("image", image)
    pixels = shrink(image.pixels, 1024)
    heat = classifier.heat(view, pixels.shape[1] // 4, pixels.shape[0] // 4)
    heat_overlay(pixels, heat, 0.4, float(np.abs(heat).max()))


def predict(whole, path: Path, size: int) -> None:
    """Bytes -> probability, as a Keras tutorial does it."""
    import keras

    image = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(size, size)))
    whole.predict(image[None] / 127.5 - 1, verbose=0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*map(Path, sys.argv[2:]))
    else:
        main()
