"""How a model did on its validation images, as its card says."""

from typing import Any, NamedTuple

Level = dict[str, Any]
"""What a card says of one level: counts, areas under curves, operating points, mostly calibration."""


class Judged(NamedTuple):
    """How a model did on the validation images of one data set."""

    data: str
    """The data set's name."""
    metrics: dict[str, Level]
    """By ``image``, and mostly by ``study``."""
    only: str
    """What the predictions' column ``data`` must hold; empty where they are all of one data set."""


def judgements(card: dict[str, Any]) -> list[Judged]:
    """One for each data set that the model was validated on."""
    if apart := card.get("metrics_by_data"):
        return [Judged(name, metrics, name) for name, metrics in apart.items()]
    return [Judged(str(card.get("data", {}).get("name", "its data")), card["metrics"], "")]
