"""The names of metrics, levels and operating points: one for each, for pages, charts and the command line."""

from typing import Literal

METRIC_NAMES = {
    "loss": "loss",
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "kappa": "kappa",
    "expected_calibration_error": "calibration error",
    "brier": "Brier score",
    "pointing": "peak inside the box",
    "mass": "heat inside the box or mask",
}
"""By their keys in a card, and by Keras's names in a history."""

Rate = Literal["sensitivity", "specificity", "accuracy"]
RATES: tuple[Rate, ...] = ("sensitivity", "specificity", "accuracy")
"""The metrics of an operating point that are shares: never a sensitivity without its specificity."""

POINT_NAMES = {
    "balanced": "balanced",
    "high_sensitivity": "high sensitivity",
    "high_specificity": "high specificity",
    "half": "one half",
}
"""A card's operating points, in the order in which they are offered."""

COUNTED = {"image": "images", "study": "studies"}
"""What is counted at each level."""


def metric_name(key: str) -> str:
    """The name within a sentence: ``average precision``; a key that is not listed stands for itself."""
    name = key.removeprefix("val_")
    return METRIC_NAMES.get(name, name)


def metric_title(key: str) -> str:
    """The name at the head of a column or a chart: ``Average precision``."""
    return capitalize(metric_name(key))


def point_title(key: str) -> str:
    """The name of an operating point on a button or in a table: ``High sensitivity``."""
    return capitalize(POINT_NAMES[key])


def capitalize(name: str) -> str:
    """The first letter large and all others as they are, so that ``AUC`` stays ``AUC``."""
    return name[:1].upper() + name[1:]
