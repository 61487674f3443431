"""Fit a domain head: a model's own training images against radiographs of other body parts and sources."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.errors import DatasetError
from fracture.inference.domain import DomainHead
from fracture.inference.ood import OodDetector, Vectors

PENALTY = 1.0
"""scikit-learn's ``C``. Three times as much was hardly better on FracAtlas and MURA, and kept more vectors."""

FOLDS = 5

DOUBTED = 0.01
"""The share of a model's own images that may be called doubtful or foreign."""

DISOWNED = 0.001
"""The share of a model's own images that may be called foreign. Low: they are then answered by another model alone."""


class HeldOut(NamedTuple):
    """Decision values by machines that have not seen an image's group."""

    own: NDArray[np.float64]
    """(N,), of the model's own images."""
    others: NDArray[np.float64]
    """(M,), of the others."""


def fit_domain_head(
    detector: OodDetector, own_groups: Sequence[str], others: Vectors, other_groups: Sequence[str]
) -> tuple[DomainHead, HeldOut]:
    """The domain head of a model, and what heads that had not seen them say of the same images, to measure it.

    The two limits are quantiles of the held-out decision values of the model's own images.

    Args:
        detector: of the model; it holds the places of its own training images (N, D).
        own_groups: (N,), of each of these, for example the patient.
        others: (M, F), embeddings of radiographs of other body parts, by the same model.
        other_groups: (M,).

    Raises:
        DatasetError: there are too few groups to hold any out.
    """
    if min(len(set(own_groups)), len(set(other_groups))) < FOLDS:
        raise DatasetError(
            f"A domain head needs at least {FOLDS} patients or groups on either side. "
            f"Received: {len(set(own_groups))} and {len(set(other_groups))}."
        )
    own = detector.places
    away = detector.places_of(others)
    held_out = _hold_out(own, own_groups, away, other_groups)
    head = _fit(own, away)
    limits = np.quantile(held_out.own, [DOUBTED, DISOWNED])
    found = DomainHead(
        vectors=head.vectors,
        weights=head.weights,
        bias=head.bias,
        gamma=head.gamma,
        own_from=float(limits[0]),
        foreign_below=float(limits[1]),
        counts=(len(set(detector.image_ids)), len(others)),
    )
    return found, held_out


def _hold_out(own: Vectors, own_groups: Sequence[str], away: Vectors, away_groups: Sequence[str]) -> HeldOut:
    from sklearn.model_selection import GroupKFold

    folds = GroupKFold(FOLDS)
    own_value = np.empty(len(own), np.float64)
    away_value = np.empty(len(away), np.float64)
    # Each side is cut by itself, so that every fold has images of both.
    for own_cut, away_cut in zip(
        folds.split(own, groups=own_groups), folds.split(away, groups=away_groups), strict=True
    ):
        head = _fit(own[own_cut[0]], away[away_cut[0]])
        own_value[own_cut[1]] = head.decisions(own[own_cut[1]])
        away_value[away_cut[1]] = head.decisions(away[away_cut[1]])
    return HeldOut(own_value, away_value)


def _fit(own: Vectors, away: Vectors) -> DomainHead:
    """A machine without limits, its vectors rounded as they will be stored."""
    from sklearn.svm import SVC

    places = np.concatenate([own, away]).astype(np.float16).astype(np.float32)
    label = np.arange(len(places)) < len(own)
    # The places have a variance of about 1 along each of the D dimensions, so that squared distances are about 2 D.
    gamma = 0.5 / places.shape[1]
    machine = SVC(C=PENALTY, gamma=gamma).fit(places, label)
    vectors = machine.support_vectors_.astype(np.float32)
    weights = machine.dual_coef_[0].astype(np.float32)
    return DomainHead(vectors, weights, float(machine.intercept_[0]), gamma, 0.0, 0.0, (len(own), len(away)))
