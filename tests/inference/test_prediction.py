"""Three outcomes, and what does not look like an X-ray that the model knows."""

import numpy as np
import pytest

from fracture.imaging.radiograph import Frame
from fracture.inference.prediction import Answer, Limits, View, offered_points, probability_of


def view(probability: float, known: bool | None = True) -> View:
    nothing = np.zeros((1, 1), np.float32)
    return View(
        "v", probability, (0.0, 0.0), (probability, probability), nothing, Frame(0, 0, 1, 1, 1), nothing[0], known
    )


def answer(*views: View, low=0.2, high=0.7) -> Answer:
    return Answer(("normal", "abnormal"), Limits(low, high), views)


@pytest.mark.parametrize(
    ("probability", "outcome", "label"),
    [
        (0.19, "negative", "normal"),
        (0.2, "doubt", "doubt"),
        (0.69, "doubt", "doubt"),
        (0.7, "positive", "abnormal"),
    ],
)
def test_between_the_limits_the_answer_is_in_doubt(probability, outcome, label):
    given = answer(view(probability))
    assert (given.outcome, given.label, given.label_of(given.views[0])) == (outcome, label, label)


def test_a_study_is_judged_by_the_mean_of_its_views():
    assert answer(view(0.9), view(0.1)).outcome == "doubt"


def test_views_that_look_strange_do_not_count():
    given = answer(view(0.9), view(0.1, known=False))
    assert given.probability == pytest.approx(0.9) and given.outcome == "positive"
    assert given.label_of(given.views[1]) == "unknown"


def test_where_no_view_is_known_there_is_no_answer():
    given = answer(view(0.9, known=False), view(0.8, known=False))
    assert not given.known and given.label == "unknown"


def test_a_model_that_cannot_tell_answers():
    assert answer(view(0.9, known=None)).label == "abnormal"


def test_limits_that_cross_leave_no_doubt():
    """A model so good that 95 % sensitivity is above 95 % specificity is asked at its balanced point."""
    crossed = {"high_sensitivity": 0.6, "high_specificity": 0.4, "balanced": 0.5}
    assert Limits.from_thresholds(crossed) == (0.5, 0.5)
    apart = {"high_sensitivity": 0.1, "high_specificity": 0.4, "balanced": 0.3}
    assert Limits.from_thresholds(apart) == (0.1, 0.4)


@pytest.mark.parametrize(
    ("sensitive", "specific", "offered"),
    [
        (0.1, 0.4, ["balanced", "high_sensitivity", "high_specificity", "half"]),
        (0.466, 0.188, ["balanced", "half"]),
        (0.4, 0.4, ["balanced", "half"]),
        (0.1, 1.0000000000000002, ["balanced", "high_sensitivity", "half"]),
    ],
)
def test_only_points_that_mean_what_they_are_called_are_offered(sensitive, specific, offered):
    """Neither of two that cross, nor one above 1, at which no image is called positive."""
    thresholds = {"balanced": 0.3, "high_sensitivity": sensitive, "high_specificity": specific, "half": 0.5}
    assert list(offered_points(thresholds)) == offered


def test_a_card_of_before_offers_the_points_that_it_has():
    assert offered_points({"half": 0.5, "balanced": 0.3}) == {"half": 0.5, "balanced": 0.3}


def test_probabilities_of_any_logit_are_numbers():
    assert probability_of(-1e9, 0.05) == pytest.approx(0) and probability_of(1e9, 0.05) == 1
    assert probability_of(0, 3) == 0.5
