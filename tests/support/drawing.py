"""Small data sets, drawn: what a test needs of a radiograph in a few hundred bytes."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fracture.imaging.annotations import bounding_box, boxes_text, encode_mask

BAR = 250
"""Gray value of the bar across a positive image, and of nothing else."""


def draw_mura(
    root: Path,
    train_patients: int = 12,
    valid_patients: int = 6,
    size: int = 64,
    seed: int = 0,
    body_part: str = "XR_HUMERUS",
    truth: bool = False,
) -> Path:
    """A data set in MURA's layout below ``root``: every other patient positive, 1-2 studies with 1-3 views each.

    A positive image differs from a negative one by a bright bar, which a small network can learn; with ``truth``, a
    truth.csv says where. Returns ``root``. Patients are numbered on from train to valid, as in MURA.
    """
    random, drawn = np.random.default_rng(seed), []
    for number in range(train_patients + valid_patients):
        split, positive = "train" if number < train_patients else "valid", number % 2 == 1
        for study in range(1, random.integers(1, 3) + 1):
            label = "positive" if positive else "negative"
            folder = root / split / body_part / f"patient{number + 1:05d}" / f"study{study}_{label}"
            folder.mkdir(parents=True)
            for view in range(1, random.integers(1, 4) + 1):
                file, pixels = folder / f"image{view}.png", draw_limb(random, size, positive)
                Image.fromarray(pixels).save(file)
                drawn.append((file.relative_to(root).as_posix(), pixels == BAR))
    if truth:
        _write_truth(root / "truth.csv", drawn)
    return root


def draw_inseparable(root: Path) -> Path:
    """40 validation patients, of which every fifth has the image of one of the other label; returns ``root``.

    A model that has learned the bar errs on them: without errors nothing can be refitted.
    """
    draw_mura(root, train_patients=2, valid_patients=40, seed=4)
    patients = sorted((root / "valid" / "XR_HUMERUS").iterdir())
    for patient, other in zip(patients[::5], patients[1::5], strict=True):
        source = sorted(other.rglob("*.png"))[0]
        for image in patient.rglob("*.png"):
            shutil.copy(source, image)
    return root


def draw_limb(random: np.random.Generator, size: int, positive: bool) -> NDArray[np.uint8]:
    """A gray shaft on dark noise, (size, size) uint8; with a bright bar across it if ``positive``."""
    pixels = random.normal(30, 8, (size, size))
    middle = size // 2 + int(random.integers(-size // 16, size // 16 + 1))
    pixels[:, middle - size // 8 : middle + size // 8] += 90
    if positive:
        top = int(random.integers(size // 4, size // 2))
        pixels[top : top + size // 8, size // 8 : -size // 8] = BAR
    return pixels.clip(0, 255).astype(np.uint8)


def _write_truth(file: Path, drawn: list[tuple[str, NDArray[np.bool_]]]) -> None:
    """``drawn``: each image, and where its bar is."""
    rows = [
        {
            "image": image,
            "view": "AP",
            "boxes": boxes_text([box] if (box := bounding_box(bar)) else []),
            "mask": encode_mask(bar),
        }
        for image, bar in drawn
    ]
    pd.DataFrame(rows).to_csv(file, index=False)


def draw_classes(root: Path, *folders: str, images: int = 3, size: int = 8) -> Path:
    """Class folders below ``root``, with a gray PNG of its own shade for each image; returns ``root``."""
    for place, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(images):
            shade = 10 + 20 * place + number
            Image.new("L", (size, size), shade).save(root / folder / f"image{number}.png")
    return root


def draw_tall(root: Path, images: int = 60) -> Path:
    """Noise of as many patients, whose positive images are taller; returns ``root``."""
    root.mkdir(parents=True)
    rows = ["image_id,label,patient,split"]
    for number in range(images):
        height = 84 + 6 * (number % 2) + 5 * number % 11
        noise = np.random.default_rng(number).integers(0, 200, (height, 80)).astype(np.uint8)
        Image.fromarray(noise).save(root / f"{number}.png")
        rows.append(f"{number}.png,{number % 2},p{number},{'train' if number < images * 2 // 3 else 'valid'}")
    (root / "dataset.csv").write_text("\n".join(rows))
    return root
