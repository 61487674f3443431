"""Whether an image looks like anything the model was trained on, and which training images it resembles.

A network gives a probability for a photograph of a cat as well. Here its features are compared with those of the
training images, in a space of a few dozen dimensions, and two things are measured::

    features (2048,) ── root, half normalised, centred ──> (D,) ──┬── length of what the D leave over:  rest
                                                                  └── length to the nearest of training: near
                                                  distance = rest^0.75 x near^0.25, 1 for the usual radiograph

``rest`` is the residual of virtual-logit matching (Wang et al., "ViM: Out-Of-Distribution with Virtual-logit
Matching", CVPR 2022), ``near`` the nearest neighbour of Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", ICML 2022, after whitening. Each catches what the other misses. Fitted by
:mod:`fracture.evaluation.ood_fit`; lies in one file beside the model.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.files import atomic_write

FILE = "familiarity.npz"
"""What the file is called in a model folder."""

REST = 0.75
"""Weight of ``rest`` against ``near``. Half and half refused a point more of what is no radiograph with the frozen
features of FracAtlas's 2,549 images, and up to 12 points less with fewer images or fine-tuned features."""

METHOD = "residual^0.75 x nearest^0.25 of square-rooted features"
"""What is measured, in the card's words. A file of another method is refused."""

DIGEST = hashlib.sha256().digest_size
UNKNOWN = "00" * DIGEST
"""In the place of a file's SHA-256 that is not known, within the file."""

Vectors = NDArray[np.float32]

_FLAT = {"mean", "scale", "threshold", "unit", "counts"}
_KEYS = {"method", "basis", "places", "image_ids", *_FLAT}


@dataclass(frozen=True)
class Familiarity:
    """What a model has seen. F features, D dimensions, N training images."""

    mean: Vectors
    """(F,) of the prepared training features."""
    basis: Vectors
    """(F, D), orthonormal: the directions in which the training images differ most."""
    scale: Vectors
    """(D,), the training images' standard deviation along each."""
    places: Vectors
    """(N, D) of the training images along the basis, in units of ``scale``."""
    image_ids: tuple[str, ...]
    """(N,); one that is known in several ways, such as between white margins, stands there several times."""
    unit: float = 1.0
    """What counts as a distance of 1: that of the middle one of the validation images."""
    threshold: float = float("inf")
    """The largest distance of an image that the model knows."""
    validation: tuple[int, int] = (0, 0)
    """Validation images that the threshold was chosen on, and how many of them it refuses."""
    sha256: tuple[str, ...] = ()
    """(N,) of each one's file, "" where that is not known; empty where no file was recorded, as in older folders."""

    def distance(self, features: Vectors) -> float:
        """How far an image with these features (F,) is from what the model has seen: 1 for the usual radiograph."""
        return float(self.distances(features[None])[0])

    def distances(self, features: Vectors) -> NDArray[np.float64]:
        """The same for many images: (M, F) -> (M,)."""
        places, rest = self._place(features)
        near = np.array([self._near(place) for place in places], np.float64)
        both: NDArray[np.float64] = np.sqrt(rest) ** REST * np.sqrt(near) ** (1 - REST)
        return both / self.unit

    def knows(self, features: Vectors) -> bool:
        """Whether an image with these features (F,) is near enough; one whose features are no numbers never is."""
        return self.distance(features) <= self.threshold

    def nearest(self, features: Vectors, k: int = 5) -> list[tuple[str, float]]:
        """The ``k`` training images most like it, the best first, each with its likeness: a cosine, -1 to 1."""
        place = self._place(features[None])[0][0]  # (D,)
        length = np.linalg.norm(self.places, axis=1) * np.linalg.norm(place)
        likeness = self.places @ place / np.maximum(length, np.finfo(np.float32).tiny)
        best: dict[str, float] = {}
        for row in np.argsort(-likeness, kind="stable"):
            best.setdefault(self.image_ids[row], float(likeness[row]))
            if len(best) == k:
                break
        return list(best.items())

    def trained_on(self, image_ids: Sequence[str], sha256: Sequence[str]) -> NDArray[np.bool_]:
        """Which of these images the model was trained on: by their files, or by name where no file was recorded."""
        if self.sha256:
            files = set(self.sha256) - {""}
            return np.array([each in files for each in sha256], np.bool_)
        names = set(self.image_ids)
        return np.array([each in names for each in image_ids], np.bool_)

    def describe(self) -> dict[str, Any]:
        """What the card says of it."""
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
            "image_ids": np.frombuffer("\0".join(self.image_ids).encode(), np.uint8),
            "threshold": np.array(self.threshold, np.float64),
            "unit": np.array(self.unit, np.float64),
            "counts": np.array(self.validation, np.int64),
        }
        if self.sha256:
            digests = bytes.fromhex("".join(each or UNKNOWN for each in self.sha256))
            values["sha256"] = np.frombuffer(digests, np.uint8).reshape(-1, DIGEST)
        atomic_write(path, lambda part: np.savez_compressed(part, allow_pickle=False, **values))

    def _place(self, features: Vectors) -> tuple[Vectors, Vectors]:
        """Where images are along the basis (M, D), in units of ``scale``, and the squares of what it leaves (M,)."""
        if features.shape[1:] != self.mean.shape:
            raise ModelError(
                f"The file {FILE} is of another model: it knows {len(self.mean)} features an image. "
                f"Received: {features.shape[-1]}"
            )
        centred: Vectors = prepare(features) - self.mean
        along: Vectors = centred @ self.basis  # (M, D)
        rest: Vectors = np.square(centred - along @ self.basis.T).sum(axis=1)
        return along / self.scale, rest

    def _near(self, place: Vectors) -> float:
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


