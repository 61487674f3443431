"""Small data sets, drawn: what a test needs of a radiograph in a few hundred bytes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def draw_mura(
    root: Path,
    train_patients: int = 12,
    valid_patients: int = 6,
    size: int = 64,
    seed: int = 0,
    body_part: str = "XR_HUMERUS",
) -> Path:
    """A data set in MURA's layout below ``root``: every other patient positive, 1-2 studies with 1-3 views each.

    A positive image differs from a negative one by a bright bar, which a small network can learn.
    Returns ``root``. Patients are numbered on from train to valid, as in MURA.
    """
    random = np.random.default_rng(seed)
    for number in range(train_patients + valid_patients):
        split, positive = "train" if number < train_patients else "valid", number % 2 == 1
        for study in range(1, random.integers(1, 3) + 1):
            label = "positive" if positive else "negative"
            folder = root / split / body_part / f"patient{number + 1:05d}" / f"study{study}_{label}"
            folder.mkdir(parents=True)
            for view in range(1, random.integers(1, 4) + 1):
                Image.fromarray(draw_limb(random, size, positive)).save(folder / f"image{view}.png")
    return root


def draw_limb(random: np.random.Generator, size: int, positive: bool) -> NDArray[np.uint8]:
    """A gray shaft on dark noise, (size, size) uint8; with a bright bar across it if ``positive``."""
    pixels = random.normal(30, 8, (size, size))
    middle = size // 2 + int(random.integers(-size // 16, size // 16 + 1))
    pixels[:, middle - size // 8 : middle + size // 8] += 90
    if positive:
        top = int(random.integers(size // 4, size // 2))
        pixels[top : top + size // 8, size // 8 : -size // 8] = 250
    return pixels.clip(0, 255).astype(np.uint8)
