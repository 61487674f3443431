"""Outcomes of a study, and images that are out of distribution."""

import numpy as np
import pytest

from fracture.imaging.radiograph import Frame
from fracture.inference.prediction import Answer, OutcomeLimits, Status, View, offered_points, probability_of


def view(probability: float, known: bool | None = True, radiograph: bool | None = None) -> View:
    nothing = np.zeros((1, 1), np.float32)
    sides = (probability, probability)
    frame = Frame(0, 0, 1, 1, 1)
    return View("v", probability, (0.0, 0.0), sides, nothing, frame, nothing[0], known=known, radiograph=radiograph)


def answer(*views: View, low=0.2, high=0.7, **options) -> Answer:
    return Answer(("normal", "abnormal"), OutcomeLimits(low, high), views, **options)


@pytest.mark.parametrize(
    ("probability", "outcome", "label"),
    [
        (0.19, "negative", "normal"),
        (0.2, "doubt", "doubt"),
        (0.69, "doubt", "doubt"),
        (0.7, "positive", "abnormal"),
    ],
)
def test_outcome_between_the_limits_is_doubt(probability, outcome, label):
    """At the upper limit it is positive, at the lower one in doubt."""
    given = answer(view(probability))
    assert (given.outcome, given.label, given.label_of(given.views[0])) == (outcome, label, label)


def test_outcome_of_a_study_is_by_the_mean_of_its_views():
    """Of a clear and an opposite view neither decides."""
    assert answer(view(0.9), view(0.1)).outcome == "doubt"


def test_answer_with_a_view_out_of_distribution_leaves_it_out():
    """That view has no answer of its own."""
    given = answer(view(0.9), view(0.1, known=False))
    assert given.probability == pytest.approx(0.9) and given.outcome == "positive"
    assert given.label_of(given.views[1]) == "unlike"


def test_answer_with_all_views_out_of_distribution_is_unlike():
    """There is no label."""
    given = answer(view(0.9, known=False), view(0.8, known=False))
    assert not given.answered and given.label == "unlike"


def test_answer_unlike_answers_for_radiographs_out_of_distribution_alone():
    """The status stays; a picture that is no radiograph does not count."""
    given = answer(view(0.9, known=False), view(0.1, known=False, radiograph=False), answer_unlike=True)
    assert (given.status, given.label, given.probability) == (Status.UNLIKE, "abnormal", 0.9)
    assert [given.label_of(each) for each in given.views] == ["abnormal", "no radiograph"]


@pytest.mark.parametrize("known", [True, False, None])
def test_answer_for_no_radiograph_has_no_label_whatever_the_model_knows(known):
    """Also where radiographs out of distribution are answered."""
    given = answer(view(0.9, known=known, radiograph=False), answer_unlike=True)
    assert not given.answered and given.outcome == given.label == "no radiograph"


def test_answer_without_a_detector_has_a_label():
    """Older models can't tell whether an image is out of distribution."""
    assert answer(view(0.9, known=None)).label == "abnormal"


def test_limits_that_cross_leave_no_doubt():
    """A model so good that 95 % sensitivity is above 95 % specificity is asked at its balanced point."""
    crossed = {"high_sensitivity": 0.6, "high_specificity": 0.4, "balanced": 0.5}
    assert OutcomeLimits.from_thresholds(crossed) == (0.5, 0.5)
    apart = {"high_sensitivity": 0.1, "high_specificity": 0.4, "balanced": 0.3}
    assert OutcomeLimits.from_thresholds(apart) == (0.1, 0.4)


def test_limits_are_described_by_their_operating_points():
    """One limit is the balanced threshold; of two, each has its own name."""
    assert OutcomeLimits(0.025, 0.334).describe() == ("2.5% (high sensitivity)", "33.4% (high specificity)")
    assert OutcomeLimits(0.31, 0.31).describe() == ("31.0% (balanced)", "31.0% (balanced)")


@pytest.mark.parametrize(
    ("sensitive", "specific", "offered"),
    [
        (0.1, 0.4, ["balanced", "high_sensitivity", "high_specificity", "half"]),
        (0.466, 0.188, ["balanced", "half"]),
        (0.4, 0.4, ["balanced", "half"]),
        (0.1, 1.0000000000000002, ["balanced", "high_sensitivity", "half"]),
    ],
)
def test_offered_points_leave_out_crossing_and_empty_ones(sensitive, specific, offered):
    """Neither of two that cross, nor one above 1, at which no image is called positive."""
    thresholds = {"balanced": 0.3, "high_sensitivity": sensitive, "high_specificity": specific, "half": 0.5}
    assert list(offered_points(thresholds)) == offered


def test_offered_points_of_an_older_card_are_those_it_has():
    """It has no points of high sensitivity and specificity."""
    assert offered_points({"half": 0.5, "balanced": 0.3}) == {"half": 0.5, "balanced": 0.3}


def test_probability_of_any_logit_is_finite():
    """The exponential does not overflow."""
    assert probability_of(-1e9, 0.05) == pytest.approx(0) and probability_of(1e9, 0.05) == 1
    assert probability_of(0, 3) == 0.5
