"""Fit the radiograph check: radiographs and other pictures, described -> a :class:`RadiographCheck`."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.inference.ood import Vectors, prepare
from fracture.inference.radiograph_check import RadiographCheck, TextureMachine, standardize

INVERSE_REGULARIZATION = 0.003
"""C of scikit-learn's logistic regression, on standardized embeddings."""

TEXTURE_REGULARIZATION = 10.0
"""C of scikit-learn's SVC, on standardized textures."""

GAMMA = 0.6
"""Of the SVC's kernel, for the mean squared difference of the measures."""

THRESHOLD = -0.15
"""The smallest score of a radiograph. Below zero: a radiograph that is refused here gets no answer at all, but a
picture that passes still has to pass the out-of-distribution check."""

TEXTURE_WEIGHT = 2.0
"""Of the decision of the SVC beside the logit of the regression; the machine's weights and bias contain it."""

MAX_ITERATIONS = 5000


class Pictures(NamedTuple):
    """Pictures, described: N of them, F values of an embedding, T of a texture."""

    embeddings: Vectors
    """(N, F), as the served graph gives them."""
    textures: Vectors
    """(N, T), as :func:`fracture.imaging.texture.measure_texture` gives them."""
    colors: Vectors
    """(N,), as :func:`fracture.imaging.codecs.color.measure_color` gives them; scores depend on them, the fit doesn't.
    """

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Those of a mask (N,)."""
        return type(self)(self.embeddings[chosen], self.textures[chosen], self.colors[chosen])

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.embeddings)


def fit_radiograph_check(
    radiographs: Pictures, others: Pictures, *, source: str = "", threshold: float = THRESHOLD
) -> RadiographCheck:
    """Both machines, each between the two kinds, each of which weighs the same however many there are.

    Args:
        radiographs: of any body part and source.
        others: pictures that are no radiographs.
        source: the command that does it, and with what, in words.
        threshold: the smallest score of a picture that is called a radiograph.

    Raises:
        DatasetError: there are fewer than two of either kind.
    """
    if min(radiographs.number, others.number) < 2:
        raise DatasetError(
            "The radiograph check needs at least 2 radiographs and 2 other pictures. "
            f"Received: {radiographs.number} and {others.number}."
        )
    labels = np.repeat([1, 0], [radiographs.number, others.number])
    weights, bias = _fit_embeddings(np.concatenate([radiographs.embeddings, others.embeddings]), labels)
    return RadiographCheck(
        weights=weights,
        bias=bias,
        texture=_fit_textures(np.concatenate([radiographs.textures, others.textures]), labels),
        threshold=threshold,
        counts=(radiographs.number, others.number),
        source=source,
    )


def _fit_embeddings(embeddings: Vectors, labels: NDArray[np.int64]) -> tuple[Vectors, float]:
    """Weights (F,) and bias of the logistic regression on prepared embeddings."""
    from sklearn.linear_model import LogisticRegression

    prepared = prepare(embeddings).astype(np.float64)
    mean = prepared.mean(axis=0)
    scale = _scale(prepared)
    model = LogisticRegression(C=INVERSE_REGULARIZATION, class_weight="balanced", max_iter=MAX_ITERATIONS)
    model.fit((prepared - mean) / scale, labels)
    weights = model.coef_[0] / scale
    return weights.astype(np.float32), float(model.intercept_[0] - weights @ mean)


def _fit_textures(textures: Vectors, labels: NDArray[np.int64]) -> TextureMachine:
    """The machine, its decisions weighted."""
    from sklearn.svm import SVC

    mean = textures.mean(axis=0)
    scale = _scale(textures)
    places = standardize(textures, mean, scale)
    model = SVC(C=TEXTURE_REGULARIZATION, gamma=GAMMA / places.shape[1], class_weight="balanced")
    model.fit(places, labels)
    return TextureMachine(
        mean=mean,
        scale=scale,
        vectors=model.support_vectors_.astype(np.float32),
        weights=(TEXTURE_WEIGHT * model.dual_coef_[0]).astype(np.float32),
        bias=TEXTURE_WEIGHT * float(model.intercept_[0]),
        gamma=GAMMA,
    )


def _scale(values: NDArray[Any]) -> NDArray[Any]:
    """Standard deviations of columns, none of them 0: a value that is the same in all pictures tells nothing."""
    scale: NDArray[Any] = np.maximum(values.std(axis=0), np.finfo(np.float32).eps)
    return scale


def left_out_scores(
    radiographs: Pictures, others: Pictures, radiograph_groups: Sequence[str], other_groups: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of each group by a check that was fitted without it: (N,) of radiographs, (M,) of others.

    Args:
        radiographs: N of them.
        others: M pictures that are no radiographs.
        radiograph_groups: (N,) of body parts or sources.
        other_groups: (M,) of sources.
    """
    of_radiographs = np.asarray(radiograph_groups)
    of_others = np.asarray(other_groups)
    first = np.empty(radiographs.number)
    second = np.empty(others.number)
    for group in np.unique(of_radiographs):
        out = of_radiographs == group
        check = fit_radiograph_check(radiographs.where(~out), others)
        first[out] = check.scores(*radiographs.where(out))
    for group in np.unique(of_others):
        out = of_others == group
        check = fit_radiograph_check(radiographs, others.where(~out))
        second[out] = check.scores(*others.where(out))
    return first, second