def load_familiarity(path: Path) -> Familiarity:
    """What :meth:`Familiarity.save` wrote.

    Raises:
        ModelError: the file is missing, damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {path.parent.name}/{path.name}: this model cannot tell what it knows."
        ) from error
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, "it cannot be read") from error
    return _checked(values, path)


def _checked(values: dict[str, NDArray[Any]], path: Path) -> Familiarity:
    if missing := sorted(_KEYS - set(values)):
        raise _damaged(path, f"it lacks {', '.join(missing)}")
    if values["method"].tobytes() != METHOD.encode():
        raise _damaged(path, "it is of another version")
    numbers = {name: values[name] for name in (*_FLAT, "basis", "places")}
    if not all(each.dtype.kind in "fi" and np.isfinite(each).all() for each in numbers.values()):
        raise _damaged(path, "it holds something that is no number")
    try:
        image_ids = tuple(values["image_ids"].tobytes().decode().split("\0"))
    except UnicodeDecodeError as error:
        raise _damaged(path, "its image names are no text") from error
    features, dimensions = values["basis"].shape if values["basis"].ndim == 2 else (0, 0)
    shapes = {
        "mean": (features,),
        "scale": (dimensions,),
        "places": (len(image_ids), dimensions),
        "threshold": (),
        "unit": (),
        "counts": (2,),
        **({"sha256": (len(image_ids), DIGEST)} if "sha256" in values else {}),
    }
    if wrong := sorted(name for name, shape in shapes.items() if values[name].shape != shape):
        raise _damaged(path, f"the shapes of {', '.join(wrong)} do not fit")
    if "sha256" in values and values["sha256"].dtype != np.uint8:
        raise _damaged(path, "its digests of files are no bytes")
    if not dimensions or min(values["scale"].min(), values["unit"]) <= 0:
        raise _damaged(path, "its scales must be above 0")
    return Familiarity(
        **{name: values[name].astype(np.float32) for name in ("mean", "basis", "scale", "places")},
        image_ids=image_ids,
        unit=float(values["unit"]),
        threshold=float(values["threshold"]),
        validation=(int(values["counts"][0]), int(values["counts"][1])),
        sha256=_texts(values["sha256"]) if "sha256" in values else (),
    )


def _texts(digests: NDArray[Any]) -> tuple[str, ...]:
    """Digests (N, 32) in hexadecimal; "" for those that are not known."""
    return tuple("" if (text := row.tobytes().hex()) == UNKNOWN else text for row in digests)


def _damaged(path: Path, how: str) -> ModelError:
    return ModelError(f"{path.parent.name}/{path.name} is damaged: {how}. Train the model again, or delete that file.")
