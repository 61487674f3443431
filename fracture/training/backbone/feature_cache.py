"""Features of a frozen backbone, kept on disk by content. No TensorFlow: what a training has computed, others can read.

What is kept is told apart by the image file's sha256, and by all that decides what the backbone makes of it.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fracture import paths
from fracture.imaging.radiograph import PREPROCESSING
from fracture.training.weights import Weights

FEATURES = 2048
"""Channels of InceptionV3's last feature map."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """How an image is made ready: what decides, beside it and the weights, what the backbone sees."""

    image_size: int
    fit: str
    input_range: tuple[float, float]
    mirrored: bool = False


class FeatureCache:
    """Vectors by the sha256 of their image, in one SQLite file for each pair of weights and view.

    Where the cache cannot be read or written, or is full, nothing is known, and nothing is kept: that costs time alone.
    """

    def __init__(self, weights: Weights, view: Preparation) -> None:
        seen = {"backbone": "InceptionV3", "weights": weights.identity, "preprocessing": PREPROCESSING, **asdict(view)}
        said = json.dumps(seen, sort_keys=True)
        folder = paths.cache_home() / "features"
        self._path = folder / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.sqlite"
        with suppress(OSError, sqlite3.OperationalError):  # the last where it is in use, or the disk is full
            folder.mkdir(parents=True, exist_ok=True)
            self._begin()

    def _begin(self) -> None:
        try:
            self._create()
        except sqlite3.OperationalError:  # whatever hinders, it is whole
            raise
        except sqlite3.DatabaseError:  # damaged: what is in it can be computed again
            self._path.unlink()
            self._create()

    def _create(self) -> None:
        with closing(self._open()) as base, base:
            base.execute("CREATE TABLE IF NOT EXISTS features (image BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            if base.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def get(self, images: Sequence[str]) -> dict[str, Features]:
        """The vectors (2048,) that are known of these images."""
        found: dict[str, Features] = {}
        with suppress(sqlite3.Error), closing(self._open()) as base:
            for start in range(0, len(images), 500):  # SQLite bounds the number of question marks
                keys = [bytes.fromhex(image) for image in images[start : start + 500]]
                marks = ",".join("?" * len(keys))
                rows = base.execute(f"SELECT image, vector FROM features WHERE image IN ({marks})", keys)  # noqa: S608
                found.update({image.hex(): np.frombuffer(vector, np.float32) for image, vector in rows})
        return found

    def put(self, images: Sequence[str], vectors: Features) -> None:
        """Keep the vectors (N, 2048) of these images."""
        rows = [(bytes.fromhex(image), vector.tobytes()) for image, vector in zip(images, vectors, strict=True)]
        with suppress(sqlite3.Error), closing(self._open()) as base, base:
            base.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)
