"""How well candidate regions find true boxes: free-response ROC and mAP50, for several ways of making the boxes.

    python -m benchmarks.regions --model NAME --data FRACATLAS [--maps FILE.npz] [--write]

Boxes are fitted on training images, which the network has seen; the ways are compared on validation images. The way is
chosen by the mean of the sensitivity at one false box an image (by center) and mAP50. Cross-fitted figures choose it on
four fifths of the groups and measure it on the last one; they are what a choice costs. ``--maps`` keeps the place maps
for another run. ``--write`` writes the field ``regions`` into the model's card, and nothing else.
"""

import argparse
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.special import expit
from sklearn.model_selection import GroupKFold

from fracture.data.dataset import scan
from fracture.errors import ModelError
from fracture.estimate import format_number
from fracture.evaluation.box_fit import Floats, Mapped, fit_boxes
from fracture.evaluation.free_response import (
    FALSE_BOXES,
    Marked,
    average_precision,
    detection_events,
    free_response,
    free_response_events,
    sensitivity_at,
)
from fracture.evaluation.region_fit import fit_regions, mapped, mark, needs_places
from fracture.files import write_json
from fracture.imaging.radiograph import fit, load
from fracture.inference.heatmap import MIXED7, SIDE, on_square
from fracture.inference.litert import Graph
from fracture.inference.regions.candidates import MAX_OVERLAP, Region, center_inside, find_peaks, mean_places, overlap
from fracture.registry.card import BoxFit, Regions
from fracture.registry.model_folder import ModelFolder, model_folder, read_card

BOUNDS = (3.0, 4.0, 6.0, 8.0, 12.0)
"""Bounds of the logits that are tried."""

LEVELS = (0.3, 0.5, 0.7)
"""Shares of the peak's probability that are tried as the edge of a box."""

FOLDS = 5

BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.01)


class Square(NamedTuple):
    """How images are fitted."""

    size: int
    how: str


@dataclass(frozen=True)
class Way:
    """A way of making boxes, and its regions in the validation images."""

    name: str
    marked: Marked


def main() -> None:
    """Measure the regions, and print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--maps", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    folder = model_folder(args.model)
    card = read_card(folder)
    square = Square(card.input.size, card.input.fit)
    table = scan(args.data).table.reset_index(drop=True)
    table = table[needs_places(table)]
    places = place_maps(folder, table, square, args.maps)
    table = table[table.index.isin(list(places))]
    compare(table, places, square)
    regions = fit_regions(table, places, *square)
    if regions is None:
        raise ModelError(f"{args.model} has too few boxes, or its place maps tell nothing about them.")
    print_regions(regions, table, places, square)
    if args.write:
        write_json(folder.card, with_regions(json.loads(folder.card.read_text()), regions))
        print(f"written: {folder.card.name}")


def place_maps(folder: ModelFolder, table: pd.DataFrame, square: Square, kept: Path | None) -> dict[int, Floats]:
    """The mean place map of each image by its row; from a file, where there is one."""
    if kept and kept.exists():
        stored = np.load(kept)
        return dict(zip(stored["rows"].tolist(), stored["places"], strict=True))
    graph = Graph(folder.served_model.read_bytes())
    if not graph.shows_places:
        raise ModelError(f"{folder.name} was not trained on boxes: it has no place maps.")
    places = {}
    for row, path in zip(table.index, table["path"], strict=True):
        pixels = fit(load(Path(path)).pixels, *square)
        straight, mirrored = graph.run_all(pixels, pixels[:, ::-1])
        places[int(row)] = mean_places(straight, mirrored, square.size)
    if kept:
        np.savez(kept, rows=list(places), places=list(places.values()))
    return places


def with_regions(document: dict[str, object], regions: Regions) -> dict[str, object]:
    """A card with this field after ``localisation``, where a run puts it; everything else stays as it is."""
    result: dict[str, object] = {}
    for key, value in document.items():
        if key != "regions":
            result[key] = value
        if key == "localisation":
            result["regions"] = regions.to_json()
    return result


def compare(table: pd.DataFrame, places: dict[int, Floats], square: Square) -> None:
    """Print each way's figures on all validation images, and those of a cross-fitted choice."""
    valid = table[table["split"] == "valid"]
    ways = every_way(table, places, square)
    sides = box_sides(mapped(valid, places, *square))
    print(f"{len(sides)} true boxes, half of them narrower than {np.median(sides[:, 0]):.1f} px of {square.size}")
    print(f"boxes fitted on training images, measured on {len(valid)} validation images")
    for way in ways:
        print_curve(way.name, way.marked)
    everything = np.arange(len(valid))
    best = max(ways, key=lambda way: score(way.marked, everything))
    print(f"chosen on all of them: {best.name}")
    regions: list[tuple[Region, ...]] = [()] * len(valid)
    for chosen_on, held_out in GroupKFold(FOLDS).split(valid, groups=valid["group"]):
        way = max(ways, key=lambda way: score(way.marked, chosen_on))
        print(f"  chosen without a fold of {len(held_out)} images: {way.name}")
        for row in held_out:
            regions[row] = tuple(way.marked.regions[row])
    print_curve("cross-fitted choice", ways[0].marked._replace(regions=regions))
    positive = np.flatnonzero(ways[0].marked.box_counts)
    print_curve("the same, fractured images alone", subset(best.marked._replace(regions=regions), positive))


