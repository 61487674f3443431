"""The right model for a picture: of several models, the one that knows it best.

Two signals are asked. How close the picture is to a model's training images, as a share of that model's own threshold;
and, where a model has one, its domain head (:mod:`fracture.inference.domain`), which tells body parts apart. Where the
two disagree, or where two models are about equally close, both answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fracture.inference.classifier import Classifier, FirstPass
from fracture.inference.domain import Domain
from fracture.inference.prediction import View

EQUALLY_CLOSE = 0.85
"""Two models are about equally close where the smaller closeness is at least this share of the larger one. With it,
``benchmarks.automatic`` counts 2 of FracAtlas's 653 validation images that the humerus model answers alone, and 61 that
both answer; without it 7 and 27, and pydicom's lower leg is answered by the humerus model alone."""


MAX_ALSO_ASKED = 2
"""Models that a person may add to those that come with the project: each costs an answer of its own."""


@dataclass(frozen=True)
class Match:
    """How well one model knows a study."""

    model: Classifier
    closeness: float
    """Distance from the training images as a share of the model's threshold, the mean over the views: at most 1 where
    they are in distribution. Infinite for a model that can't tell."""
    domain: Domain | None
    """Whether the study is of the model's own domain; None for a model that can't tell."""
    radiograph: bool = True
    """Whether any view is a radiograph, as far as that was checked."""

    @property
    def known(self) -> bool:
        """Whether the study is in distribution."""
        return self.radiograph and self.closeness <= 1


def match_model(model: Classifier, views: Sequence[View | FirstPass]) -> Match:
    """How well a model knows a study, by its own answers for the views, or by their first passes."""
    detector = model.ood_detector
    radiograph = any(view.radiograph is not False for view in views)
    if detector is None:
        return Match(model, float("inf"), None, radiograph)
    # What is no radiograph does not count for the answer either.
    counted = [view for view in views if view.radiograph is not False] or views
    embeddings = np.stack([view.embedding for view in counted])
    distances = detector.distances(embeddings) / detector.threshold
    head = model.domain_head
    domain = None if head is None else head.domain(detector, embeddings)
    return Match(model, float(distances.mean()), domain, radiograph)


def rank_matches(matches: Sequence[Match]) -> list[Match]:
    """The best match first."""
    # A model that says itself that the study is of another domain comes last, however close the study is.
    return sorted(matches, key=lambda match: (match.domain is Domain.FOREIGN, match.closeness))


def choose_models(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The one model that answers; two, the better match first, where it can't be told which of them knows it better.

    ``matches``: of one study, at least one, in any order.
    """
    best, *rest = rank_matches(matches)
    others = [match for match in rest if match.known and match.domain is not Domain.FOREIGN]
    if not best.known or not others:
        return (best,)
    second = others[0]
    nearer, farther = sorted((best.closeness, second.closeness))
    if best.domain is Domain.DOUBTFUL or nearer >= EQUALLY_CLOSE * farther:
        return (best, second)
    return (best,)
