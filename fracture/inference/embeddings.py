"""Embeddings of images by a finished model's served graph, cached on disk by the images' content. No TensorFlow.

:mod:`fracture.training.backbone.features` computes the features of a backbone in training; these come from a finished
model's folder, in any process.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.cache import find_rows, open_cache, write_rows
from fracture.data.measurements import digests
from fracture.errors import Cancelled, ModelError
from fracture.imaging.loading import decode
from fracture.imaging.radiograph import FITS, PREPROCESSING_VERSION
from fracture.inference.litert import Graph
from fracture.registry.model_folder import ModelFolder, read_card

IMAGES_PER_CHUNK = 64
"""Images between two writes."""

Features = NDArray[np.float32]

_SCHEMA = "CREATE TABLE IF NOT EXISTS features (image TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


def served_features(
    table: pd.DataFrame, model: ModelFolder, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> dict[str, Features]:
    """The embedding (F,) of each image that can be read, by image_id.

    Args:
        table: of images, with ``image_id`` and ``path``.
        model: a folder with card and served graph.
        on_progress: receives how many embeddings there are, and how many images.
        should_stop: asked after each :data:`IMAGES_PER_CHUNK`.

    Raises:
        Cancelled: ``should_stop`` said so; the embeddings computed until then are in the cache.
        ModelError: the model is missing or damaged.
    """
    content, how = _served(model)
    image_digests = digests(table["path"].tolist())
    paths = {digest: path for digest, path in zip(image_digests, table["path"], strict=True) if digest}
    # The folder's name is from an earlier version; caches that people have stay in use.
    name = f"looks/{hashlib.sha256(content).hexdigest()[:24]}-{how}"
    with open_cache(name, _SCHEMA, PREPROCESSING_VERSION) as base:
        known: dict[str, bytes] = dict(find_rows(base, "features", ["image"], [(digest,) for digest in paths]))
        missing = {digest: path for digest, path in paths.items() if digest not in known}
        done = len(paths) - len(missing)
        on_progress(done, len(paths))
        for images, computed in _compute(missing, content, how):
            write_rows(base, "INSERT OR REPLACE INTO features VALUES (?, ?)", computed.items())
            known.update(computed)
            done += images  # with those that can't be read: the progress ends at all images
            on_progress(done, len(paths))
            if should_stop():
                raise Cancelled
    found = {}
    for image_id, digest in zip(table["image_id"], image_digests, strict=True):
        if digest in known:
            found[image_id] = np.frombuffer(known[digest], np.float32)
    return found


def _served(model: ModelFolder) -> tuple[bytes, str]:
    """The served graph, and how images are fitted to it."""
    try:
        how = read_card(model).input.fit
        graph = model.served_model.read_bytes()
    except OSError as error:
        raise ModelError(f"Model {model.name!r} has no served graph that can be read: {error.strerror}.") from error
    if how not in FITS:
        raise ModelError(f"The card of model {model.name!r} must say fit {' or '.join(FITS)}. Received: {how!r}")
    return graph, how


def _compute(missing: dict[str, str], content: bytes, how: str) -> Iterator[tuple[int, dict[str, bytes]]]:
    """After each chunk how many images it had, and the embeddings of those that can be read, by digest."""
    if not missing:
        return
    graph = Graph(content)
    images = 0
    computed: dict[str, bytes] = {}
    for digest, pixels in zip(missing, decode(list(missing.values()), graph.size, how), strict=True):
        images += 1
        if pixels is not None:
            computed[digest] = graph(pixels).embedding.tobytes()
        if images == IMAGES_PER_CHUNK:
            yield images, computed
            images = 0
            computed = {}
    if images:
        yield images, computed