def every_way(table: pd.DataFrame, places: dict[int, Floats], square: Square) -> list[Way]:
    train = mapped(table[table["split"] == "train"], places, *square)
    valid = table[table["split"] == "valid"]
    images = mapped(valid, places, *square)
    ways = []
    for bound in BOUNDS:
        fitted = fitted_on(train, bound)
        ways.append(Way(f"linear in the logits, bounded by {bound:g}", mark(images, valid["group"], fitted)))
    typical = BoxFit(clip=1.0, offset=[0.0, 0.0], size=[typical_side(train), 0.0, 0.0, 0.0, 0.0], boxes=fitted.boxes)
    ways.append(Way("the typical box around the peak", mark(images, valid["group"], typical)))
    for level in LEVELS:
        scale = level_scale(train, level)
        regions = [level_regions(image, level, scale) for image in images]
        boxes = [image.boxes for image in images]
        ways.append(Way(f"where the map is above {level:.0%} of the peak", Marked(regions, boxes, valid["group"])))
    return ways


def fitted_on(images: list[Mapped], bound: float) -> BoxFit:
    fitted = fit_boxes(images, bound)
    if fitted is None:
        raise ModelError("Too few training images have boxes.")
    return fitted


def box_sides(images: list[Mapped]) -> Floats:
    """Width and height of each true box in px of the square: (B, 2)."""
    sides = [(box[2] * image.framed.width, box[3] * image.framed.height) for image in images for box in image.boxes]
    return np.array(sides)


def typical_side(images: list[Mapped]) -> float:
    """The mean logarithm of the sides of the true boxes, in cells."""
    return float(np.log(box_sides(images) / MIXED7.apart).mean())


def level_regions(image: Mapped, level: float, scale: float) -> tuple[Region, ...]:
    """Bounding boxes of the connected parts of the interpolated map above a share of each peak, times a scale."""
    framed = image.framed
    probability = expit(on_square(image.places.astype(np.float32), framed.size, MIXED7))
    px = framed.size / SIDE
    peaks = find_peaks(image.places, framed)
    regions: list[Region] = []
    for row, column, peak in zip(peaks.rows, peaks.columns, peaks.patches[:, 1, 1], strict=True):
        at = tuple(int((MIXED7.first + 0.5 + MIXED7.apart * cell) / px) for cell in (row, column))
        above = ndimage.label(probability >= level * probability[at])[0]
        down, across = ndimage.find_objects((above == above[at]).astype(int))[0]
        width = (across.stop - across.start) * px * scale / framed.width
        height = (down.stop - down.start) * px * scale / framed.height
        x = ((across.start + across.stop) / 2 * px - framed.left) / framed.width
        y = ((down.start + down.stop) / 2 * px - framed.top) / framed.height
        box = (x - width / 2, y - height / 2, width, height)
        if all(overlap(box, other.box) < MAX_OVERLAP for other in regions):
            regions.append(Region(box, float(expit(peak))))
    return tuple(regions)


