"""Fit what a model knows: from the features of its training and validation images to an :class:`OodDetector`.

The threshold is chosen on validation images alone, as in split conformal prediction (Vovk et al., "Algorithmic Learning
in a Random World", 2005): of new radiographs like them, at most the share that was asked for is refused on average.
No image that is no radiograph is needed.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.inference.ood import OodDetector, Vectors, prepare

DIMENSIONS = 64
"""Of the space in which images are compared. On FracAtlas 128 did as well in twice the file, 32 somewhat worse."""

ROUNDING = 1e-4
"""How far the distance of the same image may be off when it is computed alone: the threshold is that of an image."""

REFUSED = 0.01
"""Share of the validation images that are to be refused."""


def fit_familiarity(
    features: Vectors,
    image_ids: Sequence[str],
    validation: Vectors,
    *,
    sha256: Sequence[str] = (),
    dimensions: int = DIMENSIONS,
    refused: float = REFUSED,
) -> OodDetector:
    """What a model has seen.

    Args:
        features: (N, F) of the training images, as the served graph gives them.
        image_ids: (N,) by which :meth:`OodDetector.nearest` names them.
        validation: (M, F) of radiographs that are no training images.
        sha256: (N,) of their files, where known.
        dimensions: of the space, at most; fewer than training images.
        refused: the share of images like the validation images that may be refused. Below ``1 / refused`` validation
            images the farthest of them is the threshold, and somewhat more are.

    Raises:
        DatasetError: there are fewer than two training images, or no validation image.
    """
    if len(features) < 2 or not len(validation):
        raise DatasetError(
            "What a model knows is told by 2 training images and 1 validation image at least. "
            f"Received: {len(features)} and {len(validation)}"
        )
    space = _space(features, image_ids, dimensions)
    plain = space.distances(validation)
    unit = float(np.median(plain)) or 1.0
    distances = plain / unit
    threshold = conformal_threshold(distances, refused) * (1 + ROUNDING)
    refused_images = int((distances > threshold).sum())
    return replace(
        space, unit=unit, threshold=threshold, validation=(len(validation), refused_images), sha256=tuple(sha256)
    )


def conformal_threshold(distances: NDArray[np.float64], refused: float) -> float:
    """The distance that a new one exceeds with a probability of ``refused`` at most, given some of its kind (M,)."""
    rank = ceil((len(distances) + 1) * (1 - refused))
    return float(np.sort(distances)[min(rank, len(distances)) - 1])


def _space(features: Vectors, image_ids: Sequence[str], dimensions: int) -> OodDetector:
    """The space of the training images, rounded as it will be stored, without a unit and a threshold."""
    from sklearn.utils.extmath import randomized_svd

    prepared = prepare(features)
    mean: Vectors = prepared.mean(axis=0)
    prepared -= mean
    dimensions = min(dimensions, len(features) - 1, features.shape[1])
    basis = _as_stored(randomized_svd(prepared, dimensions, random_state=0)[2].T)
    along = prepared @ basis  # (N, D)
    scale: Vectors = np.maximum(along.std(axis=0), np.finfo(np.float32).eps)
    return OodDetector(mean, basis, scale, _as_stored(along / scale), tuple(image_ids))


def _as_stored(values: NDArray[np.floating]) -> Vectors:
    """Rounded to 16 bits: the threshold is to hold for what is read back."""
    return values.astype(np.float16).astype(np.float32)
