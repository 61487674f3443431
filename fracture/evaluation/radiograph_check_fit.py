"""Fit the radiograph check: embeddings of radiographs and of other pictures -> a :class:`RadiographCheck`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.inference.ood import Vectors, prepare
from fracture.inference.radiograph_check import RadiographCheck

INVERSE_REGULARIZATION = 0.003
"""C of scikit-learn's logistic regression, on standardized embeddings."""

THRESHOLD = 0.4
"""The smallest probability of a radiograph. Below one half: a radiograph that is refused here gets no answer at all,
but a picture that passes still has to pass the out-of-distribution check."""

MAX_ITERATIONS = 5000


def fit_radiograph_check(
    radiographs: Vectors, others: Vectors, *, source: str = "", threshold: float = THRESHOLD
) -> RadiographCheck:
    """Logistic regression between the two, each of which weighs the same however many there are.

    Args:
        radiographs: (N, F) embeddings, as the served graph gives them.
        others: (M, F) of pictures that are no radiographs.
        source: the command that does it, and with what, in words.
        threshold: the smallest probability of a picture that is called a radiograph.

    Raises:
        DatasetError: there are fewer than two of either kind.
    """
    if min(len(radiographs), len(others)) < 2:
        raise DatasetError(
            "The radiograph check needs at least 2 radiographs and 2 other pictures. "
            f"Received: {len(radiographs)} and {len(others)}."
        )
    from sklearn.linear_model import LogisticRegression

    embeddings = prepare(np.concatenate([radiographs, others])).astype(np.float64)
    labels = np.repeat([1, 0], [len(radiographs), len(others)])
    mean = embeddings.mean(axis=0)
    # A value that is the same in all pictures tells nothing, and must not be divided by zero.
    scale = np.maximum(embeddings.std(axis=0), np.finfo(np.float32).eps)
    model = LogisticRegression(C=INVERSE_REGULARIZATION, class_weight="balanced", max_iter=MAX_ITERATIONS)
    model.fit((embeddings - mean) / scale, labels)
    weights = model.coef_[0] / scale
    return RadiographCheck(
        weights=weights.astype(np.float32),
        bias=float(model.intercept_[0] - weights @ mean),
        threshold=threshold,
        counts=(len(radiographs), len(others)),
        source=source,
    )


def left_out_probabilities(
    radiographs: Vectors, others: Vectors, radiograph_groups: Sequence[str], other_groups: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities of each group by a check that was fitted without it: (N,) of radiographs, (M,) of others.

    Args:
        radiographs: (N, F) embeddings.
        others: (M, F) embeddings.
        radiograph_groups: (N,) of body parts or sources.
        other_groups: (M,) of sources.
    """
    of_radiographs = np.asarray(radiograph_groups)
    of_others = np.asarray(other_groups)
    first = np.empty(len(radiographs))
    second = np.empty(len(others))
    for group in np.unique(of_radiographs):
        out = of_radiographs == group
        first[out] = fit_radiograph_check(radiographs[~out], others).probabilities(radiographs[out])
    for group in np.unique(of_others):
        out = of_others == group
        second[out] = fit_radiograph_check(radiographs, others[~out]).probabilities(others[out])
    return first, second
