"""Out-of-distribution detection: whether an image is like the training images, and which are most similar.

A network gives a probability for a photograph of a cat as well. Here its features are compared with those of the
training images, in a space of a few dozen dimensions, and two things are measured::

    features (2048,) ── root, half normalized, centered ──> (D,) ──┬── length of what the D leave out:   rest
                                                                  └── distance to the nearest training: near
                                                  distance = rest^0.75 x near^0.25, 1 for a typical radiograph

``rest`` is the residual of virtual-logit matching (Wang et al., "ViM: Out-Of-Distribution with Virtual-logit
Matching", CVPR 2022), ``near`` the nearest neighbour of Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", ICML 2022, after whitening. Each catches what the other misses. :mod:`fracture.evaluation.ood_fit` fits it;
it is stored in one file beside the model.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.files import JsonObject, atomic_write, read_arrays

OOD_FILE = "familiarity.npz"
"""Name of the file in a model folder; it is from an earlier version, and models that people have keep it."""

REST_WEIGHT = 0.75
"""Exponent of ``rest``; that of ``near`` is the remainder to 1. Half and half refused a point more of images that are
no radiographs with the frozen features of FracAtlas's 2,549 images, and up to 12 points less with fewer images or
fine-tuned features."""

METHOD = "residual^0.75 x nearest^0.25 of square-rooted features"
"""What is measured, in the card's words. A file of another method is refused."""

DIGEST_BYTES = hashlib.sha256().digest_size
NEIGHBORS = 10
"""Training images whose body parts are counted."""

UNKNOWN_DIGEST = "00" * DIGEST_BYTES
"""In the place of an image's SHA-256 that is not known, within the file."""

Vectors = NDArray[np.float32]

_NUMBERS = ("mean", "scale", "threshold", "unit", "counts", "basis", "places")
_KEYS = {"method", "image_ids", *_NUMBERS}


