"""Whether an image is of a model's own domain: the body part and the sources that it was trained on.

"In distribution" does not tell body parts apart: a model of the humerus finds most hands and legs familiar. A second
signal does: a support-vector machine with a Gaussian kernel (Cortes and Vapnik, "Support-Vector Networks", Machine
Learning 20, 1995), in the space of the model's :class:`~fracture.inference.ood.OodDetector`, between the model's own
training images and radiographs of other body parts and sources. :mod:`fracture.evaluation.domain_fit` fits it; it is
stored in one file beside the model, and a model without that file can't tell.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.files import atomic_write, read_arrays
from fracture.inference.ood import METHOD, OodDetector, Vectors

DOMAIN_FILE = "domain.npz"
"""Name of the file in a model folder."""

_NUMBERS = ("vectors", "weights", "bias", "gamma", "own_from", "foreign_below", "counts")


class Domain(Enum):
    """Where an image belongs, as far as a model can tell."""

    OWN = "own"
    DOUBTFUL = "doubtful"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class DomainHead:
    """The support-vector machine, as it is stored. S support vectors, D dimensions."""

    vectors: Vectors
    """(S, D), places of images of both sides."""
    weights: Vectors
    """(S,), above 0 for the model's own images."""
    bias: float
    gamma: float
    """Of the kernel ``exp(-gamma * distance ** 2)``."""
    own_from: float
    """The decision value from which on an image is of the model's own domain."""
    foreign_below: float
    """The decision value below which it is of another one."""
    counts: tuple[int, int]
    """Images of the model's own, and of other body parts and sources, that it was fitted on."""

    def decisions(self, places: Vectors) -> NDArray[np.float64]:
        """Decision values of places (M, D): above 0 on the side of the model's own images. (M,)."""
        squared = np.stack([np.square(self.vectors - place).sum(axis=1) for place in places])  # (M, S)
        kernel = np.exp(-self.gamma * squared.astype(np.float64))
        values: NDArray[np.float64] = kernel @ self.weights.astype(np.float64) + self.bias
        return values

    def domain(self, detector: OodDetector, embeddings: Vectors) -> Domain:
        """Where a study belongs, from the embeddings (M, F) of its views: by the mean of their decision values."""
        value = float(self.decisions(detector.places_of(embeddings)).mean())
        if value >= self.own_from:
            return Domain.OWN
        # Not `value < foreign_below`: comparisons with NaN are false, and an image that is no number is no model's own.
        return Domain.DOUBTFUL if value >= self.foreign_below else Domain.FOREIGN

    def save(self, path: Path) -> None:
        """Write it to one file, whole or not at all."""
        values: dict[str, NDArray[Any]] = {
            "method": np.frombuffer(METHOD.encode(), np.uint8),
            "vectors": self.vectors.astype(np.float16),
            "weights": self.weights.astype(np.float32),
            "bias": np.array(self.bias),
            "gamma": np.array(self.gamma),
            "own_from": np.array(self.own_from),
            "foreign_below": np.array(self.foreign_below),
            "counts": np.array(self.counts, np.int64),
        }
        atomic_write(path, lambda part: np.savez_compressed(part, allow_pickle=False, **values))


def load_domain_head(path: Path, detector: OodDetector) -> DomainHead | None:
    """Read what :meth:`DomainHead.save` wrote; None where there is no file.

    Raises:
        ModelError: the file is damaged, or of another detector.
    """
    if not path.exists():
        return None
    try:
        values = read_arrays(path)
    except ValueError as error:
        raise _damaged(path) from error
    if not {"method", *_NUMBERS} <= values.keys():
        raise _damaged(path)
    if values["method"].tobytes() != METHOD.encode() or not _fits(values, len(detector.scale)):
        raise _damaged(path)
    own, others = values["counts"]
    return DomainHead(
        vectors=values["vectors"].astype(np.float32),
        weights=values["weights"].astype(np.float32),
        bias=float(values["bias"]),
        gamma=float(values["gamma"]),
        own_from=float(values["own_from"]),
        foreign_below=float(values["foreign_below"]),
        counts=(int(own), int(others)),
    )


def _fits(values: dict[str, NDArray[Any]], dimensions: int) -> bool:
    if not all(values[name].dtype.kind in "fi" and np.isfinite(values[name]).all() for name in _NUMBERS):
        return False
    vectors = len(values["vectors"]) if values["vectors"].ndim else 0
    shapes = {"vectors": (vectors, dimensions), "weights": (vectors,), "counts": (2,)}
    return all(values[name].shape == shapes.get(name, ()) for name in _NUMBERS)


def _damaged(path: Path) -> ModelError:
    return ModelError(
        f"{path.parent.name}/{path.name} is damaged, or of another version of the model. Delete that file."
    )
