"""What a model's card says about its predictions for the validation images: metrics, calibration, localization.

Everything here is as it stands in ``card.json``. :mod:`fracture.evaluation` computes it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NotRequired

from pydantic import AfterValidator, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from fracture.documents import LARGEST, OPEN, Finite, Whole
from fracture.estimate import Estimate

if TYPE_CHECKING:
    from fracture.registry.card import Card  # which imports this module


def _check_interval(estimate: Any) -> Any:
    """Refuse an estimate with one bound only, with bounds but no value, or with numbers that are not finite."""
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    if (low is None) != (high is None) or (value is None and low is not None):
        raise PydanticCustomError("interval", "must have a value and both bounds, a value alone, or neither")
    # Not `>=`: every comparison with NaN is false, so that it is refused here, too.
    if any(number is not None and not abs(number) < LARGEST for number in (value, low, high)):
        raise PydanticCustomError("finite", "must be finite numbers")
    return estimate


def _check_metrics(metrics: Any) -> Any:
    if "image" not in metrics:
        raise PydanticCustomError("lacks", "must hold image")
    return metrics


def _check_points(points: Any) -> Any:
    """Every version wrote one of these operating points."""
    if "balanced" not in points and "half" not in points:
        raise PydanticCustomError("lacks", "must hold balanced")
    return points


_Interval = AfterValidator(_check_interval)
_Estimate = Annotated[Estimate, _Interval]


@with_config(OPEN)
class OperatingPoint(TypedDict):
    """The metrics at one threshold."""

    threshold: Finite
    accuracy: _Estimate
    sensitivity: _Estimate
    specificity: _Estimate
    kappa: NotRequired[_Estimate | None]
    confusion: NotRequired[dict[str, Whole]]
    """The counts by the names of :data:`fracture.evaluation.metrics.CONFUSION`."""


@with_config(OPEN)
class CalibrationBin(TypedDict):
    """The images whose probability lies between ``low`` and ``high``."""

    low: Finite
    high: Finite
    count: Whole
    mean_probability: Finite | None
    share_positive: Finite | None
    share_low: Finite | None
    share_high: Finite | None


class CalibrationError(Estimate):
    """The expected calibration error, and what perfect probabilities would show by chance."""

    chance: NotRequired[Finite | None]


@with_config(OPEN)
class CalibrationMetrics(TypedDict):
    """Whether the probabilities mean what they say; see :mod:`fracture.evaluation.calibration`."""

    expected_calibration_error: Annotated[CalibrationError, _Interval]
    brier: NotRequired[_Estimate | None]


class Calibration(CalibrationMetrics):
    """The same with the reliability diagram."""

    bins: list[CalibrationBin]


@with_config(OPEN)
class CommonMetrics(TypedDict):
    """The metrics of any set of images or studies. What is not required was not measured by earlier versions."""

    count: Whole
    positives: Whole
    auc: _Estimate
    average_precision: NotRequired[_Estimate | None]
    points: Annotated[dict[str, OperatingPoint], AfterValidator(_check_points)]


class PartLevel(CommonMetrics):
    """The metrics for the images of one body part."""

    groups: NotRequired[Whole]
    calibration: NotRequired[CalibrationMetrics | None]


class Level(CommonMetrics):
    """The metrics by image or by study."""

    groups: Whole
    """Patients, or whatever must not straddle a split."""
    calibration: NotRequired[Calibration | None]
    body_parts: NotRequired[dict[str, PartLevel] | None]
    body_parts_too_small: NotRequired[dict[str, Whole] | None]
    """The number of images of the body parts that have too few to be measured on their own."""


Metrics = Annotated[dict[str, Level], AfterValidator(_check_metrics)]
"""Levels by ``image`` and, where studies have several views, ``study``."""


class ShareByChance(Estimate):
    """A share of the heat maps, and the one that a map without any information would reach."""

    chance: Finite | None


class Pointing(ShareByChance):
    """The share of the heat maps whose peak lies in a box."""

    centre: Finite
    """The share of the images whose center lies in a box."""
    near: NotRequired[_Estimate]
    """The same as the value, where a peak close to a box counts as well."""


class PointingIfCalled(ShareByChance):
    """The share of the heat maps whose peak lies in a box, of the images that the model calls positive."""

    near: _Estimate


@with_config(OPEN)
class CalledPositive(TypedDict):
    """The heat maps of the images that the model calls positive."""

    images: Whole
    pointing: Annotated[PointingIfCalled, _Interval]


@with_config(OPEN)
class ShuffledHead(TypedDict):
    """What is left of the heat maps when the head's weights are shuffled."""

    correlation: NotRequired[Finite | None]
    pointing: NotRequired[Finite | None]


@with_config(OPEN)
class Localization(TypedDict):
    """How often heat maps point at what is known to be there; see :mod:`fracture.evaluation.localization`."""

    images: Whole
    known: Whole
    groups: Whole
    flat: Whole
    silent: Whole
    pointing: Annotated[Pointing, _Interval]
    mass: Annotated[ShareByChance, _Interval]
    found: NotRequired[CalledPositive | None]
    shuffled_head: NotRequired[ShuffledHead | None]


@with_config(OPEN)
class RegionPoint(TypedDict):
    """The candidate regions at one threshold of places; a region hits a box where its center lies in it."""

    sensitivity: _Estimate
    """The share of the true boxes that are hit."""
    false_boxes: _Estimate
    """Regions an image that hit no box."""
    precision: _Estimate
    """The share of the regions that hit a box."""


@with_config(OPEN)
class FreeResponse(TypedDict):
    """Candidate regions against true boxes; see :mod:`fracture.evaluation.free_response`."""

    images: Whole
    boxes: Whole
    groups: Whole
    by_center: dict[str, _Estimate]
    """The sensitivity by the number of false boxes an image; the region's center has to lie in the box."""
    by_overlap: dict[str, _Estimate]
    """The same with an intersection over union of at least 0.5."""
    map50: _Estimate


class ValidationResult(NamedTuple):
    """How a model did on the validation images of one data set."""

    data: str
    """The data set's name."""
    metrics: dict[str, Level]
    """By ``image`` and, mostly, by ``study``."""
    only: str
    """The value of the predictions' column ``data`` to select; empty where all are of this data set."""

    @property
    def level(self) -> str:
        """The level of the metrics that stand alone; see :func:`main_level`."""
        return main_level(self.metrics)


def main_level(metrics: Mapping[str, Level]) -> str:
    """The level of metrics where a page or a command shows one alone: ``study`` where it was measured, else ``image``.

    A diagnosis is made of a study, all views of one visit, and MURA's labels are those of studies (Rajpurkar et al.,
    2018, arXiv:1712.06957).
    """
    return "study" if "study" in metrics else "image"


def validation_results(card: "Card") -> list[ValidationResult]:
    """One for each data set that the model was validated on. On the first one its thresholds were chosen."""
    if card.metrics_by_data:
        return [ValidationResult(name, metrics, name) for name, metrics in card.metrics_by_data.items()]
    return [ValidationResult(card.data.name if card.data else "its data", card.metrics, "")]
