"""Whether a picture is a radiograph at all: of any body part, from any source, whatever a model was trained on.

Apart from :mod:`fracture.inference.ood`, which tells whether a radiograph is like a model's training images. A chest
film is a radiograph that a model of hands doesn't know; a photograph is none, and gets no answer from any model.

The check adds what two machines say: logistic regression on the embedding that the bundled model's served graph gives
anyway, and a support-vector machine with a Gaussian kernel (Cortes and Vapnik, "Support-Vector Networks", Machine
Learning 20, 1995) on the texture::

    embedding (F,) ── root, half normalized ──> (F,) ── weights, bias ──> logit ──────────┐
    pixels (H, W) ─── measure_texture ──> (T,) ── standardized ── kernel, bias ──> decision ──┼─> score
    colors of the file ── measure_color ──> share ── times COLOR_COST ────────────────────────┘ (taken off)

The embedding knows bones, the texture knows drawings, photographs and noise, and each catches what the other misses.
Color counts against a picture, but does not decide: a radiograph may have colored arrows.
:mod:`fracture.evaluation.radiograph_check_fit` fits it; it is stored in one file beside that model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fracture.errors import ModelError
from fracture.files import JsonObject, atomic_write, read_arrays
from fracture.imaging.radiograph import Radiograph
from fracture.imaging.texture import MEASURES, measure_texture
from fracture.inference.classifier import Classifier, FirstPass
from fracture.inference.ood import Vectors, prepare
from fracture.inference.prediction import View
from fracture.registry.model_folder import ModelFolder, shipped_models

Seen = TypeVar("Seen", bound=View | FirstPass)
"""What a model says about an image, or its first pass over it."""

METHOD = "logistic regression on embeddings + support-vector machine on textures"
"""What is computed. A file of another method is refused."""

FARTHEST = 6.0
"""In standard deviations: a measure of the texture that is farther from the mean counts as this far."""

COLOR_COST = 25.0
"""What the share of color of :attr:`fracture.imaging.radiograph.Radiograph.color` takes off the score, as a factor.

