"""How far ways of ranking candidate regions and of making their boxes get, and what would be the most.

    python -m benchmarks.region_ways --data FRACATLAS --outputs FILE.npz --crops FILE.npz

The files are those of ``benchmarks.region_features``. All figures are of the bundled model on validation images: the
sensitivity at one false box an image by each rule, and mAP50.

- *At most*: what perfect boxes, or a perfect ranking, would make of the regions that there are.
- *Ranking*: other scores for the same boxes. What is fitted is cross-fitted on the other groups of the validation part:
  the network has memorized its training images.
- *Boxes*: other boxes for the same scores, by kernel ridge regression on what surrounds a peak, fitted to the cells of
  true boxes in training images. Its two settings were chosen in view of these figures, which flatters them.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.region_features import Outputs, Spot, boxes_px, graph_outputs, peak_spots, training_spots
from benchmarks.region_regression import BLOCKS, patches, regress, spot_inputs
from fracture.data.dataset import scan
from fracture.evaluation.box_fit import Floats, Mapped, fit_boxes
from fracture.evaluation.free_response import (
    Hits,
    Marked,
    average_precision,
    detection_events,
    free_response_events,
    hits_by_overlap,
    sensitivity_at,
)
from fracture.evaluation.region_fit import mapped, mark, needs_places
from fracture.inference.heatmap import MIXED7
from fracture.inference.regions.candidates import (
    MAX_OVERLAP,
    Region,
    center_inside,
    find_peaks,
    on_image,
    overlap,
    predict_boxes,
)
from fracture.registry.card import BoxFit
from fracture.registry.model_folder import bundled_model, read_card

FOLDS = 13
"""Of the validation part's 26 groups."""

NEAR = (0, 8, 16)
"""Distances of a peak from a true box in px of the square."""


@dataclass(frozen=True)
class Candidates:
    """All peaks of the validation images; each array has a row a peak."""

    image: NDArray[np.int64]
    """Its image, counted in the validation part."""
    number: NDArray[np.int64]
    """Its image's row in the table."""
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    logit: Floats
    boxes: Floats
    """(P, 4): x, y, width, height in px of the square, by the coefficients of the present way."""


def main() -> None:
    """Print the figures of all ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--outputs", required=True, type=Path)
    parser.add_argument("--crops", required=True, type=Path)
    args = parser.parse_args()
    folder = bundled_model()
    taken = read_card(folder).input
    table = scan(args.data).table.reset_index(drop=True)
    outputs = graph_outputs(folder, table, args.outputs)
    places = dict(enumerate(outputs.places))
    needed = table[needs_places(table)]
    valid = needed[needed["split"] == "valid"]
    images = mapped(valid, places, taken.size, taken.fit)
    fitted = fit_boxes(mapped(needed[needed["split"] == "train"], places, taken.size, taken.fit))
    if fitted is None:
        raise SystemExit("Too few training images have boxes.")
    candidates = find_candidates(valid, images, fitted)
    compare_limits(images, mark(images, valid["group"], fitted))
    compare_rankings(valid, images, candidates, outputs)
    training = training_spots(table, outputs, taken.size, taken.fit)
    tested = peak_spots(table, outputs, taken.size, taken.fit)
    inputs = spot_inputs([*training, *tested], outputs, args.crops)
    compare_boxes(valid, images, candidates, training, tested, inputs)


def find_candidates(valid: pd.DataFrame, images: Sequence[Mapped], fitted: BoxFit) -> Candidates:
    peaks = [find_peaks(image.places, image.framed) for image in images]
    counts = [len(each.rows) for each in peaks]
    return Candidates(
        image=np.repeat(np.arange(len(images)), counts),
        number=np.repeat(valid.index.to_numpy(np.int64), counts),
        row=np.concatenate([each.rows for each in peaks]),
        column=np.concatenate([each.columns for each in peaks]),
        logit=np.concatenate([each.patches[:, 1, 1] for each in peaks]),
        boxes=np.concatenate([predict_boxes(each, fitted) for each in peaks]),
    )


def print_figures(name: str, marked: Marked) -> None:
    counts = marked.box_counts
    once = np.ones((1, len(counts)))

    def sensitivity(hits: Hits) -> float:
        return float(sensitivity_at(free_response_events(marked, hits), 1.0, counts, once)[0])

    center = sensitivity(center_inside)
    by_overlap = sensitivity(hits_by_overlap)
    precision = float(average_precision(detection_events(marked), counts, once)[0])
    print(f"  {name}: by center {center:.3f}, by overlap {by_overlap:.3f}, mAP50 {precision:.3f}", flush=True)


def compare_limits(images: Sequence[Mapped], marked: Marked) -> None:
    """Print what perfect boxes and a perfect ranking would reach, and how near the peaks are."""
    print("at most")
    print_figures("as shipped", marked)
    print_figures("the true box where a center hits one", changed(marked, _with_true_box))
    print_figures("ranked perfectly by the center", changed(marked, _ranker(center_inside)))
    print_figures("ranked perfectly by the overlap", changed(marked, _ranker(hits_by_overlap)))
    distances = np.concatenate([peak_distances(image) for image in images])
    for most in NEAR:
        print(f"  true boxes with one of the ten likeliest peaks within {most} px: {(distances <= most).mean():.3f}")


def changed(marked: Marked, change: Callable[[Region, Sequence[Sequence[float]]], Region]) -> Marked:
    regions = []
    for own, boxes in zip(marked.regions, marked.boxes, strict=True):
        regions.append([change(region, boxes) for region in own])
    return marked._replace(regions=regions)


def _with_true_box(region: Region, boxes: Sequence[Sequence[float]]) -> Region:
    hit = [box for box in boxes if center_inside(region.box, box)]
    if not hit:
        return region
    x, y, width, height = hit[0]
    return Region((x, y, width, height), region.probability)


def _ranker(hits: Hits) -> Callable[[Region, Sequence[Sequence[float]]], Region]:
    def rank(region: Region, boxes: Sequence[Sequence[float]]) -> Region:
        return Region(region.box, float(any(hits(region.box, box) for box in boxes)))

    return rank


def peak_distances(image: Mapped) -> Floats:
    """How far in px the nearest peak is from each true box, by the larger of the two axes; 0 within it: (B,)."""
    peaks = find_peaks(image.places, image.framed)
    middles = MIXED7.first + 0.5 + MIXED7.apart * np.stack([peaks.columns, peaks.rows], axis=1)
    boxes = boxes_px(image)
    half = boxes[:, None, 2:] / 2
    beyond = np.abs(boxes[:, None, :2] + half - middles[None]) - half  # (B, P, 2)
    distances: Floats = np.maximum(beyond, 0).max(axis=2).min(axis=1)
    return distances


def compare_rankings(valid: pd.DataFrame, images: Sequence[Mapped], at: Candidates, outputs: Outputs) -> None:
    """Print each score's figures, with the present boxes."""
    places = (at.number, at.row, at.column)
    straight = outputs.straight[places]
    mirrored = outputs.mirrored[places]
    around = expit(patches(outputs, at.number, at.row, at.column, 1)).sum(axis=1)
    whole = outputs.logit[at.number]
    likeliest = pd.Series(at.logit).groupby(at.image).transform("max").to_numpy()
    inputs = np.stack([at.logit, straight, mirrored, np.log(around), whole, likeliest], axis=1)
    hit = np.array([_hits(images[image], box) for image, box in zip(at.image, at.boxes, strict=True)])
    group = valid["group"].to_numpy()[at.image]
    ways = {
        "the peak's logit, mean of both views": at.logit,
        "of the image as it is": straight,
        "the higher of both views": np.maximum(straight, mirrored),
        "the lower of both views": np.minimum(straight, mirrored),
        "the sum of the nine probabilities": np.log(around),
        "plus 0.1 of the image's logit": at.logit + 0.1 * whole,
        "plus 0.3 of it": at.logit + 0.3 * whole,
        "plus all of it": at.logit + whole,
        "logistic regression on these six, cross-fitted": cross_fitted(inputs, hit, group),
    }
    print("ranking, with the present boxes")
    for name, logits in ways.items():
        print_figures(name, marked_by(valid, images, at, at.boxes, logits))


