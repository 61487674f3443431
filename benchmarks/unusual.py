"""The ranges of FracAtlas's training images behind :mod:`fracture.inference.unusual`, and what it recognizes.

    python -m benchmarks.unusual --data FRACATLAS

Validation images as they are, and after each change of :mod:`tests.support.film_changes`; the number of images is
printed. About a minute on two cores.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from fracture.data.dataset import scan
from fracture.imaging.film import FilmMeasures, measure_film
from fracture.imaging.radiograph import load, shrink
from fracture.inference.unusual import describe
from tests.support.film_changes import CHANGES, change

TRAINING_IMAGES = 1000
VALIDATION_IMAGES = 150
VIEW_PX = 700


def main() -> None:
    """Measure both parts, and print the ranges and what is called unusual."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    table = scan(parser.parse_args().data).table
    training = _sample(table, "train", TRAINING_IMAGES)
    validation = _sample(table, "valid", VALIDATION_IMAGES)
    changed = [(path, name, seed) for seed, path in enumerate(validation) for name in CHANGES]
    with ProcessPoolExecutor() as processes:
        _print_ranges(processes.map(_measured, [(path, "", 0) for path in training], chunksize=20))
        untouched = processes.map(_measured, [(path, "", 0) for path in validation], chunksize=20)
        print(f"\nCalled unusual, of {len(validation)} validation images:")
        _print_words("as it is", list(untouched))
        found = list(processes.map(_measured, changed, chunksize=20))
    for name in CHANGES:
        _print_words(name, [each for (_, of, _), each in zip(changed, found, strict=True) if of == name])


def _sample(table: pd.DataFrame, split: str, count: int) -> list[str]:
    rows = table[table["split"] == split]
    return list(rows.sample(min(count, len(rows)), random_state=0)["path"])


def _measured(each: tuple[str, str, int]) -> FilmMeasures:
    path, name, seed = each
    pixels = shrink(load(Path(path)).pixels, VIEW_PX)
    return measure_film(np.ascontiguousarray(change(pixels, name, seed)) if name else pixels)


def _print_ranges(measured: Iterable[FilmMeasures]) -> None:
    table = pd.DataFrame(measured)
    print(f"{len(table)} training images:")
    print(table.quantile([0, 0.005, 0.5, 0.995, 1]).round(2).to_string())


def _print_words(name: str, measured: list[FilmMeasures]) -> None:
    described = [describe(each) for each in measured]
    words = Counter(word.split(":")[0].split(" of ")[0].split(",")[0] for words in described for word in words)
    any_of_them = sum(bool(words) for words in described)
    print(f"{name:14} {any_of_them:4}  " + ", ".join(f"{word} {count}" for word, count in words.most_common()))


if __name__ == "__main__":
    main()
