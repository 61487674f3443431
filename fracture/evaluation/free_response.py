"""Candidate regions against true boxes: the free-response ROC and the average precision.

- The *free-response ROC* (Chakraborty, Medical Physics 16:561, 1989): the share of the true boxes that are found
  against the number of false boxes an image, over all thresholds of the regions' probability. A true box counts once,
  however many regions hit it, and a region is false where it hits none. A region hits a box by one of two rules: its
  center lies in the box, or their intersection over union is at least 0.5.
- *mAP50*, of a single class the average precision at an intersection over union of 0.5 (Everingham et al., IJCV 88:303,
  2010, with the area under the whole curve): regions take the true boxes from the most probable region on, each the box
  that it overlaps most of those that are left; all others are false, second ones on the same box, too.

All images count, those without any finding as well. Intervals are bootstraps over groups, as in
:mod:`fracture.evaluation.metrics`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.evaluation.metrics import over_groups
from fracture.imaging.annotations import Box
from fracture.inference.regions.candidates import Region, center_inside, overlap
from fracture.registry.validation import FreeResponse, RegionPoint

MIN_OVERLAP = 0.5
"""The intersection over union from which on a region hits a box by the rule of the same name."""

FALSE_BOXES = (0.1, 0.5, 1.0, 2.0)
"""The numbers of false boxes an image at which the sensitivity is reported."""

TARGET_FALSE_BOXES = {"high_sensitivity": 1.0, "high_specificity": 0.1}
"""The most false boxes an image at the two thresholds of places."""

Floats = NDArray[np.float64]
Hits = Callable[[Sequence[float], Sequence[float]], bool]
"""Whether a region's box hits a true box."""


def hits_by_overlap(box: Sequence[float], true: Sequence[float]) -> bool:
    """Whether the intersection over union is at least :data:`MIN_OVERLAP`."""
    return overlap(box, true) >= MIN_OVERLAP


class Marked(NamedTuple):
    """Images with their candidate regions and true boxes, all in shares of the image's sides."""

    regions: Sequence[Sequence[Region]]
    boxes: Sequence[Sequence[Box]]
    group: "pd.Series[str]"
    """What must not be taken apart in resampling, (N,)."""

    @property
    def box_counts(self) -> Floats:
        """The number of true boxes of each image, (N,)."""
        return np.array([len(each) for each in self.boxes], np.float64)


class Events(NamedTuple):
    """What happens as the threshold falls, the most probable first: a true box is found, or a region is false."""

    image: NDArray[np.int64]  # (E,)
    probability: Floats  # (E,)
    hit: NDArray[np.bool_]  # (E,)


def free_response_events(marked: Marked, hits: Hits = center_inside) -> Events:
    """Each true box that is found, at the probability of the likeliest region that hits it, and each false region."""
    events = []
    for image, (regions, boxes) in enumerate(zip(marked.regions, marked.boxes, strict=True)):
        found: dict[int, float] = {}
        for region in regions:
            on = [number for number, box in enumerate(boxes) if hits(region.box, box)]
            for number in on:
                found[number] = max(region.probability, found.get(number, 0.0))
            if not on:
                events.append((image, region.probability, False))
        events += [(image, probability, True) for probability in found.values()]
    return _sorted(events)


def detection_events(marked: Marked) -> Events:
    """Each region of the average precision: whether it takes a true box, by :data:`MIN_OVERLAP`."""
    events = []
    for image, (regions, boxes) in enumerate(zip(marked.regions, marked.boxes, strict=True)):
        left = list(boxes)
        for region in sorted(regions, key=_probability, reverse=True):
            overlaps = [overlap(region.box, box) for box in left]
            hit = max(overlaps, default=0.0) >= MIN_OVERLAP
            if hit:
                left.pop(int(np.argmax(overlaps)))
            events.append((image, region.probability, hit))
    return _sorted(events)


def sensitivity_at(events: Events, false_boxes: float, box_counts: Floats, times: Floats) -> Floats:
    """The highest share of true boxes found with at most so many false boxes an image.

    Args:
        events: of :func:`free_response_events`.
        false_boxes: an image.
        box_counts: true boxes of each image (N,).
        times: how often each image counts (R, N).

    Returns:
        (R,), NaN in rows without a true box.
    """
    found, false = _found_and_false(events, times)
    allowed = false <= false_boxes * times.sum(axis=1, keepdims=True) + 1e-9
    most = np.where(allowed, found, 0).max(axis=1, initial=0)
    return _quotient(most, times @ box_counts)


