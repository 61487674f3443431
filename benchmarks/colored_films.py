"""Radiographs in color that the radiograph check calls none: with a tint, with colored marks, photographed on a table.

    python -m benchmarks.colored_films --data FRACATLAS [--images 100]

The colors are drawn by :mod:`tests.support.colored_films` on validation images, which are in no fit. Each picture goes
the way of an upload: through a PNG file and :func:`fracture.imaging.radiograph.read`.
"""

import argparse
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image

from fracture.data.dataset import scan
from fracture.imaging.radiograph import Radiograph, load, read
from fracture.inference.classifier import load_classifier
from fracture.inference.radiograph_check import COLOR_COST, load_radiograph_check
from fracture.registry.model_folder import bundled_model
from tests.support.colored_films import COLORINGS, color_film


def main() -> None:
    """Color each film in each way, and print what is called no radiograph."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--images", type=int, default=100)
    args = parser.parse_args()
    folder = bundled_model()
    model = load_classifier(folder.name, folder.path.parent)
    check = load_radiograph_check(folder.radiograph_check)
    table = scan(args.data).table
    paths = table[table["split"] == "valid"]["path"].sample(args.images, random_state=0)
    rows = []
    for seed, path in enumerate(paths):
        pixels = load(Path(path)).pixels
        for name in COLORINGS:
            image = _as_upload(Image.fromarray(color_film(pixels, name, seed)))
            rows.append((name, image.color, check.score(model.embedding(image), image)))
    _report(pd.DataFrame(rows, columns=["coloring", "color", "score"]), check.threshold)


def _as_upload(image: Image.Image) -> Radiograph:
    file = BytesIO()
    image.save(file, "PNG")
    return read(file.getvalue())


def _report(table: pd.DataFrame, threshold: float) -> None:
    refused = table.assign(
        refused=table["score"] < threshold,
        by_gray=table["score"] + COLOR_COST * table["color"] < threshold,
    )
    for name, rows in [*refused.groupby("coloring", sort=False), ("all", refused)]:
        print(
            f"{name:8} called no radiograph: {rows['refused'].sum()} of {len(rows)}, "
            f"by their gray levels alone {rows['by_gray'].sum()}; "
            f"share of color: median {rows['color'].median():.3f}, at most {rows['color'].max():.3f}"
        )


if __name__ == "__main__":
    main()