def level_scale(images: list[Mapped], level: float) -> float:
    """The scale, of a few, with the highest mean overlap of true boxes with the regions on them."""
    scales = (0.8, 1.0, 1.2, 1.5)
    return max(scales, key=lambda scale: np.mean([_best(image, level, scale) for image in images]))


def _best(image: Mapped, level: float, scale: float) -> float:
    regions = level_regions(image, level, scale)[:3]
    return float(np.mean([max((overlap(each.box, box) for each in regions), default=0) for box in image.boxes]))


def subset(marked: Marked, rows: np.ndarray) -> Marked:
    regions = [marked.regions[row] for row in rows]
    boxes = [marked.boxes[row] for row in rows]
    return Marked(regions, boxes, marked.group.iloc[rows])


def score(marked: Marked, rows: np.ndarray) -> float:
    """The mean of the sensitivity at one false box an image and mAP50."""
    part = subset(marked, rows)
    counts = part.box_counts
    once = np.ones((1, len(rows)))
    sensitivity = sensitivity_at(free_response_events(part, center_inside), 1.0, counts, once)
    return float(sensitivity[0] + average_precision(detection_events(part), counts, once)[0]) / 2


def print_curve(name: str, marked: Marked) -> None:
    measured = free_response(marked)
    print(f"{name}: mAP50 {format_number(measured['map50'])}")
    for rule in ("by_center", "by_overlap"):
        rates = measured[rule]  # type: ignore[literal-required]
        words = [f"{each:g}: {format_number(rates[f'{each:g}'])}" for each in FALSE_BOXES]
        print(f"    {rule}, sensitivity at so many false boxes an image: {'; '.join(words)}")


def print_regions(regions: Regions, table: pd.DataFrame, places: dict[int, Floats], square: Square) -> None:
    """Print the figures of the card's field, and how well its probabilities are calibrated."""
    print(f"the card's field: {regions.fit.boxes} training boxes; offset {rounded(regions.fit.offset)}", end="")
    print(f", size {rounded(regions.fit.size)}, calibration {rounded(list(regions.calibration))}")
    for name, point in regions.points.items():
        threshold = getattr(regions.thresholds, name)
        figures = {key: format_number(point[key]) for key in ("sensitivity", "false_boxes", "precision")}  # type: ignore[literal-required]
        print(f"  {name} from {threshold:.4f}: {figures}")
    valid = table[table["split"] == "valid"]
    marked = mark(mapped(valid, places, *square), valid["group"], regions.fit, regions.calibration)
    probabilities, hits = calibration_pairs(marked)
    print("  regions by probability: number, mean probability, share that hits (fitted on the same images)")
    for low, high in itertools.pairwise(BINS):
        inside = (probabilities >= low) & (probabilities < high)
        if inside.any():
            print(f"    {low:.2f}: {inside.sum()}, {probabilities[inside].mean():.3f}, {hits[inside].mean():.3f}")


def calibration_pairs(marked: Marked) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each region, and whether it hits a box by the rule of the center."""
    pairs = [
        (region.probability, any(center_inside(region.box, box) for box in boxes))
        for regions, boxes in zip(marked.regions, marked.boxes, strict=True)
        for region in regions
    ]
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs], bool)


def rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


if __name__ == "__main__":
    main()
