"""How often the ring that a page draws lies in a box, and how often `fracture evaluate` says that the map points there.

    python -m benchmarks.ring_hits --model NAME --data FRACATLAS

Counted are the positive validation images whose boxes are known and which the model does not call negative: those are
shown with a ring. Both figures should be the same.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from fracture.app.shared.heatmap_overlay import Place, likeliest
from fracture.app.shared.prediction_cache import SHOWN, Examined
from fracture.data.dataset import scan
from fracture.evaluation.localization import localize
from fracture.imaging.annotations import parse_boxes
from fracture.imaging.radiograph import Radiograph, load, shrink
from fracture.inference.classifier import Classifier, load_classifier


def main() -> None:
    """Ask about the images, and print three counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True, type=Path)
    args = parser.parse_args()
    model = load_classifier(args.model)
    table = scan(args.data).table
    table = table[(table["split"] == "valid") & (table["label"] == 1) & (table["boxes"] != "")]
    shown = [examined(model, load(Path(path))) for path in table["path"]]
    asked = [each.view.probability >= model.limits.low for each in shown]
    table = table[asked]
    rings = [likeliest(model, each) for each, ring in zip(shown, asked, strict=True) if ring]
    told = localize(table, lambda image, *size: model.heat(model.view("", image), *size))
    print(f"images not called {model.labels[0]}: {len(table)}")
    print(f"ring in a box: {sum(hits(table, rings))}")
    print(f"fracture evaluate, peak in a box: {round(told['pointing']['value'] * told['images'])} of {told['images']}")


def examined(model: Classifier, image: Radiograph) -> Examined:
    """An image as a page has it."""
    return Examined(model.view("", image), shrink(image.pixels, SHOWN), image.format, image.steps, image.synthetic)


def hits(table: pd.DataFrame, rings: Sequence[Place | None]) -> Iterator[bool]:
    """Of each image, whether the ring's middle lies in one of its boxes."""
    for row, ring in zip(table.itertuples(), rings, strict=True):
        boxes = parse_boxes(row.boxes) if ring else []
        yield any(x <= ring.across * row.width < x + w and y <= ring.down * row.height < y + h for x, y, w, h in boxes)


if __name__ == "__main__":
    main()
