"""Fit the out-of-distribution check: features of training and validation images -> an :class:`OodDetector`.

The threshold is chosen on validation images alone, as in split conformal prediction (Vovk et al., "Algorithmic Learning
in a Random World", 2005): of new radiographs like them, on average at most the requested share is refused. Images that
are not radiographs are not needed.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.inference.ood import OodDetector, Vectors, prepare

DIMENSIONS = 64
"""Dimensions of the space in which images are compared. On FracAtlas 128 were as good in twice the file, 32 worse."""

ROUNDING = 1e-4
"""Rounding error of a distance that is computed for one image alone: the threshold is the distance of an image."""

MAX_REFUSED = 0.01
"""The share of images like the validation images that may be refused."""


def fit_ood_detector(
    features: Vectors,
    image_ids: Sequence[str],
    validation: Vectors,
    *,
    sha256: Sequence[str] = (),
    parts: Sequence[str] = (),
    dimensions: int = DIMENSIONS,
    max_refused: float = MAX_REFUSED,
) -> OodDetector:
    """The out-of-distribution check of a model.

    Args:
        features: (N, F) of the training images, computed by the served graph.
        image_ids: (N,); :meth:`OodDetector.nearest` returns them.
        validation: (M, F) of radiographs that are not training images.
        sha256: (N,) of the training images' files, where known.
        parts: (N,) body parts of the training images, where known.
        dimensions: at most so many dimensions of the space, and fewer than training images.
        max_refused: the share of images like the validation images that may be refused. With fewer than
            ``1 / max_refused`` validation images, the farthest one is the threshold, and somewhat more are refused.

    Raises:
        DatasetError: there are fewer than two training images, or no validation image.
    """
    if len(features) < 2 or not len(validation):
        raise DatasetError(
            "The out-of-distribution check needs at least 2 training images and 1 validation image. "
            f"Received: {len(features)} and {len(validation)}."
        )
    space = _space(features, image_ids, dimensions)
    unscaled = space.distances(validation)
    unit = float(np.median(unscaled)) or 1.0
    distances = unscaled / unit
    threshold = conformal_threshold(distances, max_refused) * (1 + ROUNDING)
    counts = (len(validation), int((distances > threshold).sum()))
    return replace(space, unit=unit, threshold=threshold, validation=counts, sha256=tuple(sha256), parts=tuple(parts))


def conformal_threshold(distances: NDArray[np.float64], max_refused: float) -> float:
    """The distance that another image like these (M,) exceeds with a probability of at most ``max_refused``."""
    count = len(distances)
    # The new image counts, too: it is as likely as each of these to be the farthest.
    rank = ceil((count + 1) * (1 - max_refused))
    return float(np.sort(distances)[min(rank, count) - 1])


def _space(features: Vectors, image_ids: Sequence[str], dimensions: int) -> OodDetector:
    """The space of the training images, rounded as it will be stored, without unit and threshold."""
    from sklearn.utils.extmath import randomized_svd

    prepared = prepare(features)
    mean: Vectors = prepared.mean(axis=0)
    prepared -= mean
    dimensions = min(dimensions, len(features) - 1, features.shape[1])
    _, _, directions = randomized_svd(prepared, dimensions, random_state=0)  # (D, F)
    basis = _as_stored(directions.T)
    along = prepared @ basis  # (N, D)
    scale: Vectors = np.maximum(along.std(axis=0), np.finfo(np.float32).eps)
    return OodDetector(mean, basis, scale, _as_stored(along / scale), tuple(image_ids))


def _as_stored(values: NDArray[np.floating]) -> Vectors:
    """Rounded to 16 bits: the threshold must hold for what is read back from the file."""
    return values.astype(np.float16).astype(np.float32)
