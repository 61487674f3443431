"""Free-response ROC and average precision against cases that are computed by hand."""

import numpy as np
import pandas as pd
import pytest

from fracture.evaluation.free_response import (
    Marked,
    average_precision,
    detection_events,
    free_response,
    free_response_events,
    hits_by_overlap,
    measure_point,
    place_threshold,
    sensitivity_at,
)
from fracture.inference.regions.candidates import Region

A = (0.1, 0.1, 0.2, 0.2)
B = (0.6, 0.6, 0.2, 0.2)
NEAR_A = (0.12, 0.12, 0.2, 0.2)
"""IoU 0.68 with A."""
LARGE_A = (0.0, 0.0, 0.4, 0.4)
"""Its center is that of A; IoU 0.25."""
NOWHERE = (0.4, 0.1, 0.1, 0.1)

MARKED = Marked(
    [
        [Region(A, 0.9), Region(NEAR_A, 0.8), Region(NOWHERE, 0.7), Region(B, 0.3)],
        [Region(NOWHERE, 0.6)],
        [Region(LARGE_A, 0.5)],
        [],
    ],
    [[A, B], [], [A], []],
    pd.Series(["p", "q", "r", "s"]),
)
"""Four images with three true boxes: the second region of the first image is a second one on the same box."""

ONCE = np.ones((1, 4))
COUNTS = MARKED.box_counts


@pytest.mark.parametrize(
    ("false_boxes", "by_center", "by_overlap"),
    [(0.0, 1 / 3, 1 / 3), (0.25, 1 / 3, 1 / 3), (0.5, 1.0, 1 / 3), (0.75, 1.0, 2 / 3)],
)
def test_sensitivity_by_hand(false_boxes, by_center, by_overlap):
    """False by center are the regions at 0.7 and 0.6, by overlap that at 0.5, too; a second hit is not false."""
    center = free_response_events(MARKED)
    assert sensitivity_at(center, false_boxes, COUNTS, ONCE) == pytest.approx([by_center])
    assert sensitivity_at(free_response_events(MARKED, hits_by_overlap), false_boxes, COUNTS, ONCE) == pytest.approx(
        [by_overlap]
    )


def test_average_precision_by_hand():
    """In order: hit, second on the same box (false), false, false, false (too large), hit: 1/3 * 1 + 1/3 * 2/6."""
    events = detection_events(MARKED)
    assert events.hit.tolist() == [True, False, False, False, False, True]
    assert average_precision(events, COUNTS, ONCE) == pytest.approx([1 / 3 + 1 / 9])


def test_average_precision_counts_images_as_often_as_they_are_drawn():
    """Without the image of false regions the precision is higher; without true boxes it is not defined."""
    times = np.array([[1, 0, 1, 1], [2, 0, 0, 0], [0, 1, 0, 1]], float)
    with_large, first_alone, none = average_precision(detection_events(MARKED), COUNTS, times)
    assert with_large == pytest.approx(1 / 3 + 1 / 3 * 2 / 5)
    assert first_alone == pytest.approx(1 / 2 + 1 / 2 * 2 / 4)
    assert np.isnan(none)


def test_average_precision_envelope_takes_the_best_later_precision():
    """A false region before two hits costs both the same: precision 2/3 from the last one on."""
    regions = [[Region(NOWHERE, 0.9), Region(A, 0.8), Region(B, 0.7)]]
    marked = Marked(regions, [[A, B]], pd.Series(["p"]))
    assert average_precision(detection_events(marked), marked.box_counts, np.ones((1, 1))) == pytest.approx([2 / 3])


def test_events_of_one_probability_happen_at_once():
    """A hit and a false region of the same probability are both above a threshold, or neither is."""
    marked = Marked([[Region(A, 0.5), Region(NOWHERE, 0.5)]], [[A]], pd.Series(["p"]))
    events = free_response_events(marked)
    assert sensitivity_at(events, 0.5, marked.box_counts, np.ones((1, 1))) == [0]
    assert sensitivity_at(events, 1.0, marked.box_counts, np.ones((1, 1))) == [1]


@pytest.mark.parametrize(("false_boxes", "threshold"), [(0.0, 0.9), (0.25, 0.7), (0.5, 0.3)])
def test_place_threshold_is_the_lowest_that_keeps_the_rate(false_boxes, threshold):
    """By center, the regions at 0.7 and 0.6 are false: 0.25 and 0.5 an image."""
    assert place_threshold(MARKED, false_boxes) == threshold


def test_place_threshold_of_too_many_false_boxes_is_missing():
    """Where the likeliest region is false, no threshold has none."""
    assert place_threshold(Marked([[Region(NOWHERE, 0.9)]], [[A]], pd.Series(["p"])), 0.0) is None


def test_measure_point_by_hand():
    """From 0.55 on: one of three boxes found, two false regions in four images, two of four regions hit."""
    point = measure_point(MARKED, 0.55)
    assert point["sensitivity"]["value"] == pytest.approx(1 / 3)
    assert point["false_boxes"]["value"] == pytest.approx(0.5)
    assert point["precision"]["value"] == pytest.approx(0.5)


def test_free_response_has_both_rules_with_intervals():
    """The figures of a card: counts, sensitivities by the number of false boxes, mAP50."""
    measured = free_response(MARKED)
    assert (measured["images"], measured["boxes"], measured["groups"]) == (4, 3, 4)
    assert list(measured["by_center"]) == list(measured["by_overlap"]) == ["0.1", "0.5", "1", "2"]
    assert measured["by_center"]["0.5"]["value"] == pytest.approx(1.0)
    assert measured["by_overlap"]["1"]["value"] == pytest.approx(2 / 3)
    map50 = measured["map50"]
    assert map50["low"] <= map50["value"] <= map50["high"]


def test_free_response_without_regions_finds_nothing():
    """An image without any candidate is no error."""
    measured = free_response(Marked([[], []], [[A], []], pd.Series(["p", "q"])))
    assert measured["by_center"]["1"]["value"] == measured["map50"]["value"] == 0
