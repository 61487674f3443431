"""The results of a model on its validation images, as its card records them."""

from typing import Any, NamedTuple

Level = dict[str, Any]
"""The metrics of one level, ``image`` or ``study``: counts, AUC, operating points, mostly calibration."""


class ValidationResult(NamedTuple):
    """The results of a model on the validation images of one data set."""

    data: str
    """The data set's name."""
    metrics: dict[str, Level]
    """By ``image``, and mostly by ``study``."""
    only: str
    """The value of the predictions' column ``data`` for this data set; empty where there is only one data set."""


def validation_results(card: dict[str, Any]) -> list[ValidationResult]:
    """One for each data set that the model was validated on."""
    if by_data := card.get("metrics_by_data"):
        return [ValidationResult(name, metrics, name) for name, metrics in by_data.items()]
    return [ValidationResult(str(card.get("data", {}).get("name", "its data")), card["metrics"], "")]
