"""Exports the region finder, and measures its boxes on FracAtlas's validation part.

    python -m benchmarks.region_finder.measure --data FRACATLAS [--maps FILE.npz] [--weights FILE.weights.h5] [--write]

``--maps`` keeps the place maps for another run. ``--weights``: exports a
trained finder to the FracAtlas model's folder; without it the one that lies there is measured. ``--write``: puts the
figures and thresholds into the model's card.

The probability of a box is fitted by logistic regression on its score and on the place map at its middle. Cross-fitted
figures fit it on four fifths of the groups and measure it on the last one. From which overlap on boxes are averaged
(``SAME_BOX``) was chosen in view of the same images: from 0.25 to 0.6, mAP50 is 0.31 to 0.35.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.region_finder.crops import LONGER_SIDE
from benchmarks.regions import FOLDS, Square, place_maps, print_curve, with_regions
from fracture.data.dataset import scan
from fracture.errors import ModelError
from fracture.estimate import format_number
from fracture.evaluation.box_fit import Mapped
from fracture.evaluation.free_response import Marked, hits_by_overlap
from fracture.evaluation.region_fit import mapped, measure_regions, needs_places
from fracture.files import write_json
from fracture.imaging.radiograph import fit, load
from fracture.inference.regions.candidates import center_inside
from fracture.inference.regions.finder import Boxes, find_boxes, place_at, regions_of
from fracture.registry import card as cards
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card

TRAINING = "FracAtlas's training part: 454 images with 574 boxes, 2,095 normal images."


def main() -> None:
    """Export, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--maps", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    folder = bundled_model()
    if args.weights:
        export(args.weights, read_card(folder).input.size, folder.region_finder)
    table = scan(args.data).table.reset_index(drop=True)
    table = table[needs_places(table) & (table["split"] == "valid")]
    square = read_card(folder).input
    places = place_maps(folder, table, Square(square.size, square.fit), args.maps)
    images = mapped(table, places, square.size, square.fit)
    boxes = boxes_of(folder, table, square)
    measure(folder, images, boxes, table["group"], write=args.write)


def export(weights: Path, size: int, target: Path) -> None:
    """Write the graph: its input is a fitted image, as of the served graph; large weights in 8 bits."""
    import keras
    import tensorflow as tf

    from benchmarks.region_finder.network import build, distances

    trained = build(None, LONGER_SIDE, policy="float32")
    trained.load_weights(weights)
    image = keras.Input((size, size, 1), batch_size=1, dtype="uint8", name="image")
    enlarged = keras.ops.image.resize(keras.ops.cast(image, "float32") / 255, (LONGER_SIDE, LONGER_SIDE))
    scores, sides = trained(keras.ops.concatenate([enlarged] * 3, axis=-1), training=False)
    pixels = keras.layers.Lambda(distances)(sides)
    graph = keras.Model(image, {"scores": scores[..., 0], "sides": pixels})
    graph.export(target, format="litert", verbose=False, optimizations=[tf.lite.Optimize.DEFAULT])
    print(f"{target.name}: {target.stat().st_size / 2**20:.1f} MiB")


def boxes_of(folder: ModelFolder, table: pd.DataFrame, square: cards.Input) -> list[Boxes]:
    """The boxes of each image of the table."""
    fitted = [fit(load(Path(path)).pixels, square.size, square.fit) for path in table["path"]]
    started = time.process_time()
    boxes = [find_boxes(folder.region_finder, LONGER_SIDE, pixels) for pixels in fitted]
    print(f"{(time.process_time() - started) / len(boxes):.2f} s of processor time an image, both passes")
    return boxes


def measure(
    folder: ModelFolder, images: list[Mapped], boxes: list[Boxes], group: "pd.Series[str]", *, write: bool
) -> None:
    """Print every figure; ``write`` puts those of the fit on all images into the card."""
    fold_regions: list[tuple[object, ...]] = [()] * len(images)
    for chosen_on, held_out in GroupKFold(FOLDS).split(images, groups=group):
        weights = fit_weights([images[row] for row in chosen_on], [boxes[row] for row in chosen_on])
        for row in held_out:
            fold_regions[row] = regions_of(boxes[row], images[row].places, images[row].framed, weights)
    truth = [image.boxes for image in images]
    print_curve("cross-fitted", Marked(fold_regions, truth, group))  # type: ignore[arg-type]
    weights = fit_weights(images, boxes)
    print(weights)
    found = [regions_of(each, image.places, image.framed, weights) for each, image in zip(boxes, images, strict=True)]
    marked = Marked(found, truth, group)
    print_curve("fitted on all of them", marked)
    recorded = read_card(folder).regions
    if recorded is None:
        raise ModelError("The model's card has no candidate regions.")
    digest = hashlib.sha256(folder.region_finder.read_bytes()).hexdigest()
    finder = cards.RegionFinder(sha256=digest, enlarged=LONGER_SIDE, weights=weights, training=TRAINING)
    regions = measure_regions(marked, recorded.fit, recorded.calibration, finder)
    if regions is None:
        raise ModelError("No threshold has so few false boxes.")
    for name, point in regions.points.items():
        figures = {key: format_number(point[key]) for key in ("sensitivity", "false_boxes", "precision")}  # type: ignore[literal-required]
        print(f"  {name} from {getattr(regions.thresholds, name):.4f}: {figures}")
    if write:
        write_json(folder.card, with_regions(json.loads(folder.card.read_text()), regions))
        print(f"written: {folder.card.name}")


def fit_weights(images: list[Mapped], boxes: list[Boxes]) -> cards.BoxScore:
    """How the logit of hitting a true box by the rule of the center follows from a box's score and place.

    Their weights against each other are those that tell best which boxes overlap a true one by half.
    """
    pairs = list(zip(images, boxes, strict=True))
    values = np.concatenate([_values(image, found) for image, found in pairs])
    on_image = [(_in_shares(corners, image), image) for image, found in pairs for corners in found.corners]
    overlapping = [any(hits_by_overlap(box, true) for true in image.boxes) for box, image in on_image]
    centered = [any(center_inside(box, true) for true in image.boxes) for box, image in on_image]
    ranking = LogisticRegression(C=np.inf).fit(values, overlapping).coef_[0]
    calibrated = LogisticRegression(C=np.inf).fit((values @ ranking)[:, None], centered)
    score, place = map(float, ranking * calibrated.coef_[0, 0])
    return cards.BoxScore(score=score, place=place, intercept=float(calibrated.intercept_[0]))


def _values(image: Mapped, found: Boxes) -> np.ndarray:
    """The score of each box, and the place map at it: (B, 2)."""
    return np.stack([found.scores, place_at(image.places, found.corners)], axis=1)


def _in_shares(corners: np.ndarray, image: Mapped) -> tuple[float, float, float, float]:
    """A box in px of the square -> ``x, y, width, height`` in shares of the image's sides."""
    framed = image.framed
    left, top, right, bottom = map(float, corners)
    return (
        (left - framed.left) / framed.width,
        (top - framed.top) / framed.height,
        (right - left) / framed.width,
        (bottom - top) / framed.height,
    )


if __name__ == "__main__":
    main()