def cross_fitted(inputs: Floats, hit: NDArray[np.bool_], group: NDArray[np.object_]) -> Floats:
    logits = np.zeros(len(hit))
    for fitted_on, held_out in GroupKFold(FOLDS).split(inputs, groups=group):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05))
        logits[held_out] = model.fit(inputs[fitted_on], hit[fitted_on]).decision_function(inputs[held_out])
    return logits


def _hits(image: Mapped, square_box: Floats) -> bool:
    box = on_image(square_box, image.framed)
    return any(center_inside(box, true) for true in image.boxes)


def marked_by(valid: pd.DataFrame, images: Sequence[Mapped], at: Candidates, boxes: Floats, logits: Floats) -> Marked:
    """The regions by other boxes and logits; of those that overlap the likeliest alone, as in the app."""
    regions: list[list[Region]] = [[] for _ in images]
    for each in np.argsort(-logits, kind="stable"):
        own = regions[at.image[each]]
        box = on_image(boxes[each], images[at.image[each]].framed)
        if box[2] > 0 and box[3] > 0 and all(overlap(box, other.box) < MAX_OVERLAP for other in own):
            own.append(Region(box, float(expit(logits[each]))))
    return Marked(regions, [image.boxes for image in images], valid["group"])


def compare_boxes(
    valid: pd.DataFrame,
    images: Sequence[Mapped],
    at: Candidates,
    training: Sequence[Spot],
    tested: Sequence[Spot],
    inputs: dict[str, Floats],
) -> None:
    """Print the figures of each way of making boxes, with the present scores."""
    numbers = {spot.image for spot in tested}
    changed_rows = np.flatnonzero([number in numbers for number in at.number])
    wanted = np.array([spot.target for spot in training])
    weight = np.array([spot.weight for spot in training])
    print("boxes, with the present scores")
    for name, blocks in BLOCKS.items():
        predicted = regress(blocks, inputs, wanted, weight)
        side = MIXED7.apart * np.exp(predicted[:, 2:])
        cells = np.stack([at.column, at.row], axis=1)[changed_rows] + predicted[:, :2]
        boxes = at.boxes.copy()
        boxes[changed_rows] = np.concatenate([MIXED7.first + 0.5 + MIXED7.apart * cells - side / 2, side], axis=1)
        print_figures(name, marked_by(valid, images, at, boxes, at.logit))


if __name__ == "__main__":
    main()
