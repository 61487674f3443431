"""How near the features of the bundled backbone in 8 bits are to those in 32.

Run as ``python -m benchmarks.eight_bits --data PATH``. A few images of a data set go through the backbone of
``--weights bundled`` in Keras and through that of ``--weights bundled-8bit``, at several sizes; printed are the
smallest and the mean correlation of an image's two feature vectors, and the time of one image in each.
"""

import argparse
import time

import numpy as np

from fracture.data.dataset import scan
from fracture.training.backbone.features import Preparation
from fracture.training.config import TrainConfig
from fracture.training.weights import BUNDLED_SOURCES, find_weights

SIZES = (75, 150, 224, 299, 427)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a data set's folder")
    parser.add_argument("--images", type=int, default=32)
    args = parser.parse_args()
    table = scan(args.data).table
    paths = dict(table.iloc[:: -(-len(table) // args.images)][["image_id", "path"]].to_numpy())
    for size in SIZES:
        (full, slow), (short, fast) = (features(weights, size, paths) for weights in BUNDLED_SOURCES)
        alike = [np.corrcoef(full[name], short[name])[0, 1] for name in full]
        print(f"{size} px: correlation {min(alike):.4f} at least, {np.mean(alike):.4f} on average; ", end="")
        print(f"{fast:.1f} ms an image against {slow:.1f}, {len(alike)} images", flush=True)


def features(weights: str, size: int, paths: dict[str, str]) -> tuple[dict[str, np.ndarray], float]:
    """The features (2048,) of each image, and the milliseconds that one took, decoding and start included."""
    from fracture.training.pipeline import make_learner

    config = TrainConfig(data="x", name="x", weights=weights, image_size=size)
    found = find_weights(config)
    learner = make_learner(config, found)
    started = time.perf_counter()
    batches = list(learner.forward(paths, Preparation(size, config.fit, found.input_range)))
    seconds = time.perf_counter() - started
    seen = {name: vector for names, vectors in batches for name, vector in zip(names, vectors, strict=True)}
    return seen, seconds / len(seen) * 1000


if __name__ == "__main__":
    main()
