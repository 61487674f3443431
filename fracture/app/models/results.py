"""How good a model is by its card: figures with their intervals, by body part, and whether it knows how sure it is."""

from collections.abc import Mapping

import streamlit as st

from fracture import charts
from fracture.app.shared.widgets import escape_markdown, format_percent, format_threshold, show_chart
from fracture.estimate import Estimate, format_number
from fracture.evaluation.calibration import COOLEST, HOTTEST
from fracture.evaluation.thresholds import TARGET_RATE
from fracture.inference.prediction import offered_points, points_cross
from fracture.registry.card import Card
from fracture.registry.validation import Level, OperatingPoint, PartLevel, Rate, ValidationResult

POINTS = {
    "balanced": "Balanced",
    "high_sensitivity": "High sensitivity",
    "high_specificity": "High specificity",
    "half": "One half",
}
"""The names of a card's operating points, in the order in which they are offered."""

COUNTED = {"image": "images", "study": "studies"}
"""What is counted at each level."""


def named_points(thresholds: Mapping[str, float]) -> dict[str, float]:
    """The operating points to offer, in the order of :data:`POINTS`."""
    offered = offered_points(thresholds)
    return {name: float(offered[name]) for name in POINTS if name in offered}


def choose_judged(card: Card) -> tuple[ValidationResult, str]:
    """Which data set, where there are several, and whether by image or by study, where both are known."""
    several = {judged.data: judged for judged in card.validation_results}
    judged, level = next(iter(several.values())), "image"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(several) > 1:
            judged = several[st.selectbox("Judged on", list(several), key="judged on")]
        if "study" in judged.metrics:
            level = st.segmented_control(
                "Judge it by", ["image", "study"], default="image", required=True, key="judge by",
                help="A study is all views of one visit; its probability is the mean of theirs.",
            )  # fmt: skip
    return judged, level


def show_figures(card: Card, judged: ValidationResult, level: str) -> None:
    """What holds over all thresholds, then what holds at the named ones."""
    found = judged.metrics[level]
    st.table(_over_all(found, COUNTED[level]), border="horizontal", hide_header=True, width="content")
    points = found["points"]
    named = named_points({name: point["threshold"] for name, point in points.items()})
    show_table([{"Operating point": POINTS[name], **_rates(points[name])} for name in named])
    first = card.validation_results[0]
    chosen = (
        f"The operating points and the kept epoch ({card.get('kept_epoch')} of {card.get('epochs_done')}) were chosen "
        + (
            "on the same validation images, which flatters the figures a little."
            if judged.data == first.data
            else f"on the validation images of *{escape_markdown(first.data)}*."
        )
    )
    st.caption(f"In brackets 95 % intervals, by bootstrap over {found['groups']:,} patients or groups. {chosen}")
    if promise := _promise(card["thresholds"], first):
        st.caption(promise)


def _promise(thresholds: Mapping[str, float], first: ValidationResult) -> str:
    """What the points of high sensitivity and specificity were chosen for, or why they are left out."""
    share, where = f"{100 * TARGET_RATE:.0f} %", f"by image on *{escape_markdown(first.data)}*"
    image = first.metrics["image"]
    if points_cross(thresholds):
        if image["positives"] in (0, image["count"]):  # of one label alone, nothing can be promised
            return ""
        return f"No points of high sensitivity or specificity: one threshold reaches {share} of both, {where}."
    named = [POINTS[name] for name in named_points(thresholds) if name.startswith("high")]
    return f"{' and '.join(named)}: chosen for at least {share}, {where}." if named else ""


def show_body_parts(level: Level) -> None:
    """Each body part on its own, at the balanced point; nothing where the card does not tell them apart."""
    parts, small = level.get("body_parts") or {}, level.get("body_parts_too_small") or {}
    if not parts and not small:
        return
    st.header("By body part")
    if parts:
        show_table([_part_row(escape_markdown(part), values) for part, values in parts.items()])
        st.caption("By image, in brackets how many are positive; at the balanced operating point.")
    if small:
        counted = ", ".join(f"{escape_markdown(part)} ({count:,})" for part, count in small.items())
        st.caption(f"Too few images to be judged apart: {counted}.")


def show_reliability(level: Level, positive: str, temperature: float | None, data: str) -> None:
    """Whether, of those that are given a probability of 70 %, some 70 % are positive."""
    st.header("How far its probabilities can be believed")
    found = level.get("calibration")
    if not found:
        st.caption("Not measured for this model.")
        return
    show_chart(charts.reliability(found["bins"], positive), "reliability", "Reliability diagram")
    error, brier = found["expected_calibration_error"], found.get("brier")
    share = level["positives"] / max(1, level["count"])
    said = [
        f"Where the line runs along the diagonal, what the model calls 70 % is {escape_markdown(positive)} "
        "in 70 of 100."
    ]
    if error["value"] is not None:
        said.append(f"Its probabilities are off by **{_points(error)}** on average (expected calibration error).")
        chance = error.get("chance")
        if chance is not None:
            said.append(f"Perfect ones would by chance look off by {100 * chance:.1f} on so few cases.")
    if brier and brier["value"] is not None:
        said.append(f"Brier score {number(brier)}; always saying {share:.0%} would get {share * (1 - share):.3f}.")
    if temperature:
        said.append(
            f"They are calibrated on *{escape_markdown(data)}*: log-odds divided by a temperature of {temperature:.2f}."
        )
        if not COOLEST < temperature < HOTTEST:
            said.append("That is the end of the range that was searched: these images do not tell it.")
    st.markdown(" ".join(said))
    st.caption("Below each part of the scale: how many got such a probability. Few there make a wide interval.")


number = format_number


def show_table(rows: list[dict[str, str]]) -> None:
    """A table of words; on a narrow screen an interval goes to the next line as a whole."""
    kept = [{name: text.replace(" to ", "\u00a0to\u00a0") for name, text in row.items()} for row in rows]
    st.table(kept, border="horizontal")


def _points(error: Estimate) -> str:
    value, low, high = error["value"] or 0.0, error["low"], error["high"]
    ends = "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * value:.1f} percentage points{ends}"


def _over_all(found: Level, counted: str) -> list[dict[str, str]]:
    rows = {
        "Validated on": f"{found['count']:,} {counted}, {found['positives']:,} of them positive",
        "AUC (area under the ROC curve)": number(found["auc"]),
        "Average precision": number(found.get("average_precision")),
    }
    return [{"Figure": name, "Value": value} for name, value in rows.items()]


def _rates(point: OperatingPoint) -> dict[str, str]:
    rates: tuple[Rate, ...] = ("sensitivity", "specificity", "accuracy")
    shares = {name.capitalize(): format_percent(point[name]) for name in rates}
    kappa = {"Kappa": number(point.get("kappa"), 2)} if point.get("kappa") else {}
    return {"From": format_threshold(point["threshold"]), **shares, **kappa}


def _part_row(part: str, values: PartLevel) -> dict[str, str]:
    point = values["points"]["balanced"]
    shares = {"Sensitivity": format_percent(point["sensitivity"]), "Specificity": format_percent(point["specificity"])}
    counted = f"{values['count']:,} ({values['positives']:,})"
    return {"Part": part, "Images": counted, **shares, "AUC": number(values["auc"], 2)}
