"""External metrics beside those of the card, and what explains a difference, from measured numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from fracture.estimate import Estimate, excludes_zero, format_number, format_percent
from fracture.evaluation.external.results import ExternalResult
from fracture.inference.prediction import offered_points
from fracture.registry.card import Card
from fracture.registry.metric_names import Rate
from fracture.registry.validation import Level, validation_results

_POINT_RATES: tuple[Rate, ...] = ("sensitivity", "specificity")


class MetricPair(NamedTuple):
    """One metric twice."""

    metric: str
    """A key of :data:`fracture.registry.metric_names.METRIC_NAMES`."""
    point: str
    """The operating point; empty for a metric that has none."""
    first: Estimate
    second: Estimate


@dataclass(frozen=True)
class ComparedMetric:
    """One metric on the card's validation images and on the external ones."""

    metric: str
    """A key of :data:`fracture.registry.metric_names.METRIC_NAMES`."""
    point: str
    """The operating point; empty for a metric that has none."""
    validation: Estimate
    external: Estimate
    difference: Estimate
    """External minus validation; :func:`fracture.estimate.excludes_zero` says whether it is significant."""


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """The second estimate minus the first one, of different images.

    Its interval is recovered from theirs, which need not be symmetric (Zou and Donner, Statistics in Medicine 27:1693,
    2008): each bound has the distance of both bounds that push it, added as squares. None where one of them is.
    """
    if first["value"] is None or second["value"] is None:
        return {"value": None, "low": None, "high": None}
    value = second["value"] - first["value"]
    bounds = (first["low"], first["high"], second["low"], second["high"])
    first_low, first_high, second_low, second_high = bounds
    if first_low is None or first_high is None or second_low is None or second_high is None:
        return {"value": value, "low": None, "high": None}
    down = sqrt((second["value"] - second_low) ** 2 + (first_high - first["value"]) ** 2)
    up = sqrt((second_high - second["value"]) ** 2 + (first["value"] - first_low) ** 2)
    return {"value": value, "low": value - down, "high": value + up}


def compare(result: ExternalResult, card: Card, level: str = "image") -> list[ComparedMetric]:
    """AUC, the rates at the card's operating points, and calibration; empty where one side lacks the level."""
    own = validation_results(card)[0].metrics.get(level)
    external = result.metrics.get(level)
    if own is None or external is None:
        return []
    pairs = metric_pairs(own, external)
    return [ComparedMetric(*pair, independent_difference(pair.first, pair.second)) for pair in pairs]


def metric_pairs(first: Level, second: Level) -> Iterator[MetricPair]:
    """The metrics that both levels have: AUC, sensitivity and specificity at the first one's points, calibration."""
    yield MetricPair("auc", "", first["auc"], second["auc"])
    points = offered_points({name: point["threshold"] for name, point in first["points"].items()})
    for name in points:
        if name not in second["points"]:
            continue
        for rate in _POINT_RATES:
            yield MetricPair(rate, name, first["points"][name][rate], second["points"][name][rate])
    yield from _calibration_pairs(first, second)


def _calibration_pairs(first: Level, second: Level) -> Iterator[MetricPair]:
    of_first = first.get("calibration")
    of_second = second.get("calibration")
    if not of_first or not of_second:
        return
    name = "expected_calibration_error"
    yield MetricPair(name, "", of_first["expected_calibration_error"], of_second["expected_calibration_error"])
    first_brier = of_first.get("brier")
    second_brier = of_second.get("brier")
    if first_brier and second_brier:
        yield MetricPair("brier", "", first_brier, second_brier)


def explain(result: ExternalResult, card: Card) -> list[str]:
    """Sentences: what the difference is, and which measured differences between the images may explain it."""
    return [
        *_explain_overlap(result),
        *_explain_auc(result, card),
        *_explain_labels(result),
        *_explain_distribution(result),
        *_explain_body_parts(result),
        *_explain_prevalence(result, card),
    ]


def _explain_overlap(result: ExternalResult) -> Iterator[str]:
    if result.validated_on:
        yield (
            f"{result.validated_on:,} of these {result.images:,} images are the model's own validation images: on them "
            "this is no external validation."
        )


def _explain_auc(result: ExternalResult, card: Card) -> Iterator[str]:
    own = validation_results(card)[0].metrics["image"]["auc"]
    difference = independent_difference(own, result.metrics["image"]["auc"])
    if difference["value"] is None or difference["low"] is None:
        return
    if not excludes_zero(difference):
        yield (
            f"The difference in AUC to the model's validation images, {format_number(difference)}, is not significant: "
            "the interval includes zero."
        )
        return
    direction = "lower" if difference["value"] < 0 else "higher"
    yield (
        f"The AUC is {direction} than on the model's validation images: the difference is {format_number(difference)}."
    )


def _explain_labels(result: ExternalResult) -> Iterator[str]:
    if result.data_labels != result.model_labels:
        yield (
            f"The labels differ: the model says {result.model_labels[1]!r}, the data set {result.data_labels[1]!r}. An "
            "image can be one without being the other."
        )


def _explain_distribution(result: ExternalResult) -> Iterator[str]:
    if not result.out_of_distribution:
        return
    share = result.out_of_distribution / result.images
    yield (
        f"{result.out_of_distribution:,} of {result.images:,} images ({share:.1%}) are out of distribution, unlike the "
        f"training images. On the others the AUC is {format_number(result.auc_in_distribution)}."
    )


def _explain_body_parts(result: ExternalResult) -> Iterator[str]:
    if not result.new_body_parts:
        return
    count = sum(result.new_body_parts.values())
    parts = ", ".join(f"{name} {images:,}" for name, images in result.new_body_parts.items())
    sentence = f"{count:,} images show body parts that the model's validation images don't show ({parts})."
    if result.auc_known_body_parts["value"] is not None:
        sentence += f" On the other images the AUC is {format_number(result.auc_known_body_parts)}."
    yield sentence


def _explain_prevalence(result: ExternalResult, card: Card) -> Iterator[str]:
    """Where the card's share of positives lies outside of the interval here."""
    own = validation_results(card)[0].metrics["image"]
    own_share = own["positives"] / own["count"]
    low = result.prevalence["low"]
    high = result.prevalence["high"]
    if low is None or high is None or low <= own_share <= high:
        return
    direction = "high" if own_share > high else "low"
    yield (
        f"{format_percent(result.prevalence)} of these images are positive, against {own_share:.0%} of the validation "
        f"images: by prevalence alone the probabilities are too {direction}. AUC, sensitivity and specificity do not "
        "depend on it."
    )