Colored arrows and circles on a radiograph have a share of 0.057 (median of 60 drawn ones), which costs 1.4: most
radiographs score far above that, and most photographs in color have a far larger share."""

_NUMBERS = ("weights", "bias", "mean", "scale", "vectors", "vector_weights", "vector_bias", "gamma", "threshold")
_KEYS = {"method", "counts", "source", *_NUMBERS}


@dataclass(frozen=True)
class TextureMachine:
    """The support-vector machine on textures. T: measures of a texture, S: support vectors."""

    mean: Vectors
    """(T,), over the pictures of the fit."""
    scale: Vectors
    """(T,), above 0: their standard deviations."""
    vectors: Vectors
    """(S, T), standardized textures of pictures of both kinds."""
    weights: Vectors
    """(S,), above 0 for radiographs; they contain the weight of the texture beside the embedding."""
    bias: float
    gamma: float
    """Of the kernel ``exp(-gamma * distance ** 2 / T)``."""

    def decisions(self, textures: Vectors) -> NDArray[np.float64]:
        """Decision values, above 0 on the side of radiographs: (M, T) -> (M,)."""
        places = standardize(textures, self.mean, self.scale)
        squared = np.array([np.square(self.vectors - place).mean(axis=1) for place in places], np.float64)  # (M, S)
        values: NDArray[np.float64] = np.exp(-self.gamma * squared) @ self.weights.astype(np.float64) + self.bias
        return values


@dataclass(frozen=True)
class RadiographCheck:
    """Tells radiographs from other pictures by their embeddings and textures. F: values of an embedding."""

    weights: Vectors
    """(F,), of the prepared embedding."""
    bias: float
    texture: TextureMachine
    threshold: float
    """The smallest score of a picture that is called a radiograph."""
    counts: tuple[int, int] = (0, 0)
    """Radiographs and other pictures that it was fitted to."""
    source: str = ""
    """The command that fitted it, and to what, in words."""

    def scores(self, embeddings: Vectors, textures: Vectors, colors: Vectors | float = 0.0) -> NDArray[np.float64]:
        """How much like radiographs pictures are, of any sign: embeddings (M, F) and textures (M, T) -> (M,).

        ``colors``: (M,), the shares of color; 0 for pictures without any.

        Raises:
            ModelError: the embeddings are of another graph.
        """
        if embeddings.shape[1:] != self.weights.shape:
            raise ModelError(
                f"The radiograph check needs embeddings of {len(self.weights)} values. "
                f"Received: {embeddings.shape[-1]}; use those of the model that it lies beside."
            )
        logits: NDArray[np.float64] = prepare(embeddings).astype(np.float64) @ self.weights + self.bias
        scores: NDArray[np.float64] = logits + self.texture.decisions(textures) - COLOR_COST * colors
        return scores

    def score(self, embedding: Vectors, image: Radiograph) -> float:
        """The same for one picture with its embedding (F,); NaN stays NaN."""
        return float(self.scores(embedding[None], measure_texture(image.pixels)[None], image.color)[0])

    def is_radiograph(self, embedding: Vectors, image: Radiograph) -> bool:
        """Whether the picture with this embedding (F,) is a radiograph; with NaN among its values never."""
        return self.score(embedding, image) >= self.threshold

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
        """Write it to one file, whole or not at all: about 0.3 MB."""
        texture = self.texture
        values: dict[str, NDArray[Any]] = {
            "method": np.frombuffer(METHOD.encode(), np.uint8),
            "weights": self.weights.astype(np.float32),
            "bias": np.array(self.bias, np.float64),
            "mean": texture.mean.astype(np.float32),
            "scale": texture.scale.astype(np.float32),
            "vectors": texture.vectors.astype(np.float16),
            "vector_weights": texture.weights.astype(np.float32),
            "vector_bias": np.array(texture.bias, np.float64),
            "gamma": np.array(texture.gamma, np.float64),
            "threshold": np.array(self.threshold, np.float64),
            "counts": np.array(self.counts, np.int64),
            "source": np.frombuffer(self.source.encode(), np.uint8),
        }
        atomic_write(path, lambda part: np.savez_compressed(part, allow_pickle=False, **values))


def standardize(textures: Vectors, mean: Vectors, scale: Vectors) -> Vectors:
    """Textures (M, T) in standard deviations from the mean, at most :data:`FARTHEST` of them."""
    places: Vectors = np.clip((textures - mean) / scale, -FARTHEST, FARTHEST)
    return places


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
        texture=_texture_machine(values),
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
    if not all(values[name].dtype.kind == "f" and np.isfinite(values[name]).all() for name in _NUMBERS):
        return "it holds something that is no number"
    wrong = _wrong_shapes(values)
    if wrong:
        return f"the shapes of {', '.join(wrong)} do not fit"
    if values["scale"].min() <= 0:
        return "its scales must be above 0"
    return None


def _wrong_shapes(values: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names of the arrays whose shapes do not fit together, or not to the textures of this version."""
    weights = values["vector_weights"]
    shapes: dict[str, tuple[int, ...]] = {
        "weights": (values["weights"].size,),
        "mean": (MEASURES,),
        "scale": (MEASURES,),
        "vectors": (weights.size, MEASURES),
        "vector_weights": (weights.size,),
        "counts": (2,),
    }
    return [name for name in (*_NUMBERS, "counts") if values[name].shape != shapes.get(name, ())]


def _texture_machine(values: Mapping[str, NDArray[Any]]) -> TextureMachine:
    return TextureMachine(
        mean=values["mean"].astype(np.float32),
        scale=values["scale"].astype(np.float32),
        vectors=values["vectors"].astype(np.float32),
        weights=values["vector_weights"].astype(np.float32),
        bias=float(values["vector_bias"]),
        gamma=float(values["gamma"]),
    )


def _damaged(path: Path, how: str) -> ModelError:
    return ModelError(f"{path.parent.name}/{path.name} is damaged: {how}. Get the project's copy of that file again.")


@dataclass(frozen=True)
class RadiographScreen:
    """The check with the model whose graph it needs, whichever model answers."""

    model: Classifier
    check: RadiographCheck

    def mark(self, views: Mapping[str, Seen], image: Radiograph) -> dict[str, Seen]:
        """What models say about one image, by their names, marked with whether it is a radiograph.

        Takes one more pass of a graph where the screen's own model is not among them.
        """
        own = views.get(self.model.name)
        embedding = self.model.embedding(image) if own is None else own.embedding
        return self.mark_by(self.check.is_radiograph(embedding, image), views)

    def mark_by(self, radiograph: bool, views: Mapping[str, Seen]) -> dict[str, Seen]:
        """The same, where it is known whether the image is a radiograph."""
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
