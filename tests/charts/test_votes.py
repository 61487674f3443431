"""Charts of a class vote."""

import numpy as np

from fracture import charts
from fracture.charts.votes import MIN_TOP

LABELS = ("normal", "abnormal")
CONFIDENCES = ("guess", "fairly sure", "sure")


def test_histogram_runs_from_sure_of_one_label_to_sure_of_the_other():
    """Votes that nobody gave have a bar of no height, so that the bars stay in place."""
    chart = charts.vote_histogram({(False, 2): 3, (True, 0): 1}, LABELS, CONFIDENCES, 200)
    assert chart.data["votes"].tolist() == [3, 0, 0, 1, 0, 0]
    assert chart.data["confidence"].tolist() == ["sure", "fairly sure", "guess", "guess", "fairly sure", "sure"]
    assert chart.data["label"].tolist() == ["normal"] * 3 + ["abnormal"] * 3


def test_histogram_takes_new_votes_in_place():
    """The specification and the end of the axis stay the same while a few votes come in."""
    empty = charts.vote_histogram({}, LABELS, CONFIDENCES, 200)
    few = charts.vote_histogram({(True, 1): 4}, LABELS, CONFIDENCES, 200)
    many = charts.vote_histogram({(True, 1): 31}, LABELS, CONFIDENCES, 200)
    assert empty.spec == few.spec == many.spec
    assert set(empty.data["top"]) == set(few.data["top"]) == {MIN_TOP}
    assert set(many.data["top"]) == {35}


def test_class_roc_has_the_class_the_model_and_each_student():
    """Each student is a point that the pointer names; neither label's color is used."""
    label = np.array([0, 0, 1, 1])
    figure = charts.class_roc(
        (label, np.array([0.1, 0.4, 0.35, 0.8])), (0.5, 1.0), (label, np.array([0.0, 0.2, 0.9, 1.0])), (0.0, 1.0),
        {"Ada (1)": (0.5, 0.5)},
    )  # fmt: skip
    by_name = {trace.name: trace for trace in figure.data}
    assert by_name["Student"].text == ("Ada (1)",) and by_name["Student"].x == (0.5,)
    assert by_name["Class, majority"].y == (1.0,) and by_name["Model, its threshold"].x == (0.5,)
    used = str(figure)
    assert charts.POSITIVE_COLOR not in used and charts.NEGATIVE_COLOR not in used
