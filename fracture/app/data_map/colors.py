"""What the points of the map are colored by: columns of the data set, and a model's predictions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture import charts
from fracture.app.shared import dataset_cache
from fracture.charts.data_map import UNKNOWN, category_colors, category_map, value_map
from fracture.data.dataset import existing_folder
from fracture.errors import FractureError
from fracture.experiments.workbench import Bench
from fracture.registry.model_folder import model_folder, read_card

SPLITS = {"train": ("Training", charts.TRAINING), "valid": ("Validation", charts.VALIDATION)}
"""The titles and colors of the splits."""

COLUMNS = {"body_part": "Body part", "view": "View", "findings": "Findings"}
"""Further columns that the points may be colored by, where they have several values, and their titles."""

RIGHT = "Correct"

Draw = Callable[[pd.DataFrame, tuple[str, str]], Any]
"""Points and the titles of their axes -> a figure."""


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for some images of a bench."""

    model: str
    """Its name; empty where there is none."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), NaN where it has none."""
    threshold: float
    """Of the model's card: from it on the prediction is positive."""


def colorings(bench: Bench, predictions: Predictions) -> dict[str, Draw]:
    """The ways to color the images of a bench, by their titles."""
    found = {"Label": _by_label(bench)}
    if bench.table["split"].nunique() > 1:
        found["Split"] = _by_split(bench)
    for column, title in COLUMNS.items():
        if column in bench.table and bench.table[column].nunique() > 1:
            found[title] = _by_column(bench.table[column].astype(str))
    if predictions.model:
        found["Error"] = _by_error(bench, predictions)
        found["Probability"] = _by_probability(bench, predictions)
    return found


def find_predictions(bench: Bench, *, shipped: bool) -> Predictions:
    """The predictions of the visitor's model, or else of another one, for images of the bench's own data set.

    ``shipped``: the features came with the project, whose images are in no data set.
    """
    nothing = Predictions("", np.full(len(bench.table), np.nan), 0.5)
    if shipped:
        return nothing
    try:
        data = dataset_cache.cached_dataset(str(existing_folder(bench.config.data)))
        scores = dataset_cache.scores(data)
        threshold = read_card(model_folder(scores.model)).thresholds["balanced"] if scores.model else 0.5
    except FractureError:  # the data set or the model is gone
        return nothing
    of_data = (bench.table["data"] == bench.validated_on).to_numpy()
    known = bench.table["image_id"].map(scores.probability).to_numpy(np.float64)
    return Predictions(scores.model, np.where(of_data, known, np.nan), threshold)


def _by_label(bench: Bench) -> Draw:
    negative, positive = bench.label_names
    colors = {positive: charts.POSITIVE_COLOR, negative: charts.NEGATIVE_COLOR}
    words = bench.table["label"].map(dict(enumerate(bench.label_names)))
    return lambda points, axes: category_map(points, words.tolist(), colors, axes)


def _by_split(bench: Bench) -> Draw:
    titles = {split: title for split, (title, _) in SPLITS.items()}
    words = bench.table["split"].map(titles).fillna(bench.table["split"])
    colors = dict(SPLITS.values())
    return lambda points, axes: category_map(points, words.tolist(), colors, axes)


def _by_column(values: "pd.Series[str]") -> Draw:
    colors = category_colors(values.value_counts().index.tolist())
    return lambda points, axes: category_map(points, values.tolist(), colors, axes)


def _by_error(bench: Bench, predictions: Predictions) -> Draw:
    """Missed and false alarms at the model's own threshold."""
    called = predictions.probability >= predictions.threshold
    positive = (bench.table["label"] == 1).to_numpy()
    words = np.select(
        [np.isnan(predictions.probability), called & ~positive, ~called & positive],
        ["Not known", "False alarm", "Missed"],
        RIGHT,
    )
    colors = {"Missed": charts.SEVERAL[2], "False alarm": charts.SEVERAL[3], RIGHT: charts.SEVERAL[4]}
    return lambda points, axes: category_map(points, words.tolist(), {**colors, "Not known": UNKNOWN}, axes)


def _by_probability(bench: Bench, predictions: Predictions) -> Draw:
    title = f"Probability of {bench.label_names[1]}"
    return lambda points, axes: value_map(points, predictions.probability.tolist(), title, axes)
