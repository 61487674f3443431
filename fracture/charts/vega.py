"""Charts that follow the operating point, as data and a Vega-Lite specification that stays the same.

Streamlit 1.67 mounts a new Plotly chart whenever anything in it changes: its place goes blank until it is drawn. A
Vega-Lite chart takes new data in place, so that nothing flickers while a slider is moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.charts.style import ACCENT, LABEL_PX, MODEL, NEGATIVE_COLOR, POSITIVE_COLOR, TITLE_PX
from fracture.files import JsonObject

HEIGHT = 300
"""Height in px of each curve, so that two stand side by side."""

ROW_HEIGHT = 310
"""px of the histogram, the matrix and the icons, which stand in one row below the slider."""

BINS = 20
"""Of the histogram of probabilities."""

LABEL_LIMIT_PX = 220
"""Of one line of a label in a presentation; Vega-Lite's own limit is that of small type."""

OUTCOMES = ("Found", "Missed", "False alarm", "Correctly cleared")

# SVG paths within -1 to 1, as Vega-Lite takes the shape of a mark.
STAR = "M0,-1L.235,-.324L.951,-.309L.38,.124L.588,.809L0,.4L-.588,.809L-.38,.124L-.951,-.309L-.235,-.324Z"
_POINT = {"type": "point", "shape": STAR, "size": 320, "filled": True, "opacity": 1}
_CROSSED_SQUARE = "M-1,-1L1,-1L1,1L-1,1ZM-1,-1L1,1M1,-1L-1,1"
_CROSSED_CIRCLE = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0M-.7,-.7L.7,.7M-.7,.7L.7,-.7"


class VegaChart(NamedTuple):
    """What ``st.vega_lite_chart`` takes; in a notebook ``altair.Chart.from_dict`` after putting the data in."""

    data: pd.DataFrame
    spec: JsonObject


def enlarge_spec(chart: VegaChart) -> VegaChart:
    """A chart for the last row of a classroom: large labels and thick lines."""
    text = {"labelFontSize": LABEL_PX, "titleFontSize": LABEL_PX, "labelLimit": LABEL_LIMIT_PX}
    config = {
        "axis": text,
        "legend": text,
        "text": {"fontSize": LABEL_PX},
        "title": {"fontSize": TITLE_PX},
        "line": {"strokeWidth": 4},
    }
    return VegaChart(chart.data, {**chart.spec, "config": {**chart.spec.get("config", {}), **config}})


def roc(label: NDArray[Any], probability: NDArray[Any], threshold: float) -> VegaChart:
    """Sensitivity against the false positive rate, one threshold marked. Both labels must be there."""
    from sklearn.metrics import roc_curve

    false_positives, sensitivity, _ = roc_curve(label, probability)
    called = probability >= threshold
    point = (called[label == 0].mean(), called[label == 1].mean())
    data = _parts(curve=(false_positives, sensitivity), chance=([0, 1], [0, 1]), name=([0.75], [0.68]), point=point)
    return VegaChart(data, _curve_spec("ROC curve", "False positive rate (1 - specificity)", "Sensitivity"))


