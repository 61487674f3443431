"""What calibrating the out-of-distribution check to unlabeled radiographs changes: shares refused before and after.

    python -m benchmarks.calibrated_familiarity --model NAME --data DATA [--images 600] [--turns 200]

A random part of the data's images is answered once. In each turn 50, 100 or 200 of them choose the threshold, as
``fracture calibrate`` does, and the share refused is counted on the others, and on the pictures of
:mod:`tests.support.not_radiographs`, which should be refused.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.guard import served
from fracture.data.dataset import scan
from fracture.evaluation.ood_fit import MAX_REFUSED, ROUNDING, conformal_threshold
from fracture.imaging.radiograph import load
from fracture.inference.litert import Graph
from fracture.inference.ood import load_ood_detector
from fracture.registry.model_folder import model_folder, read_card
from tests.support.not_radiographs import pictures


def main() -> None:
    """Compute all distances, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--turns", type=int, default=200)
    args = parser.parse_args()
    folder = model_folder(args.model)
    detector = load_ood_detector(folder.familiarity)
    features = served(Graph(folder.served_model.read_bytes()), read_card(folder).input.fit)
    table = scan(args.data).table
    sample = table.sample(min(args.images, len(table)), random_state=0)
    own = detector.distances(features(load(Path(path)).pixels for path in sample["path"]))
    others = detector.distances(features(picture.pixels for picture in pictures()))
    before = detector.threshold
    print(f"{len(own)} radiographs: {(own > before).mean():.1%} refused before")
    print(f"{len(others)} pictures that are none: {(others > before).mean():.1%} refused before")
    random = np.random.default_rng(0)
    for count in (50, 100, 200):
        shares = []
        for _ in range(args.turns):
            mixed = random.permutation(own)
            threshold = conformal_threshold(mixed[:count], MAX_REFUSED) * (1 + ROUNDING)
            shares.append(((mixed[count:] > threshold).mean(), (others > threshold).mean(), threshold / before))
        radiographs, none, times = np.mean(shares, axis=0)
        print(
            f"calibrated on {count}: {radiographs:.1%} of the other radiographs and {none:.1%} of the pictures "
            f"refused; threshold x {times:.2f}"
        )


if __name__ == "__main__":
    main()
