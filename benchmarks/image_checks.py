"""What the checks of picture quality find in FracAtlas as it is, and in changed copies of it.

    python -m benchmarks.image_checks --data FRACATLAS

Every tenth image is changed in each way of :data:`CHANGES`. Where the folder's dataset.csv has the column
``multiscan``, the check for several views is compared with it. Some minutes on two cores.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fracture.data.checks.appearance import check_appearance
from fracture.data.checks.quality import check_quality
from fracture.data.dataset import scan
from fracture.data.measurements import measure
from fracture.imaging.radiograph import load, shrink
from fracture.imaging.statistics import Measures, measure_pixels

EVERY = 10
COPY_PX = 1024

Gray = NDArray[np.uint8]


def main() -> None:
    """Measure, check, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    data = parser.parse_args().data
    table = scan(data).table
    images = table.merge(measure(table).drop(columns="path"), on="image_id")
    print(f"{len(images):,} images as they are: {_words(images)}")
    part = images[images["readable"]].iloc[::EVERY].reset_index(drop=True)
    with ProcessPoolExecutor() as processes:
        for name in CHANGES:
            found = list(processes.map(_measured, part["path"], [name] * len(part), chunksize=20))
            measured = pd.DataFrame([each for each, _ in found])
            sizes = pd.DataFrame([size for _, size in found], columns=["height", "width"])
            changed = part.assign(**measured, **sizes)
            # An odd size is one among others: each copy is checked beside the images as they are.
            both = pd.concat([images, changed.assign(image_id="copy of " + part["image_id"])], ignore_index=True)
            print(f"{len(part)} copies, {name}: {_words(both, 'copy of ')}")
    _several_views(data, images)


def _measured(path: str, name: str) -> tuple[Measures, tuple[int, ...]]:
    pixels = CHANGES[name](shrink(load(Path(path)).pixels, COPY_PX))
    return measure_pixels(pixels), pixels.shape


def _words(images: pd.DataFrame, prefix: str = "") -> str:
    """How many images whose names begin with ``prefix`` each check finds, and how many any of them does."""
    found: Counter[str] = Counter()
    named: set[str] = set()
    # Very bright copies look like negatives, and very faint ones are blank: other checks name them.
    others = [each for each in check_appearance(images, ("", "")) if each.kind in ("inverted", "blank")]
    for problem in [*others, *check_quality(images)]:
        ids = [image for image in problem.images if image.startswith(prefix)]
        found[problem.kind] += len(ids)
        named.update(ids)
    parts = [f"{kind} {count}" for kind, count in found.most_common() if count]
    return f"{len(named)} named" + "".join(f", {part}" for part in parts)


def _several_views(data: Path, images: pd.DataFrame) -> None:
    listed = pd.read_csv(data / "dataset.csv").set_index("image_id")
    if "multiscan" not in listed:
        return
    several = listed["multiscan"][images["image_id"]].to_numpy() == 1
    found = [problem for problem in check_quality(images) if problem.kind == "several views"]
    named = images["image_id"].isin(found[0].images if found else ()).to_numpy()
    print(
        f"several views, against multiscan: {(named & several).sum()} of {several.sum()} found "
        f"({named[several].mean():.1%}), {(named & ~several).sum()} of {(~several).sum():,} others named "
        f"(specificity {1 - named[~several].mean():.2%})"
    )


def _blurred(sigma: float) -> Callable[[Gray], Gray]:
    """A Gaussian blur; ``sigma`` is a share of the longer side."""
    return lambda pixels: np.asarray(
        Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma * max(pixels.shape)))
    )


def _scaled(factor: float, offset: float) -> Callable[[Gray], Gray]:
    return lambda pixels: (pixels * factor + offset).astype(np.uint8)


def _cut(pixels: Gray) -> Gray:
    """A quarter of the shorter side."""
    height, width = pixels.shape
    if height > width:
        return np.ascontiguousarray(pixels[:, width * 3 // 8 : width * 5 // 8])
    return np.ascontiguousarray(pixels[height * 3 // 8 : height * 5 // 8])


def _side_by_side(level: int) -> Callable[[Gray], Gray]:
    """The image and its mirror image with a bar of 2 % between them."""

    def joined(pixels: Gray) -> Gray:
        bar = np.full((len(pixels), max(2, pixels.shape[1] // 50)), level, np.uint8)
        return np.hstack([pixels, bar, pixels[:, ::-1]])

    return joined


CHANGES: dict[str, Callable[[Gray], Gray]] = {
    "unchanged, at most 1,024 px": lambda pixels: pixels,
    "blurred by 0.2% of the longer side": _blurred(0.002),
    "blurred by 0.4%": _blurred(0.004),
    "blurred by 0.8%": _blurred(0.008),
    "a quarter as bright": _scaled(0.25, 0),
    "a third as bright": _scaled(1 / 3, 0),
    "contrast of a quarter, on 100": _scaled(0.25, 100),
    "contrast of a third, up to white": _scaled(1 / 3, 170),
    "contrast of a half, up to white": _scaled(0.5, 127),
    "a quarter of its width": _cut,
    "an eighth of its size": lambda pixels: shrink(pixels, max(pixels.shape) // 8),
    "two side by side, a white bar between": _side_by_side(255),
    "two side by side, a black bar between": _side_by_side(0),
}
"""By name: what is done to a copy."""


if __name__ == "__main__":
    main()