@dataclass(frozen=True)
class OodDetector:
    """Compares images with the training images of a model. F features, D dimensions, N training images."""

    mean: Vectors
    """(F,) of the prepared training features."""
    basis: Vectors
    """(F, D), orthonormal: the directions in which the training images differ most."""
    scale: Vectors
    """(D,), the training images' standard deviation along each."""
    places: Vectors
    """(N, D) of the training images along the basis, in units of ``scale``."""
    image_ids: tuple[str, ...]
    """(N,); an image that was embedded several times, for example between white margins, is there several times."""
    unit: float = 1.0
    """The distance that counts as 1: the median of the validation images."""
    threshold: float = float("inf")
    """The largest distance of an image in distribution."""
    validation: tuple[int, int] = (0, 0)
    """Validation images that the threshold was chosen on, and how many of them it refuses."""
    sha256: tuple[str, ...] = ()
    """(N,) of each image's file, "" where it is not known; empty in older folders, which recorded no files."""
    parts: tuple[str, ...] = ()
    """(N,) body part of each image; empty in older folders, which recorded none."""

    def distance(self, features: Vectors) -> float:
        """The distance of an image with these features (F,) from the training images: 1 for a typical radiograph."""
        return float(self.distances(features[None])[0])

    def distances(self, features: Vectors) -> NDArray[np.float64]:
        """The same for many images: (M, F) -> (M,)."""
        places, rest = self._project(features)
        # One image at a time: all differences (M, N, D) at once may not fit into memory.
        near = np.array([self._nearest_squared(place) for place in places], np.float64)
        both: NDArray[np.float64] = np.sqrt(rest) ** REST_WEIGHT * np.sqrt(near) ** (1 - REST_WEIGHT)
        return both / self.unit

    def in_distribution(self, features: Vectors) -> bool:
        """Whether an image with these features (F,) is near enough; with NaN among them it never is."""
        # Not `not distance > threshold`: comparisons with NaN are false.
        return self.distance(features) <= self.threshold

    def places_of(self, features: Vectors) -> Vectors:
        """The coordinates of images along the basis, in units of ``scale``: (M, F) -> (M, D)."""
        return self._project(features)[0]

    def nearest(self, features: Vectors, k: int = 5) -> list[tuple[str, float]]:
        """The ``k`` most similar training images, the most similar first, each with its cosine similarity, -1 to 1."""
        place = self.places_of(features[None])[0]  # (D,)
        length = np.linalg.norm(self.places, axis=1) * np.linalg.norm(place)
        similarity = self.places @ place / np.maximum(length, np.finfo(np.float32).tiny)
        best: dict[str, float] = {}
        for row in np.argsort(-similarity, kind="stable"):
            # An image that is there several times counts with its best, which comes first.
            best.setdefault(self.image_ids[row], float(similarity[row]))
            if len(best) == k:
                break
        return list(best.items())

    def nearest_parts(self, features: Vectors, k: int = NEIGHBORS) -> list[tuple[str, int]]:
        """The body parts among the ``k`` most similar training images, the most frequent first, each with its count.

        Empty where the body parts are not recorded.
        """
        if not any(self.parts):
            return []
        part_of = dict(zip(self.image_ids, self.parts, strict=True))
        nearest = [part_of[image_id] for image_id, _ in self.nearest(features, k)]
        return Counter(filter(None, nearest)).most_common()

    def trained_on(self, image_ids: Sequence[str], sha256: Sequence[str]) -> NDArray[np.bool_]:
        """Which of these images the model was trained on: by their files, or by name where no file was recorded."""
        if self.sha256:
            files = set(self.sha256) - {""}
            return np.array([each in files for each in sha256], np.bool_)
        names = set(self.image_ids)
        return np.array([each in names for each in image_ids], np.bool_)

    def describe(self) -> JsonObject:
        """Its part of the card."""
        images, refused = self.validation
        return {
            "method": METHOD,
            "threshold": self.threshold,
            "training_images": len(set(self.image_ids)),
            "dimensions": len(self.scale),
            "validation_images": images,
            "validation_refused": refused,
            "share_refused": refused / images if images else None,
        }

    def save(self, path: Path) -> None:
        """Write it to one file, whole or not at all: 0.6 MB for 3,000 images."""
        values: dict[str, NDArray[Any]] = {
            "method": np.frombuffer(METHOD.encode(), np.uint8),
            "mean": self.mean,
            "basis": self.basis.astype(np.float16),
            "scale": self.scale,
            "places": self.places.astype(np.float16),
            "image_ids": _to_bytes(self.image_ids),
            "threshold": np.array(self.threshold, np.float64),
            "unit": np.array(self.unit, np.float64),
            "counts": np.array(self.validation, np.int64),
        }
        if self.sha256:
            digests = bytes.fromhex("".join(each or UNKNOWN_DIGEST for each in self.sha256))
            values["sha256"] = np.frombuffer(digests, np.uint8).reshape(-1, DIGEST_BYTES)
        if self.parts:
            values["parts"] = _to_bytes(self.parts)
        atomic_write(path, lambda part: np.savez_compressed(part, allow_pickle=False, **values))

    def _project(self, features: Vectors) -> tuple[Vectors, Vectors]:
        """Coordinates of images along the basis (M, D), in units of ``scale``, and the squared residuals (M,)."""
        if features.shape[1:] != self.mean.shape:
            raise ModelError(
                f"The file {OOD_FILE} is of another model: it knows {len(self.mean)} features an image. "
                f"Received: {features.shape[-1]}"
            )
        centered: Vectors = prepare(features) - self.mean
        along: Vectors = centered @ self.basis  # (M, D)
        rest: Vectors = np.square(centered - along @ self.basis.T).sum(axis=1)
        return along / self.scale, rest

    def _nearest_squared(self, place: Vectors) -> float:
        """The squared distance from a place (D,) to the nearest training image."""
        return float(np.square(self.places - place).sum(axis=1).min())


def prepare(features: Vectors) -> Vectors:
    """Features (M, F), means over activations that are never negative, as they are compared.

    The root steadies their variance, which grows with their mean (Bartlett, "The use of transformations", Biometrics 3,
    1947). Their length says something, but less than their direction: half of it is taken out.
    """
    root: Vectors = np.sqrt(np.maximum(features, 0))
    length: Vectors = np.linalg.norm(root, axis=1, keepdims=True)
    root /= np.sqrt(np.maximum(length, np.finfo(np.float32).tiny))
    return root


