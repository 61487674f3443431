"""Whether a picture is a radiograph at all: of any body part, from any source, whatever a model was trained on.

Apart from :mod:`fracture.inference.ood`, which tells whether a radiograph is like a model's training images. A chest
film is a radiograph that a model of hands doesn't know; a photograph is none, and gets no answer from any model.

The check is logistic regression on the embedding that the bundled model's served graph gives anyway::

    embedding (F,) ── root, half normalized ──> (F,) ── weights, bias ──> logit ──> probability of a radiograph

:mod:`fracture.evaluation.radiograph_check_fit` fits it; it is stored in one file beside that model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fracture.errors import ModelError
from fracture.files import JsonObject, atomic_write, read_arrays
from fracture.imaging.radiograph import Radiograph
from fracture.inference.classifier import Classifier
from fracture.inference.ood import Vectors, prepare
from fracture.inference.prediction import View
from fracture.registry.model_folder import ModelFolder, shipped_models

METHOD = "logistic regression on square-rooted, half normalized embeddings"
"""What is computed. A file of another method is refused."""

_KEYS = {"method", "weights", "bias", "threshold", "counts", "source"}


@dataclass(frozen=True)
class RadiographCheck:
    """Tells radiographs from other pictures by their embeddings. F: values of an embedding."""

    weights: Vectors
    """(F,), of the prepared embedding."""
    bias: float
    threshold: float
    """The smallest probability of a picture that is called a radiograph, 0 to 1."""
    counts: tuple[int, int] = (0, 0)
    """Radiographs and other pictures that it was fitted to."""
    source: str = ""
    """The command that fitted it, and to what, in words."""

    def probability(self, embedding: Vectors) -> float:
        """The probability, 0 to 1, that the picture with this embedding (F,) is a radiograph; NaN stays NaN."""
        return float(self.probabilities(embedding[None])[0])

    def probabilities(self, embeddings: Vectors) -> NDArray[np.float64]:
        """The same for many pictures: (M, F) -> (M,).

        Raises:
            ModelError: the embeddings are of another graph.
        """
        if embeddings.shape[1:] != self.weights.shape:
            raise ModelError(
                f"The radiograph check needs embeddings of {len(self.weights)} values. "
                f"Received: {embeddings.shape[-1]}; use those of the model that it lies beside."
            )
        probabilities: NDArray[np.float64] = expit(prepare(embeddings).astype(np.float64) @ self.weights + self.bias)
        return probabilities

    def is_radiograph(self, embedding: Vectors) -> bool:
        """Whether the picture with this embedding (F,) is a radiograph; with NaN among its values it never is."""
        return self.probability(embedding) >= self.threshold

    def describe(self) -> JsonObject:
        """What it is and what it was fitted to, for people."""
        radiographs, others = self.counts
        return {
            "method": METHOD,
            "threshold": self.threshold,
            "radiographs": radiographs,
            "other_pictures": others,
            "source": self.source,
        }

    def save(self, path: Path) -> None:
        """Write it to one file, whole or not at all: 6 KB for 1,280 values."""
        values: dict[str, NDArray[Any]] = {
            "method": np.frombuffer(METHOD.encode(), np.uint8),
            "weights": self.weights.astype(np.float32),
            "bias": np.array(self.bias, np.float64),
            "threshold": np.array(self.threshold, np.float64),
            "counts": np.array(self.counts, np.int64),
            "source": np.frombuffer(self.source.encode(), np.uint8),
        }
        atomic_write(path, lambda part: np.savez_compressed(part, allow_pickle=False, **values))


def load_radiograph_check(path: Path) -> RadiographCheck:
    """Read what :meth:`RadiographCheck.save` wrote.

    Raises:
        ModelError: the file is missing, damaged, or of another version.
    """
    try:
        values = read_arrays(path)
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {path.parent.name}/{path.name}: whether a picture is a radiograph can't be told."
        ) from error
    except ValueError as error:
        raise _damaged(path, "it cannot be read") from error
    problem = _problem(values)
    if problem:
        raise _damaged(path, problem)
    radiographs, others = values["counts"]
    return RadiographCheck(
        weights=values["weights"].astype(np.float32),
        bias=float(values["bias"]),
        threshold=float(values["threshold"]),
        counts=(int(radiographs), int(others)),
        source=values["source"].tobytes().decode(errors="replace"),
    )


def _problem(values: Mapping[str, NDArray[Any]]) -> str | None:
    """Why the arrays of a file are no check of this version; None where they are one."""
    missing = sorted(_KEYS - set(values))
    if missing:
        return f"it lacks {', '.join(missing)}"
    if values["method"].tobytes() != METHOD.encode():
        return "it is of another version"
    shapes = (values["weights"].ndim, values["bias"].shape, values["threshold"].shape, values["counts"].shape)
    if shapes != (1, (), (), (2,)):
        return "the shapes of its arrays do not fit"
    numbers = (values["weights"], values["bias"], values["threshold"])
    if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in numbers):
        return "it holds something that is no number"
    return None


def _damaged(path: Path, how: str) -> ModelError:
    return ModelError(f"{path.parent.name}/{path.name} is damaged: {how}. Get the project's copy of that file again.")


@dataclass(frozen=True)
class RadiographScreen:
    """The check with the model whose graph it needs, whichever model answers."""

    model: Classifier
    check: RadiographCheck

    def mark(self, views: Mapping[str, View], image: Radiograph) -> dict[str, View]:
        """The views of one image, by the name of the model that has seen it, marked with whether it is a radiograph.

        Takes one more pass of a graph where the screen's own model is not among them.
        """
        own = views.get(self.model.name)
        embedding = self.model.embedding(image) if own is None else own.embedding
        return self.mark_by(embedding, views)

    def mark_by(self, embedding: Vectors, views: Mapping[str, View]) -> dict[str, View]:
        """The same, by the embedding (F,) that the screen's own model gives for the image."""
        radiograph = self.check.is_radiograph(embedding)
        return {name: replace(view, radiograph=radiograph) for name, view in views.items()}


def load_screen(
    models: Sequence[Classifier], load: Callable[[ModelFolder], Classifier] = Classifier
) -> RadiographScreen | None:
    """The screen for what these models are asked; None in a deployment without the project's model or its check.

    ``load`` loads the project's model where it is not among them.

    Raises:
        ModelError: the check or its model is damaged.
    """
    for folder in shipped_models():
        if folder.radiograph_check.exists():
            own = [model for model in models if model.name == folder.name]
            return RadiographScreen(own[0] if own else load(folder), load_radiograph_check(folder.radiograph_check))
    return None
