"""One image at 299 px, bytes to answer with heat map, against ``keras.Model.predict`` on the same model.

    python -m tests.benchmarks.answer_speed [--size 299] [--runs 20]

Both sides take turns in one process, each on the same drawn PNG of 1,024 px; the plain side decodes it with Keras's own
functions and calls ``predict``, and draws no heat map. Printed are medians and their ratio.
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image


def main() -> None:
    """Time both sides in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=299)
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_CACHE"] = place
        whole, classifier = build(Path(place), args.size)
        data = drawn()
        sides = {"ours": lambda: answer(classifier, data), "plain": lambda: predict(whole, data, args.size)}
        times: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(args.runs + 3):
            for name, side in sides.items():
                started = time.perf_counter()
                side()
                if turn >= 3:  # the first ones build graphs and fill caches
                    times[name].append(time.perf_counter() - started)
    ours, plain = (statistics.median(times[name]) * 1000 for name in ("ours", "plain"))
    print(f"{args.size} px: keras predict {plain:.1f} ms, ours with heat map {ours:.1f} ms")
    print(f"{plain / ours:.1f} times faster")


def build(place: Path, size: int):
    """The same network, with random weights, as a Keras model and as a loaded model folder."""
    from fracture.classify.classifier import load_classifier
    from fracture.classify.store import CARD_SCHEMA, write_json
    from fracture.learn.config import TrainConfig
    from fracture.learn.export import served_graph
    from fracture.learn.features import View
    from fracture.learn.network import build_network
    from fracture.learn.weights import find_weights

    config = TrainConfig(data="none", name="timed", weights="none", image_size=size)
    weights = find_weights(config)
    network = build_network(config, weights)
    folder = place / "timed"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(served_graph(network, weights, View(size, config.fit, weights.input_range)))
    card = {"schema": CARD_SCHEMA, "labels": ["a", "b"], "input": {"fit": config.fit}, "thresholds": {"balanced": 0.5}}
    write_json(folder / "card.json", card)
    return network.whole, load_classifier("timed", place)


def drawn() -> bytes:
    """A PNG of 1,024 px with smooth content."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).resize((1024, 1024), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    small.save(file, "PNG")
    return file.getvalue()


def answer(classifier, data: bytes) -> None:
    """Bytes -> probability and heat map as drawn over the image."""
    from fracture.charts import heat_overlay
    from fracture.data.radiograph import read, shrink

    image = read(data)
    view = classifier.view("image", image)
    pixels = shrink(image.pixels, 900)
    heat = classifier.heat(view, pixels.shape[1], pixels.shape[0])
    heat_overlay(pixels, heat, 0.4, float(np.abs(heat).max()))


def predict(whole, data: bytes, size: int) -> None:
    """Bytes -> probability, as a Keras tutorial does it."""
    import keras

    image = keras.utils.img_to_array(keras.utils.load_img(io.BytesIO(data), target_size=(size, size)))
    whole.predict(image[None] / 127.5 - 1, verbose=0)


if __name__ == "__main__":
    main()
