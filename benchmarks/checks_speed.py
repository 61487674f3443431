"""How long the checks of a data set take: the first time, again, and on the table of a large one.

    python -m benchmarks.checks_speed [--images 1560] [--size 512]

A data set of PNG files in MURA's layout is made: a few phantoms, turned and moved into many. Timed are all checks with
nothing kept and with everything kept, on all cores; then those of a table of 40,561 rows, as many as MURA has images,
with measurements that are made up. Printed are seconds, and of the first what an image takes of one core.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fracture.data.checks import check
from fracture.data.dataset import TABLE_COLUMNS as TABLE
from fracture.data.dataset import Dataset, scan
from fracture.data.measurements import MEASUREMENT_COLUMNS, measured
from fracture.phantoms.samples import generate_sample

LARGE = 40_561
"""Images in MURA v1.1."""


def main() -> None:
    """Make, check, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1560)
    parser.add_argument("--size", type=int, default=512, help="px")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_CACHE"] = f"{place}/cache"
        root = make(Path(place) / "images", args.images, args.size)
        dataset = scan(root)
        print(f"{args.images:,} images of {args.size} px, {os.cpu_count()} cores")
        took, core = timed(lambda: check(dataset))
        print(f"  all checks, nothing kept: {took:.2f} s; {1000 * core / args.images:.1f} ms of a core each")
        print(f"  all checks, everything kept: {timed(lambda: check(dataset))[0]:.2f} s")
        print(f"  what is known already: {timed(lambda: measured(dataset.table))[0]:.2f} s")
        large()


def make(root: Path, images: int, size: int) -> Path:
    """So many PNG files, four to a patient and every other patient abnormal; the last fifth of them is in valid."""
    random = np.random.default_rng(0)
    phantoms = [
        Image.fromarray(view.pixels).resize((size, size)) for number in range(4) for view in generate_sample(number)
    ]
    for number in range(images):
        split, patient = "train" if number < 0.8 * images // 4 * 4 else "valid", number // 4
        label = "positive" if patient % 2 else "negative"
        folder = root / split / "XR_HUMERUS" / f"patient{patient:05d}" / f"study1_{label}"
        folder.mkdir(parents=True, exist_ok=True)
        turned = phantoms[number % len(phantoms)].rotate(random.uniform(-180, 180))
        moved = np.roll(np.asarray(turned), random.integers(0, size, 2), (0, 1))
        Image.fromarray(moved).save(folder / f"image{number % 4 + 1}.png", compress_level=1)
    return root


def large() -> None:
    """The checks of a large table, of which everything is known; and how soon it is known what is known."""
    dataset = Dataset(Path("large"), "large", "MURA", ("normal", "abnormal"), made_up_table())
    took, _ = timed(lambda: check(dataset, made_up_measurements(dataset.table)))
    print(f"  {LARGE:,} rows of made-up measurements, near-duplicates and all other checks: {took:.2f} s")


def made_up_table() -> pd.DataFrame:
    """Rows as of MURA: two studies a patient, two views a study; no file is there."""
    number = pd.Series(range(LARGE))
    patient = "patient" + (number // 4).astype(str)
    study = patient + "/study" + (number // 2 % 2).astype(str)
    columns = {
        "image_id": study + "/image" + number.astype(str),
        "path": "/nowhere/" + number.astype(str),
        "split": np.where(number < 0.9 * LARGE // 4 * 4, "train", "valid"),
        "patient": patient,
        "study": study,
        "label": number // 4 % 2,
        "width": 512,
        "height": 512,
        "group": patient,
    }
    return pd.DataFrame(columns).reindex(columns=list(TABLE), fill_value="").astype(TABLE)


def made_up_measurements(table: pd.DataFrame) -> pd.DataFrame:
    """Measurements in which one image in a hundred looks like the one before it."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 256, (2, len(table), 32), dtype=np.uint8)
    hashes[0, 1::100] = hashes[0, 0::100][: len(hashes[0, 1::100])]
    hashes[0, 1::100, 0] ^= 3
    straight, mirrored = ([row.tobytes().hex() for row in each] for each in hashes)
    levels = ("mean", "median", "spread", "border", "inside", "low", "margin_level", "seam")
    numbers = {name: random.uniform(20, 60, len(table)) for name in levels}
    shares = {
        name: random.uniform(0, 0.1, len(table)) for name in ("black", "white", "dark", "light", "strip", "margin")
    }
    spans = {name: random.uniform(100, 255, len(table)) for name in ("high", "sharpness", "file_bytes")}
    spans["visible"] = random.uniform(0.1, 1, len(table))
    digests = [random.bytes(32).hex() for _ in range(len(table))]
    texts = {
        "problem": "",
        "file_format": "PNG",
        "storage": "8-bit gray",
        "sha256": digests,
        "phash": straight,
        "phash_mirrored": mirrored,
    }
    marks = random.integers(0, 2, len(table))
    known = table[["image_id", "path"]].assign(readable=True, **numbers, **shares, **spans, **texts, marks=marks)
    return known[list(MEASUREMENT_COLUMNS)]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of all cores together."""
    clock, core = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - core


if __name__ == "__main__":
    main()