def average_precision(events: Events, box_counts: Floats, times: Floats) -> Floats:
    """The area under the precision-recall curve, made falling from the right: (R,); arguments as above.

    ``events``: of :func:`detection_events`.
    """
    found, false = _found_and_false(events, times)
    precision = _quotient(found, found + false, 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    steps = np.diff(found, axis=1, prepend=0)
    return _quotient((steps * envelope).sum(axis=1), times @ box_counts)


def place_threshold(marked: Marked, false_boxes: float) -> float | None:
    """The lowest probability of a region with at most so many false boxes an image, by the rule of the center.

    None where there is none: already the likeliest regions are too many.
    """
    events = free_response_events(marked)
    once = np.ones((1, len(marked.boxes)))
    _, false = _found_and_false(events, once)
    probabilities = -np.unique(-events.probability)  # falling, as the columns
    allowed = probabilities[false[0] <= false_boxes * len(marked.boxes) + 1e-9]
    return float(allowed[-1]) if len(allowed) else None


def free_response(marked: Marked) -> FreeResponse:
    """The sensitivity at each of :data:`FALSE_BOXES` by both rules, and mAP50, with intervals."""
    return {
        "images": len(marked.boxes),
        "boxes": int(marked.box_counts.sum()),
        "groups": int(marked.group.nunique()),
        "by_center": _sensitivities(marked, center_inside),
        "by_overlap": _sensitivities(marked, hits_by_overlap),
        "map50": map50(marked),
    }


def map50(marked: Marked) -> Estimate:
    """mAP50 with its interval."""
    events = detection_events(marked)
    counts = marked.box_counts
    return over_groups(lambda times: average_precision(events, counts, times), marked.group)


def measure_point(marked: Marked, threshold: float) -> RegionPoint:
    """The figures at one threshold of places, by the rule of the center."""
    above = [[each for each in regions if each.probability >= threshold] for regions in marked.regions]
    shown = marked._replace(regions=above)
    events = free_response_events(shown)
    counts = np.array([len(each) for each in above], np.float64)
    false = np.bincount(events.image[~events.hit], minlength=len(above)).astype(np.float64)
    found = np.bincount(events.image[events.hit], minlength=len(above)).astype(np.float64)

    def share(over: Floats, under: Floats) -> Estimate:
        return over_groups(lambda times: _quotient(times @ over, times @ under), marked.group)

    return {
        "sensitivity": share(found, marked.box_counts),
        "false_boxes": share(false, np.ones(len(above))),
        "precision": share(counts - false, counts),
    }


def _sensitivities(marked: Marked, hits: Hits) -> dict[str, Estimate]:
    events = free_response_events(marked, hits)
    return {f"{each:g}": _sensitivity(events, each, marked) for each in FALSE_BOXES}


def _sensitivity(events: Events, false_boxes: float, marked: Marked) -> Estimate:
    counts = marked.box_counts
    return over_groups(lambda times: sensitivity_at(events, false_boxes, counts, times), marked.group)


def _probability(region: Region) -> float:
    return region.probability


def _sorted(events: Sequence[tuple[int, float, bool]]) -> Events:
    image = np.array([event[0] for event in events], np.int64)
    probability = np.array([event[1] for event in events], np.float64)
    hit = np.array([event[2] for event in events], np.bool_)
    order = np.argsort(-probability, kind="stable")
    return Events(image[order], probability[order], hit[order])


def _found_and_false(events: Events, times: Floats) -> tuple[Floats, Floats]:
    """How many true boxes are found, and how many regions are false, at each probability from the highest on.

    Each is (R, U) for U different probabilities: events of the same probability happen at once.
    """
    weights = times[:, events.image]  # (R, E)
    last = np.append(np.diff(events.probability) != 0, np.True_)[: len(events.image)]
    found = (weights * events.hit).cumsum(axis=1)[:, last]
    false = (weights * ~events.hit).cumsum(axis=1)[:, last]
    return found, false


def _quotient(over: Floats, under: Floats, otherwise: float = np.nan) -> Floats:
    result = np.full(under.shape, float(otherwise))
    np.divide(over, under, out=result, where=under != 0)
    return result
