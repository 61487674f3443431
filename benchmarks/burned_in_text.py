"""How often radiographs are said to have text burned in: as they are, and with a line of text drawn near an edge.

Run as ``python -m benchmarks.burned_in_text --data FRACATLAS``, a folder whose films have side markers alone.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fracture.data.dataset import scan
from fracture.errors import RadiographError
from fracture.imaging.privacy import FEWEST_LETTERS, count_letters
from fracture.imaging.radiograph import load, shrink

SIDE_PX = 1024
"""Longer side of the pictures, as on the page *Classify*."""

TEXT = "DOE JANE 1970-01-02"
FONT_PX = (12, 28)
"""The range of its height."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="of images, spread over all of them")
    args = parser.parse_args()
    paths = scan(args.data).table["path"].tolist()
    step = max(1, len(paths) // (args.limit or len(paths)))
    rng = np.random.default_rng(0)
    plain, written = [], []
    for path in paths[::step]:
        try:
            pixels = shrink(load(Path(path)).pixels, SIDE_PX)
        except RadiographError:
            continue
        plain.append(count_letters(pixels))
        written.append(count_letters(with_text(pixels, rng)))
    print(f"{len(plain):,} images; said to have text are those with a line of {FEWEST_LETTERS} letters and more")
    for fewest in range(FEWEST_LETTERS - 3, FEWEST_LETTERS + 4):
        fires = (np.array(plain) >= fewest).mean()
        found = (np.array(written) >= fewest).mean()
        print(f"from {fewest:2} letters: {fires:6.2%} as they are, {found:6.1%} with text")


def with_text(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The image with a white line of text in its upper or lower left corner."""
    picture = Image.fromarray(pixels)
    top = 12 if rng.random() < 0.5 else picture.height - 40
    font = ImageFont.load_default(int(rng.integers(*FONT_PX)))
    ImageDraw.Draw(picture).text((12, top), TEXT, fill=255, font=font)
    return np.asarray(picture)


if __name__ == "__main__":
    main()
