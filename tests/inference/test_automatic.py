"""Which of several models answers for a study."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from fracture.inference.automatic import Match, choose_models, match_model, rank_matches
from fracture.inference.domain import Domain

VIEWS = [SimpleNamespace(embedding=np.zeros(3, np.float32), radiograph=None)] * 2


@dataclass(frozen=True)
class Detector:
    """Says the same of any image."""

    distance: float
    threshold: float = 2.0

    def distances(self, features):
        return np.full(len(features), self.distance)


@dataclass(frozen=True)
class Head:
    value: Domain

    def domain(self, detector, embeddings):
        return self.value


@dataclass(frozen=True)
class Model:
    name: str
    ood_detector: Detector | None
    domain_head: Head | None = None


def matched(models) -> list[Match]:
    """How well each model knows two views, the best match first."""
    return rank_matches([match_model(model, VIEWS) for model in models])


def names(matches) -> list[str]:
    return [match.model.name for match in matches]


def test_rank_matches_orders_by_the_share_of_the_own_threshold():
    """A distance counts as a share of its model's threshold; a model that can't tell comes last."""
    models = [
        Model("far", Detector(3)),
        Model("blind", None),
        Model("near", Detector(3, threshold=6)),
    ]
    matches = matched(models)
    assert names(matches) == ["near", "far", "blind"]
    assert [match.closeness for match in matches] == [0.5, 1.5, float("inf")]
    assert [match.known for match in matches] == [True, False, False]


def test_rank_matches_puts_a_model_of_another_domain_behind():
    """However close the image is: closeness does not tell body parts apart."""
    models = [Model("humerus", Detector(1), Head(Domain.FOREIGN)), Model("hand", Detector(1.8))]
    assert names(matched(models)) == ["hand", "humerus"]


@pytest.mark.parametrize(
    ("domain", "answering"),
    [
        (Domain.OWN, ["humerus"]),
        (Domain.DOUBTFUL, ["humerus", "hand"]),
        (Domain.FOREIGN, ["hand"]),
        (None, ["humerus"]),
    ],
)
def test_choose_models_lets_both_answer_where_the_signals_disagree(domain, answering):
    """Closest and of its domain: one answers. Closest, but doubtful: both. Of another domain: the other one."""
    models = [Model("humerus", Detector(1.0), None if domain is None else Head(domain)), Model("hand", Detector(1.8))]
    assert names(choose_models(matched(models))) == answering


@pytest.mark.parametrize(("distance", "answering"), [(1.1, ["near", "far"]), (1.5, ["near"])])
def test_choose_models_lets_both_answer_where_they_are_equally_close(distance, answering):
    """A few percent do not decide."""
    models = [Model("near", Detector(1.0)), Model("far", Detector(distance))]
    assert names(choose_models(matched(models))) == answering


def test_choose_models_leaves_out_a_second_model_that_does_not_know_the_image():
    """However doubtful the first one is."""
    matches = [Match(Model("a", None), 0.9, Domain.DOUBTFUL), Match(Model("b", None), 1.01, None)]
    assert names(choose_models(matches)) == ["a"]


def test_choose_models_of_an_image_that_no_model_knows_is_the_closest():
    """It says that the image is unlike its training images."""
    matches = [Match(Model("a", None), 1.2, Domain.DOUBTFUL), Match(Model("b", None), 3.0, None)]
    assert names(choose_models(matches)) == ["a"]