def precision_recall(label: NDArray[Any], probability: NDArray[Any], threshold: float) -> VegaChart:
    """Precision (the positive predictive value) against sensitivity, one threshold marked. Both labels must be there.

    Where nothing is called positive there is no precision, and no mark.
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(label, probability, drop_intermediate=True)
    called = probability >= threshold
    share = float(label.mean())
    reached = label[called].mean() if called.any() else np.nan
    data = _parts(
        curve=(recall[:-1], precision[:-1]),  # scikit-learn appends (0, 1), at which nothing was measured
        chance=([0, 1], [share, share]),
        name=([0.12], [share - 0.06]),
        point=(called[label == 1].mean(), reached),
    )
    return VegaChart(data, _curve_spec("Precision-recall curve", "Sensitivity (recall)", "Precision (PPV)"))


def score_histogram(
    label: NDArray[Any], probability: NDArray[Any], threshold: float, label_names: tuple[str, str]
) -> VegaChart:
    """The share of each label's cases by probability: the positive ones upward, the negative ones downward.

    Shares, not counts: most data sets have more cases of one label.

    Args:
        label: (N,), 0 or 1.
        probability: (N,), 0 to 1.
        threshold: 0 to 1, a line across both.
        label_names: of 0 and of 1.
    """
    edges = np.linspace(0, 1, BINS + 1)
    parts = []
    for value, sign in ((1, 1), (0, -1)):
        counts, _ = np.histogram(probability[label == value], edges)
        shares = counts / max(1, counts.sum())
        parts.append(
            pd.DataFrame(
                {
                    "begin": edges[:-1],
                    "end": edges[1:],
                    "height": sign * shares,
                    "share": shares,
                    "cases": counts,
                    "label": label_names[value],
                    "part": ("negative", "positive")[value],
                }
            )
        )
    line = pd.DataFrame({"begin": [threshold], "part": ["threshold"]})
    return VegaChart(pd.concat([*parts, line], ignore_index=True), _histogram_spec(label_names))


def confusion(cells: Mapping[str, int], label_names: tuple[str, str]) -> VegaChart:
    """The confusion matrix, rows by truth: each cell its count and its share of the row."""
    matrix = np.array(
        [[cells["true_negative"], cells["false_positive"]], [cells["false_negative"], cells["true_positive"]]]
    )
    # A label without images has a row of zeros, and no shares to compute.
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    rows = [
        {
            "truth": label_names[row],
            "prediction": label_names[column],
            "count": matrix[row, column],
            "share": share[row, column],
            "text": f"{matrix[row, column]:,}\n{share[row, column]:.0%}",
        }
        for row in range(2)
        for column in range(2)
    ]
    return VegaChart(pd.DataFrame(rows), _CONFUSION)


def natural_frequencies(sensitivity: float, specificity: float, prevalence: float) -> dict[str, int]:
    """Of a hundred patients, how many have each of the :data:`OUTCOMES`: whole numbers that add up to 100.

    All three are shares, 0 to 1. The prevalence is rounded first, so that it does not depend on the model.
    """
    # Only two of the four are rounded: the others are what is left, so that the sum is 100.
    positives = round(100 * prevalence)
    negatives = 100 - positives
    found = round(positives * sensitivity)
    cleared = round(negatives * specificity)
    return dict(zip(OUTCOMES, (found, positives - found, negatives - cleared, cleared), strict=True))


def icon_array(counts: Mapping[str, int]) -> VegaChart:
    """A hundred icons, as :func:`natural_frequencies` counts them.

    Squares are positive, circles negative; a cross marks an error.
    """
    outcomes: list[str] = []
    for outcome in OUTCOMES:
        outcomes += [outcome] * counts[outcome]
    rows = [{"across": place % 10, "down": place // 10, "outcome": name} for place, name in enumerate(outcomes)]
    return VegaChart(pd.DataFrame(rows), _ICON_ARRAY)


def _parts(point: tuple[float, float], **parts: tuple[Sequence[float], Sequence[float]]) -> pd.DataFrame:
    """Points in the order in which they are joined, and which part of the chart each belongs to."""
    drawn = [pd.DataFrame({"x": x, "y": y, "part": part}) for part, (x, y) in parts.items()]
    table = pd.concat([*drawn, pd.DataFrame({"x": [point[0]], "y": [point[1]], "part": "point"})], ignore_index=True)
    return table.assign(place=range(len(table)))


def _curve_spec(title: str, across: str, up: str) -> JsonObject:
    def part(name: str, mark: JsonObject, **encoding: Any) -> JsonObject:
        return {"transform": [{"filter": f"datum.part == '{name}'"}], "mark": mark, "encoding": encoding}

    order = {"field": "place", "type": "quantitative"}
    said = [{"field": field, "title": name, "format": ".1%"} for field, name in (("x", across), ("y", up))]
    return {
        "title": title,
        "height": HEIGHT,
        "encoding": {"x": _share("x", across), "y": _share("y", up)},
        "layer": [
            part("chance", {"type": "line", "strokeDash": [2, 4], "color": "gray", "strokeWidth": 2}),
            part("name", {"type": "text", "text": "chance", "color": "gray", "align": "left"}),
            part("curve", {"type": "line", "color": MODEL, "strokeWidth": 2}, order=order, tooltip=said),
            part("point", {**_POINT, "color": ACCENT}, tooltip=said),
        ],
    }


def _histogram_spec(label_names: tuple[str, str]) -> JsonObject:
    bars = {
        "transform": [{"filter": "datum.cases > 0"}],
        "mark": {"type": "rect"},  # a bar between two values would lie on its side
        "encoding": {
            "x2": {"field": "end"},
            "y": {
                "field": "height",
                "type": "quantitative",
                "title": "Share of each label",
                "axis": {"labelExpr": "format(abs(datum.value), '.0%')", "tickCount": 6},
            },
            "y2": {"datum": 0},
            "color": {
                "field": "label",
                "type": "nominal",
                "scale": {"domain": list(reversed(label_names)), "range": [POSITIVE_COLOR, NEGATIVE_COLOR]},
                "legend": {"title": None, "orient": "top"},
            },
            "tooltip": [
                {"field": "label", "title": "Label"},
                {"field": "begin", "title": "From", "format": ".0%"},
                {"field": "end", "title": "To", "format": ".0%"},
                {"field": "cases", "title": "Cases"},
                {"field": "share", "title": "Share of the label", "format": ".1%"},
            ],
        },
    }
    line = {
        "transform": [{"filter": "datum.part == 'threshold'"}],
        "mark": {"type": "rule", "color": ACCENT, "strokeWidth": 3},
    }
    return {
        "title": "Probabilities",
        "height": ROW_HEIGHT,
        "encoding": {"x": _share("begin", "Probability")},
        "layer": [bars, line],
    }


def _share(field: str, title: str) -> JsonObject:
    axis = {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]}
    return {"field": field, "type": "quantitative", "title": title, "scale": {"domain": [0, 1]}, "axis": axis}


_WORD_BY_WORD = {"labelExpr": "split(datum.label, ' ')"}
"""A line a word: three charts stand in a row, and a name such as *not fractured* is wider than a cell."""
_LEVEL = {"labelAngle": 0, "labelAlign": "center", **_WORD_BY_WORD}
_CONFUSION = {
    "title": "Confusion matrix",
    "height": ROW_HEIGHT,
    "config": {"text": {"fontSize": 16}},  # here, where a presentation makes it larger
    "encoding": {
        "x": {"field": "prediction", "type": "nominal", "sort": None, "title": "Prediction", "axis": _LEVEL},
        "y": {"field": "truth", "type": "nominal", "sort": None, "title": "Truth", "axis": _WORD_BY_WORD},
        "tooltip": [
            {"field": "truth", "title": "Truth"},
            {"field": "prediction", "title": "Prediction"},
            {"field": "count", "title": "Count"},
            {"field": "share", "title": "Share of the row", "format": ".1%"},
        ],
    },
    "layer": [
        {
            "mark": {"type": "rect"},
            "encoding": {
                "color": {
                    "field": "share",
                    "type": "quantitative",
                    "legend": None,
                    "scale": {"domain": [0, 1], "range": ["#F1EDF9", "#4B2A86"]},
                }
            },
        },
        {
            "mark": {"type": "text", "lineBreak": "\n", "baseline": "middle", "dy": -8},
            "encoding": {
                "text": {"field": "text"},
                "color": {"condition": {"test": "datum.share > 0.67", "value": "white"}, "value": "black"},
            },
        },
    ],
}


def _by_outcome(values: Sequence[Any]) -> JsonObject:
    legend = {"title": None, "orient": "top", "columns": 2, "symbolSize": 140, "symbolStrokeWidth": 1.5}
    scale = {"domain": list(OUTCOMES), "range": list(values)}
    return {"field": "outcome", "type": "nominal", "scale": scale, "legend": legend}


_ICON_ARRAY = {
    "title": "Of 100 patients",
    "height": ROW_HEIGHT,
    "mark": {"type": "point", "size": 110, "strokeWidth": 1.5, "opacity": 1},
    "encoding": {
        "x": {"field": "across", "type": "quantitative", "axis": None, "scale": {"domain": [-0.5, 9.5]}},
        "y": {"field": "down", "type": "quantitative", "axis": None, "scale": {"domain": [9.5, -0.5]}},
        "shape": _by_outcome(["square", _CROSSED_SQUARE, _CROSSED_CIRCLE, "circle"]),
        "fill": _by_outcome([POSITIVE_COLOR, "transparent", "transparent", f"{NEGATIVE_COLOR}66"]),
        "stroke": _by_outcome([POSITIVE_COLOR, POSITIVE_COLOR, NEGATIVE_COLOR, "transparent"]),
        "tooltip": {"field": "outcome", "title": "Outcome"},
    },
}
