"""Checks of picture quality: each generated fault is named, and nothing is said of ordinary pictures."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from fracture.data.checks import Problem, check
from fracture.data.dataset import Dataset, scan

Gray = NDArray[np.uint8]


def film(seed: int, height: int = 320, width: int = 256) -> Gray:
    """A bone with soft edges and fine grain on a dark ground, (height, width)."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    middle = width / 2 + random.uniform(-20, 20) + rows * random.uniform(-0.1, 0.1)
    bone = 160 * np.exp(-(((columns - middle) / 40) ** 2))
    tissue = gaussian_filter(random.normal(size=(height, width)), 12) * 200
    grain = random.normal(0, 5, (height, width))
    return np.clip(25 + bone + tissue + grain, 0, 255).astype(np.uint8)


def joined(pixels: Gray) -> Gray:
    bar = np.full((len(pixels), 8), 255, np.uint8)
    return np.hstack([pixels, bar, pixels[:, ::-1]])


FAULTS = {
    "dark": lambda pixels: pixels // 4,
    "bright": lambda pixels: 110 + pixels // 3,
    "low contrast": lambda pixels: 60 + pixels // 6,
    "blurred": lambda pixels: gaussian_filter(pixels, 4),
    "odd aspect": lambda pixels: np.tile(pixels, (3, 1)),
    "odd size": lambda pixels: pixels[100:180, 80:140],
    "several views": joined,
}


def data_set(root: Path, fault: str = "") -> Dataset:
    """Eight films in two parts; the first one has a fault."""
    rows = ["image_id,label,split,patient"]
    for number in range(8):
        pixels = film(number)
        if fault and number == 0:
            pixels = FAULTS[fault](pixels)
        Image.fromarray(pixels).save(root / f"{number}.png")
        rows.append(f"{number}.png,{number % 2},{'train' if number < 4 else 'valid'},p{number}")
    (root / "dataset.csv").write_text("\n".join(rows))
    return scan(root)


def found(problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    return {problem.kind: problem.images for problem in problems if problem.kind in FAULTS}


def test_check_of_ordinary_films_names_none(homes):
    """Eight films without a fault."""
    assert found(check(data_set(homes))) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_names_the_image_with_a_fault(homes, fault):
    """The fault is named with its one image, and no other fault is."""
    assert found(check(data_set(homes, fault))) == {fault: ("0.png",)}


def test_check_of_a_fault_says_what_to_do(homes):
    """The message counts the images and ends in advice."""
    problem = next(each for each in check(data_set(homes, "blurred")) if each.kind == "blurred")
    assert problem.severity == "warning"
    assert problem.message == "1 image may be blurred; look for sharper originals, or exclude them."