def load_ood_detector(path: Path) -> OodDetector:
    """Read what :meth:`OodDetector.save` wrote.

    Raises:
        ModelError: the file is missing, damaged, or of another version.
    """
    try:
        values = read_arrays(path)
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {path.parent.name}/{path.name}: this model can't tell whether an image is out of "
            "distribution."
        ) from error
    except ValueError as error:
        raise _damaged(path, "it cannot be read") from error
    return _checked(values, path)


def _checked(values: dict[str, NDArray[Any]], path: Path) -> OodDetector:
    problem = _problem(values)
    if problem:
        raise _damaged(path, problem)
    # Older files have no digests.
    digests = values.get("sha256", np.empty((0, DIGEST_BYTES), np.uint8))
    images, refused = values["counts"]
    return OodDetector(
        mean=values["mean"].astype(np.float32),
        basis=values["basis"].astype(np.float32),
        scale=values["scale"].astype(np.float32),
        places=values["places"].astype(np.float32),
        image_ids=_texts(values["image_ids"]),
        unit=float(values["unit"]),
        threshold=float(values["threshold"]),
        validation=(int(images), int(refused)),
        sha256=_in_hexadecimal(digests),
        parts=_texts(values["parts"]) if "parts" in values else (),
    )


def _problem(values: dict[str, NDArray[Any]]) -> str | None:
    """Why the arrays of a file are no detector of this version; None where they are one."""
    missing = sorted(_KEYS - set(values))
    if missing:
        return f"it lacks {', '.join(missing)}"
    # Before the numbers: those of another method have another meaning, and perhaps other shapes.
    if values["method"].tobytes() != METHOD.encode():
        return "it is of another version"
    if not all(_is_finite(values[name]) for name in _NUMBERS):
        return "it holds something that is no number"
    try:
        images = len(_texts(values["image_ids"]))
        parts = len(_texts(values["parts"])) if "parts" in values else images
    except UnicodeDecodeError:
        return "its image names are no text"
    if parts != images:
        return "it does not name a body part for each image"
    return _array_problem(values, images)


def _array_problem(values: dict[str, NDArray[Any]], images: int) -> str | None:
    """Why the arrays are none that belong together; None where they do."""
    wrong = _wrong_shapes(values, images)
    if wrong:
        return f"the shapes of {', '.join(wrong)} do not fit"
    if "sha256" in values and values["sha256"].dtype != np.uint8:
        return "its digests of files are no bytes"
    if not values["scale"].size or min(values["scale"].min(), values["unit"]) <= 0:
        return "its scales must be above 0"
    return None


def _to_bytes(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Texts, one for each training image, as they are stored: as one."""
    return np.frombuffer("\0".join(texts).encode(), np.uint8)


def _texts(stored: NDArray[Any]) -> tuple[str, ...]:
    """What :func:`_to_bytes` stored. Raises UnicodeDecodeError where it is no text."""
    return tuple(stored.tobytes().decode().split("\0"))


def _is_finite(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "fi" and bool(np.isfinite(values).all())


def _wrong_shapes(values: dict[str, NDArray[Any]], images: int) -> list[str]:
    """The names of the arrays whose shapes do not fit together."""
    basis = values["basis"]
    features, dimensions = basis.shape if basis.ndim == 2 else (0, 0)
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (features,),
        "scale": (dimensions,),
        "places": (images, dimensions),
        "threshold": (),
        "unit": (),
        "counts": (2,),
    }
    if "sha256" in values:
        shapes["sha256"] = (images, DIGEST_BYTES)
    return sorted(name for name, shape in shapes.items() if values[name].shape != shape)


def _in_hexadecimal(digests: NDArray[Any]) -> tuple[str, ...]:
    """Digests (N, 32) in hexadecimal; "" for those that are not known."""
    texts = (row.tobytes().hex() for row in digests)
    return tuple("" if text == UNKNOWN_DIGEST else text for text in texts)


def _damaged(path: Path, how: str) -> ModelError:
    return ModelError(f"{path.parent.name}/{path.name} is damaged: {how}. Train the model again, or delete that file.")
