"""Chooses the real radiographs that come with the app, from FracAtlas's validation part.

    python -m benchmarks.sample_radiographs --data FRACATLAS

Drawn at random by body part and label, large images first, without a look at what a model answers: no model was
trained on them, and their answers are right or wrong as often as others'. Of consecutive numbers, which are often one
patient's, at most one is taken. The folder ``assets/samples/fracatlas`` is written anew: unchanged images, and the rows
of ``dataset.csv``, so that it is a data set like others.
"""

import argparse
import shutil
from pathlib import Path

import pandas as pd

from fracture.paths import PROJECT

TARGET = PROJECT / "assets" / "samples" / "fracatlas"

SHARES = {
    ("hand", 1): 6,
    ("leg", 1): 5,
    ("hip", 1): 1,
    ("hand", 0): 4,
    ("leg", 0): 4,
    ("hip", 0): 2,
    ("shoulder", 0): 2,
}
"""How many images of which body part and label."""

MAX_BYTES = 120_000
"""Of a file: 24 of them stay below 2 MB."""

BLOCK = 10
"""Images with consecutive numbers of which one is taken."""


def main() -> None:
    """Choose, copy, and print what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    args = parser.parse_args()
    listed = pd.read_csv(args.data / "dataset.csv")
    chosen = choose(listed[listed["split"] == "valid"], args.data / "images")
    shutil.rmtree(TARGET, ignore_errors=True)
    (TARGET / "images").mkdir(parents=True)
    for name in chosen["image_id"]:
        shutil.copyfile(args.data / "images" / name, TARGET / "images" / name)
    chosen.to_csv(TARGET / "dataset.csv", index=False)
    total = sum(file.stat().st_size for file in (TARGET / "images").iterdir())
    print(chosen[["image_id", "hand", "leg", "hip", "shoulder", "fractured"]].to_string(index=False))
    print(f"{len(chosen)} images, {total / 1e6:.2f} MB")


def choose(valid: pd.DataFrame, images: Path) -> pd.DataFrame:
    """The rows of the chosen images, in the order of their numbers."""
    sizes = [(images / name).stat().st_size for name in valid["image_id"]]
    block = valid["image_id"].str.extract(r"(\d+)", expand=False).astype(int) // BLOCK
    described = valid.assign(bytes=sizes, block=block)
    fitting = described[(described["bytes"] <= MAX_BYTES) & (described["multiscan"] == 0)]
    shuffled = fitting.sample(frac=1, random_state=0).sort_values("height", ascending=False, kind="stable")
    chosen: list[pd.DataFrame] = []
    for (part, label), count in SHARES.items():
        taken = pd.concat(chosen)["block"] if chosen else []
        rows = shuffled[(shuffled[part] == 1) & (shuffled["fractured"] == label) & ~shuffled["block"].isin(taken)]
        chosen.append(rows.drop_duplicates("block").head(count))
    return pd.concat(chosen).drop(columns=["bytes", "block"]).sort_values("image_id")


if __name__ == "__main__":
    main()
