"""Two or more models side by side: their metrics, their curves, and whether they may be compared at all."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import streamlit as st

from fracture import charts
from fracture.app.shared import prediction_cache
from fracture.app.shared.metrics import chosen_on, show_table
from fracture.app.shared.widgets import escape_markdown, show_chart
from fracture.errors import ModelError
from fracture.estimate import format_number, format_percent
from fracture.registry.card import Card
from fracture.registry.metric_names import COUNTED, Rate, capitalize, metric_title
from fracture.registry.model_folder import ModelFolder, read_card
from fracture.registry.validation import Level, ValidationResult, validation_results


class Side(NamedTuple):
    """One of the models that are compared."""

    folder: ModelFolder
    card: Card
    result: ValidationResult

    @property
    def name(self) -> str:
        """The model's name."""
        return self.folder.name

    @property
    def data(self) -> tuple[str | None, str]:
        """The fingerprint and the name of the validation data: equal for models that were validated on the same images.

        Older cards have one fingerprint over all their data, training images included.
        """
        data = self.card.data
        if data is None:
            return None, self.result.data
        validated_on = data.validated_on or {}
        return validated_on.get(self.result.data, data.fingerprint), self.result.data


def side_of(folder: ModelFolder, data: str) -> Side | None:
    """A model with its results on the data set of that name, or its first results; a warning where it has no card."""
    try:
        card = read_card(folder)
    except ModelError as error:
        st.warning(escape_markdown(str(error)), icon=":material/warning:")
        return None
    results = validation_results(card)
    chosen = next((result for result in results if result.data == data), results[0])
    return Side(folder, card, chosen)


def show_sides(sides: list[Side], level: str, color_of: Mapping[str, str] | None = None) -> None:
    """A table of metrics and both curves, by a level that all sides have."""
    show_table(_rows(sides, level))
    st.caption(
        f"By {level}; sensitivity, specificity, accuracy and kappa at each model's balanced operating point. "
        "Chosen on: the images that chose epoch, temperature and thresholds; metrics on these are slightly optimistic."
    )
    _show_curves(sides, level, color_of or charts.colors(side.name for side in sides))


def warnings(sides: list[Side]) -> list[str]:
    """Why a difference between these models may not be one of quality."""
    found = []
    if len({side.data for side in sides}) > 1:
        where = "; ".join(
            f"{escape_markdown(side.name)} on *{escape_markdown(side.result.data)}* ({_images(side):,} images)"
            for side in sides
        )
        found.append(
            f"These models were validated on different data: {where}. The data may cause a difference, not the models."
        )
    if len({side.card.labels for side in sides}) > 1:
        labels = "; ".join(f"{escape_markdown(side.name)} *{escape_markdown(side.card.labels[1])}*" for side in sides)
        found.append(f"These models detect different things: {labels}.")
    return found


def _images(side: Side) -> int:
    return int(side.result.metrics["image"]["count"])


def _rows(sides: list[Side], level: str) -> list[dict[str, str]]:
    """A row a metric, a column a model: readable on a phone, too."""
    metrics: dict[str, Callable[[Level], str]] = {
        capitalize(COUNTED[level]): lambda found: f"{found['count']:,}, {found['positives']:,} positive",
        metric_title("auc"): lambda found: format_number(found["auc"]),
        metric_title("average_precision"): lambda found: format_number(found.get("average_precision")),
        metric_title("sensitivity"): lambda found: _balanced(found, "sensitivity"),
        metric_title("specificity"): lambda found: _balanced(found, "specificity"),
        metric_title("accuracy"): lambda found: _balanced(found, "accuracy"),
        metric_title("kappa"): _balanced_kappa,
        metric_title("expected_calibration_error"): _calibration_error,
    }
    rows = [{"": "Data set", **{escape_markdown(side.name): escape_markdown(side.result.data) for side in sides}}]
    rows.append({"": "Chosen on", **{escape_markdown(side.name): chosen_on(side.card) for side in sides}})
    for title, read in metrics.items():
        row = {"": title}
        for side in sides:
            row[escape_markdown(side.name)] = read(side.result.metrics[level])
        rows.append(row)
    return rows


def _balanced_kappa(found: Level) -> str:
    point = found["points"].get("balanced")
    return format_number(point.get("kappa") if point else None, 2)


def _balanced(found: Level, rate: Rate) -> str:
    point = found["points"].get("balanced")  # older cards lack it
    return format_percent(point[rate]) if point else "not measured"


def _calibration_error(found: Level) -> str:
    calibration = found.get("calibration")
    return format_number(calibration["expected_calibration_error"] if calibration else None)


def _show_curves(sides: list[Side], level: str, color_of: Mapping[str, str]) -> None:
    scored = {}
    without = []
    for side in sides:
        try:
            table = prediction_cache.scored(side.folder, level, side.result.only)
        except ModelError:
            without.append(escape_markdown(side.name))
            continue
        if len(np.unique(table["label"])) > 1:  # a curve needs both labels
            scored[side.name] = (table["label"].to_numpy(), table["probability"].to_numpy())
    known = {name: color_of[name] for name in scored}
    left, right = st.columns(2)
    with left:
        show_chart(charts.roc_curves(scored, known), "roc curves", "ROC curves of the compared models")
    with right:
        figure = charts.precision_recall_curves(scored, known)
        show_chart(figure, "precision recall curves", "Precision-recall curves of the compared models")
    if without:
        st.caption(f"No curves of {', '.join(without)}: the predictions are missing or damaged.")
