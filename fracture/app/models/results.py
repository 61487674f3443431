"""A model's validation results: metrics with their intervals, by body part, and calibration."""

from collections.abc import Iterator, Mapping

import streamlit as st

from fracture import charts
from fracture.app.shared.metrics import choose_level, chosen_on, selection_sentence, show_table
from fracture.app.shared.widgets import escape_markdown, learn_more, show_chart
from fracture.estimate import Estimate, format_number, format_percent
from fracture.evaluation.calibration import COOLEST, HOTTEST
from fracture.evaluation.thresholds import TARGET_RATE
from fracture.formatting import format_threshold
from fracture.inference.prediction import offered_points, points_cross
from fracture.registry.card import Card
from fracture.registry.metric_names import COUNTED, POINT_NAMES, RATES, Rate, metric_title, point_title
from fracture.registry.validation import (
    Calibration,
    Level,
    OperatingPoint,
    PartLevel,
    ValidationResult,
    validation_results,
)


def named_points(thresholds: Mapping[str, float]) -> dict[str, float]:
    """The operating points to offer, in the order of :data:`POINT_NAMES`."""
    offered = offered_points(thresholds)
    return {name: float(offered[name]) for name in POINT_NAMES if name in offered}


def choose_result(card: Card) -> tuple[ValidationResult, str]:
    """Which data set, where there are several, and by study or by image, where both are known."""
    results = {result.data: result for result in validation_results(card)}
    result = next(iter(results.values()))
    level = "image"
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if len(results) > 1:
            label = "Validation data"
            name = st.selectbox(label, list(results), key="validation data", label_visibility="collapsed", width=200)
            result = results[name]
        if "study" in result.metrics:
            level = choose_level("level")
    return result, level


def show_results(card: Card, result: ValidationResult, level: str) -> None:
    """The metrics over all thresholds, then those at the named operating points."""
    found = result.metrics[level]
    st.table(_threshold_free(found, COUNTED[level]), border="horizontal", hide_header=True, width="content")
    points = found["points"]
    named = named_points({name: point["threshold"] for name, point in points.items()})
    show_table([{"Operating point": point_title(name), **_rates(points[name])} for name in named])
    intervals = f"95% intervals in brackets, by bootstrap over {found['groups']:,} patients or groups."
    st.caption(f"{intervals} {selection_sentence(card)}")
    learn_more("learn results", "\n".join(f"- {line}" for line in _explain(card)))


def _explain(card: Card) -> Iterator[str]:
    """The epoch that is kept, and how the operating points were chosen."""
    if card.kept_epoch is not None:  # older cards lack it
        yield f"The model keeps the weights of epoch {card.kept_epoch} of {card.epochs_done}, the best one."
    yield "Balanced: the threshold with the highest sum of sensitivity and specificity."
    if promise := _explain_high_points(card):
        yield promise
    yield "Average precision: the area under the precision-recall curve. By chance it is the share of positives."
    yield "Kappa: agreement with the label beyond chance. 0 is chance, 1 is perfect."


def _explain_high_points(card: Card) -> str:
    """The criterion of the points of high sensitivity and specificity, or why they are left out."""
    share = f"{100 * TARGET_RATE:.0f}%"
    where = f"by image on {chosen_on(card)}"
    image = card.metrics["image"]
    if points_cross(card.thresholds):
        if image["positives"] in (0, image["count"]):  # with a single label, neither rate can be promised
            return ""
        return f"There is no point of high sensitivity or specificity: one threshold reaches {share} of both, {where}."
    named = [point_title(name) for name in named_points(card.thresholds) if name.startswith("high")]
    return f"{' and '.join(named)}: chosen to reach at least {share}, {where}." if named else ""


def show_body_parts(level: Level) -> None:
    """Each body part separately, at the balanced point; nothing where the card has no body parts."""
    parts = level.get("body_parts") or {}
    too_small = level.get("body_parts_too_small") or {}
    if not parts and not too_small:
        return
    st.subheader("By body part")
    if parts:
        show_table([_part_row(escape_markdown(part), values) for part, values in parts.items()])
        st.caption("By image, at the balanced operating point; positive images in brackets.")
    if too_small:
        counted = ", ".join(f"{escape_markdown(part)} ({count:,})" for part, count in too_small.items())
        st.caption(f"Too few images for separate results: {counted}.")


def show_calibration(card: Card, level: Level) -> None:
    """The reliability diagram, the expected calibration error and the Brier score."""
    positive = card.labels[1]
    found = level.get("calibration")
    if not found:
        st.caption("Not measured for this model.")
        return
    st.caption(
        f"On the diagonal, a probability of 70% means {escape_markdown(positive)} in 70 of 100 cases. The bars count "
        "the cases; few cases make a wide interval."
    )
    show_chart(charts.reliability(found["bins"], positive), "reliability", "Reliability diagram")
    st.markdown(" ".join(_describe_calibration(level, found)))
    if card.temperature:
        st.caption(_describe_temperature(card.temperature, chosen_on(card)))


def _describe_calibration(level: Level, calibration: Calibration) -> Iterator[str]:
    error = calibration["expected_calibration_error"]
    brier = calibration.get("brier")
    if error["value"] is not None:
        yield f"Expected calibration error: **{_format_points(error)}**."
        chance = error.get("chance")
        if chance is not None:
            yield f"With so few cases, perfect probabilities would show about {100 * chance:.1f}."
    if brier and brier["value"] is not None:
        share = level["positives"] / max(1, level["count"])
        constant = share * (1 - share)
        yield f"Brier score {format_number(brier)}; a constant {share:.0%} would score {constant:.3f}."


def _describe_temperature(temperature: float, where: str) -> str:
    sentence = f"Temperature scaling, fitted on {where}: the logits are divided by {temperature:.2f}."
    if COOLEST < temperature < HOTTEST:
        return sentence
    return f"{sentence} That is the end of the search range: these images do not determine it."


def _format_points(error: Estimate) -> str:
    value = error["value"] or 0.0
    low = error["low"]
    high = error["high"]
    interval = "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * value:.1f} percentage points{interval}"


def _threshold_free(found: Level, counted: str) -> list[dict[str, str]]:
    rows = {
        "Validated on": f"{found['count']:,} {counted}, {found['positives']:,} positive",
        "AUC (area under the ROC curve)": format_number(found["auc"]),
        metric_title("average_precision"): format_number(found.get("average_precision")),
    }
    return [{"Metric": name, "Value": value} for name, value in rows.items()]


def _rates(point: OperatingPoint) -> dict[str, str]:
    row = {"Threshold": format_threshold(point["threshold"])}
    for name in RATES:
        row[metric_title(name)] = format_percent(point[name])
    kappa = point.get("kappa")
    if kappa:  # older cards lack it
        row[metric_title("kappa")] = format_number(kappa, 2)
    return row


def _part_row(part: str, values: PartLevel) -> dict[str, str]:
    point = values["points"]["balanced"]
    row = {"Body part": part, "Images": f"{values['count']:,} ({values['positives']:,})"}
    rates: tuple[Rate, ...] = ("sensitivity", "specificity")
    for name in rates:
        row[metric_title(name)] = format_percent(point[name])
    return {**row, metric_title("auc"): format_number(values["auc"], 2)}
