"""Two or more models side by side: their figures, their curves, and whether they may be compared at all."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from fracture import charts
from fracture.app.models.results import COUNTED, number, show_table
from fracture.app.shared import prediction_cache
from fracture.app.shared.widgets import escape_markdown, format_percent, show_chart, show_errors
from fracture.errors import ModelError
from fracture.estimate import Estimate
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder, read_card, usable_models
from fracture.registry.validation import Level, Rate, ValidationResult

MOST = len(charts.SEVERAL) - 1
"""How many others fit beside a model, each with a colour of its own."""


class Side(NamedTuple):
    """One of the models that are compared."""

    folder: ModelFolder
    card: Card
    judged: ValidationResult

    @property
    def name(self) -> str:
        """The model's name."""
        return self.folder.name

    @property
    def data(self) -> tuple[Any, str]:
        """What two models must share to have been validated on the same images.

        Cards of before say it of all their data together, training images included.
        """
        data = self.card.get("data", {})
        return data.get("validated_on", {}).get(self.judged.data, data.get("fingerprint")), self.judged.data


@st.fragment
@show_errors()  # within: what a fragment raises does not reach its caller
def show_comparison(folder: ModelFolder, judged: ValidationResult, level: str) -> None:
    """A picker for the others; then the table, a word of warning where it is due, and both curves."""
    st.header("Beside other models")
    others = {other.name: other for other in usable_models() if other.name != folder.name}
    if not others:
        st.caption("There is no other model yet to compare it with.")
        return
    names = st.multiselect(
        "Compare with", list(others), placeholder="Choose one or more", max_selections=MOST, key="compare with"
    )
    sides = [side for name in [folder.name, *names] if (side := side_of(others.get(name, folder), judged.data))]
    if len(sides) > 1:
        show_sides(sides, level if all(level in side.judged.metrics for side in sides) else "image")


def show_sides(sides: list[Side], level: str, colour_of: Mapping[str, str] | None = None) -> None:
    """A word of warning where it is due, a table of figures and both curves, by a level that all sides have."""
    for warning in warnings(sides):
        st.warning(warning, icon=":material/warning:")
    show_table(_rows(sides, level))
    st.caption(f"By {level}, sensitivity and specificity at each model's balanced operating point.")
    _curves(sides, level, colour_of or charts.colours(side.name for side in sides))


def warnings(sides: list[Side]) -> list[str]:
    """Why a difference between these models may not be one of quality."""
    said = []
    if len({side.data for side in sides}) > 1:
        where = "; ".join(
            f"{escape_markdown(side.name)} on *{escape_markdown(side.judged.data)}* ({_images(side):,} images)"
            for side in sides
        )
        said.append(
            f"They were validated on different data: {where}. A difference may lie in the data, not in the models."
        )
    if len({tuple(side.card["labels"]) for side in sides}) > 1:
        asked = "; ".join(f"{escape_markdown(side.name)} *{escape_markdown(side.card['labels'][1])}*" for side in sides)
        said.append(f"They look for different things: {asked}.")
    return said


def side_of(folder: ModelFolder, data: str) -> Side | None:
    """A model, judged on the data set of that name where it was judged on several; a warning where it has no card."""
    try:
        card = read_card(folder)
    except ModelError as error:
        st.warning(escape_markdown(str(error)), icon=":material/warning:")
        return None
    several = card.validation_results
    return Side(folder, card, next((judged for judged in several if judged.data == data), several[0]))


def _images(side: Side) -> int:
    return int(side.judged.metrics["image"]["count"])


def _rows(sides: list[Side], level: str) -> list[dict[str, str]]:
    """A row a figure, a column a model: so it is read on a phone, too."""
    figures: dict[str, Callable[[Level], str]] = {
        COUNTED[level].capitalize(): lambda found: f"{found['count']:,}, {found['positives']:,} positive",
        "AUC": lambda found: number(found["auc"]),
        "Average precision": lambda found: number(found.get("average_precision")),
        "Sensitivity": lambda found: _balanced(found, "sensitivity"),
        "Specificity": lambda found: _balanced(found, "specificity"),
        "Accuracy": lambda found: _balanced(found, "accuracy"),
        "Kappa": lambda found: number(_balanced_kappa(found), 2),
        "Calibration error": lambda found: number(_calibration_error(found)),
    }
    rows = [{"": "Data set", **{escape_markdown(side.name): escape_markdown(side.judged.data) for side in sides}}]
    for name, figure in figures.items():
        rows.append({"": name, **{escape_markdown(side.name): figure(side.judged.metrics[level]) for side in sides}})
    return rows


def _balanced_kappa(found: Level) -> Estimate | None:
    point = found["points"].get("balanced")
    return point.get("kappa") if point else None


def _calibration_error(found: Level) -> Estimate | None:
    calibration = found.get("calibration")
    return calibration["expected_calibration_error"] if calibration else None


def _balanced(found: Level, rate: Rate) -> str:
    point = found["points"].get("balanced")  # older cards lack it
    return format_percent(point[rate]) if point else "not measured"


def _curves(sides: list[Side], level: str, colour_of: Mapping[str, str]) -> None:
    scored, without = {}, []
    for side in sides:
        try:
            table = prediction_cache.scored(side.folder, level, side.judged.only)
        except ModelError:
            without.append(side.name)
            continue
        if len(np.unique(table["label"])) > 1:
            scored[side.name] = (table["label"].to_numpy(), table["probability"].to_numpy())
    known = {name: colour_of[name] for name in scored}
    left, right = st.columns(2)
    with left:
        show_chart(charts.rocs(scored, known), "rocs", "ROC curves of the compared models")
    with right:
        show_chart(
            charts.precision_recalls(scored, known), "precision recalls", "Precision-recall curves of the models"
        )
    if without:
        st.caption(f"No curves of {', '.join(map(escape_markdown, without))}: the predictions are missing or damaged.")
