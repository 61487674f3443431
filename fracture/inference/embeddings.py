"""What a model's served graph sees in images, kept on disk by their content. No TensorFlow.

:mod:`fracture.training.backbone.features` computes those of a backbone in training; these come from a finished
model's folder, in any process.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.cache import open_cache, write_rows
from fracture.data.measurements import digests
from fracture.errors import Cancelled, ModelError, RadiographError
from fracture.imaging.radiograph import FITS, PREPROCESSING, fit, load
from fracture.inference.litert import Graph
from fracture.registry.model_folder import ModelFolder, read_card

CHUNK = 64
"""Images between two writes."""

Features = NDArray[np.float32]

_SCHEMA = "CREATE TABLE IF NOT EXISTS features (image TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


def served_features(
    table: pd.DataFrame, model: ModelFolder, say: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> dict[str, Features]:
    """By image_id the features (F,) by which the model compares images, of each image that can be read.

    Args:
        table: of images, with ``image_id`` and ``path``.
        model: a folder with card and served graph.
        say: hears of how many images the features are there, of how many.
        should_stop: asked after each :data:`CHUNK`.

    Raises:
        Cancelled: ``should_stop`` said so; what was computed until then is kept.
        ModelError: the model is missing or damaged.
    """
    graph, how = _served(model)
    hashed = digests(table["path"].tolist())
    paths = {digest: path for digest, path in zip(hashed, table["path"], strict=True) if digest}
    with open_cache(f"looks/{hashlib.sha256(graph).hexdigest()[:24]}-{how}", _SCHEMA, PREPROCESSING) as base:
        known = _known(base, paths)
        missing = [(digest, path) for digest, path in paths.items() if digest not in known]
        done = len(paths) - len(missing)
        say(done, len(paths))
        for chunk, found in _computed(missing, graph, how):
            write_rows(base, "INSERT OR REPLACE INTO features VALUES (?, ?)", found.items())
            known.update(found)
            done += chunk
            say(done, len(paths))
            if should_stop():
                raise Cancelled
    ids = zip(table["image_id"], hashed, strict=True)
    return {name: np.frombuffer(known[digest], np.float32) for name, digest in ids if digest in known}


def _served(model: ModelFolder) -> tuple[bytes, str]:
    """The graph, and how images are fitted to it: one of the known words, since a file is named after it."""
    try:
        how = read_card(model)["input"]["fit"]
        graph = model.served_model.read_bytes()
    except OSError as error:
        raise ModelError(f"Model {model.name!r} has no served graph that can be read: {error.strerror}.") from error
    except (KeyError, TypeError) as error:
        raise ModelError(f"The card of model {model.name!r} is damaged: {error}.") from error
    if how not in FITS:
        raise ModelError(f"The card of model {model.name!r} must say fit {' or '.join(FITS)}. Received: {how!r}")
    return graph, how


def _known(base: sqlite3.Connection, wanted: dict[str, str]) -> dict[str, bytes]:
    base.execute("CREATE TEMP TABLE wanted (image TEXT PRIMARY KEY) WITHOUT ROWID")
    base.executemany("INSERT INTO wanted VALUES (?)", ((digest,) for digest in wanted))
    found = dict(base.execute("SELECT image, vector FROM features JOIN wanted USING (image)"))
    base.commit()
    return found


def _computed(missing: list[tuple[str, str]], content: bytes, how: str) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Chunk by chunk how many images it has, and the features of those that can be read, by digest."""
    if not missing:
        return
    graph = Graph(content)

    def pixels(path: str) -> NDArray[np.uint8] | None:
        try:
            return fit(load(Path(path)).pixels, graph.size, how)
        except RadiographError:
            return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(missing), CHUNK):
            hashed, paths = zip(*missing[start : start + CHUNK], strict=True)
            seen = zip(hashed, pool.map(pixels, paths), strict=True)
            yield len(paths), {digest: graph(image).looks.tobytes() for digest, image in seen if image is not None}
