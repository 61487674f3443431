"""How far phantoms are from real radiographs: gray levels and power spectra, and both side by side as a picture.

    python -m benchmarks.phantom_realism --data FRACATLAS [--sheet FILE] [--images 200] [--difficulty 0.2]

Real are FracAtlas's images of the shoulder without hip and hand, cut to a square at their top; all are compared at
256 px. They show half a chest where phantoms show an arm, so that phantoms are compared twice: as they are, and with
the chest in the picture. As a yardstick, one half of the real images is compared with the other in the same way.

- *Gray levels*: the mean distance that a gray level must be moved (Wasserstein's, in levels of 255) to turn the one
  mean histogram into the other, and the share of pixels that must be moved at all (total variation).
- *Power spectrum*: by spatial frequency, averaged over all directions and images; the root mean square of the
  difference in decibel between 2 and 100 periods a picture, and each side's slope (power falls as frequency^-slope).
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import wasserstein_distance

from fracture.imaging.radiograph import load
from fracture.phantoms.anatomy.geometry import Grid
from fracture.phantoms.anatomy.person import Finding, sample_person
from fracture.phantoms.plan import DIFFICULTY
from fracture.phantoms.render import render_view
from fracture.phantoms.study import generate_study
from fracture.phantoms.view import Opening, sample_views

SIZE = 256


def main() -> None:
    """Print the distances, and save the sheet where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--difficulty", type=float, default=DIFFICULTY)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    real, drawn = list(real_images(args.data, args.images)), list(phantoms(args.images, args.difficulty))
    compare("phantoms as they are, and real", drawn, real)
    compare("phantoms framed with the chest, and real", list(wide_phantoms(args.images, args.difficulty)), real)
    compare("half of the real and the other half", real[::2], real[1::2])
    if args.sheet:
        sheet(real[:24], drawn[:24]).save(args.sheet)


def real_images(folder: Path, count: int) -> Iterable[NDArray[np.uint8]]:
    """Squares (256, 256) from FracAtlas's shoulders."""
    table = pd.read_csv(folder / "dataset.csv")
    chosen = table[(table["shoulder"] == 1) & (table["hip"] == 0) & (table["hand"] == 0)]
    for name in chosen.sample(min(count, len(chosen)), random_state=0)["image_id"]:
        pixels = load(folder / "images" / name).pixels
        side = min(pixels.shape)
        left = (pixels.shape[1] - side) // 2
        yield resized(pixels[:side, left : left + side])


def phantoms(count: int, difficulty: float) -> Iterable[NDArray[np.uint8]]:
    """One view (256, 256) from each of so many studies."""
    for patient in range(count):
        views = generate_study(0, patient, difficulty=difficulty)
        yield resized(views[patient % len(views)].pixels)


def wide_phantoms(count: int, difficulty: float) -> Iterable[NDArray[np.uint8]]:
    """AP views (256, 256) of 400 mm with shoulder and half a chest, as FracAtlas has them."""
    pixels = ((np.arange(SIZE * 2) + 0.5) / SIZE - 1) * 200
    for patient in range(count):
        rng = np.random.default_rng(patient)
        person = sample_person(rng, difficulty**2)
        view = sample_views(rng, person, Finding("whole"), difficulty**2)[0]
        opening = Opening((0.0, 0.0), (np.inf, np.inf), 0.0)
        wide = Grid(pixels + rng.uniform(-90, -30), pixels + rng.uniform(60, 120))
        yield resized(render_view(rng, person, Finding("whole"), replace(view, grid=wide, opening=opening)).pixels)


def resized(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At the size at which all are compared."""
    return np.asarray(Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def compare(title: str, one: list[NDArray[np.uint8]], other: list[NDArray[np.uint8]]) -> None:
    """Print how far two sets of images are from each other."""
    levels, histograms = np.arange(256), [histogram(images) for images in (one, other)]
    moved = wasserstein_distance(levels, levels, *histograms)
    variation = np.abs(histograms[0] - histograms[1]).sum() / 2
    spectra = [spectrum(images) for images in (one, other)]
    off = np.sqrt(np.mean((10 * np.log10(spectra[0] / spectra[1])) ** 2))
    slopes = " and ".join(f"{-np.polyfit(np.log(np.arange(2, 101)), np.log(each), 1)[0]:.2f}" for each in spectra)
    print(f"{title}: gray levels {moved:.1f} apart, {variation:.0%} of the pixels; ", end="")
    print(f"power spectra {off:.1f} dB apart, slopes {slopes}")


def histogram(images: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Shares of the 256 gray levels, averaged over the images."""
    return np.mean([np.bincount(image.ravel(), minlength=256) / image.size for image in images], axis=0)


def spectrum(images: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Power at 2 to 100 periods a picture, averaged over directions and images."""
    frequencies = np.fft.fftfreq(SIZE, 1 / SIZE)
    ring = np.rint(np.hypot(*np.meshgrid(frequencies, frequencies))).astype(int).ravel()
    window = np.outer(np.hanning(SIZE), np.hanning(SIZE))
    power = np.mean([np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2 for image in images], axis=0)
    return (np.bincount(ring, power.ravel()) / np.bincount(ring))[2:101]


def sheet(real: list[NDArray[np.uint8]], drawn: list[NDArray[np.uint8]], side: int = 150) -> Image.Image:
    """Two rows of real images above, two rows of phantoms below."""
    picture = Image.new("L", (12 * (side + 4), 4 * (side + 4) + 16), 255)
    for row, images in ((0, real), (2, drawn)):
        for index, image in enumerate(images):
            place = (index % 12 * (side + 4), (row + index // 12) * (side + 4) + row * 8)
            picture.paste(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS), place)
    return picture


if __name__ == "__main__":
    main()
