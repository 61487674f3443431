"""Figures from plain data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fracture import charts

HISTORY = {
    "loss": [0.7, 0.5, 0.4],
    "val_loss": [0.6, 0.5, 0.55],
    "accuracy": [0.5, 0.7, 0.8],
    "val_accuracy": [0.5] * 3,
}


def domain(chart, axis):
    """The ends of an axis of a Vega-Lite chart."""
    return list(chart.spec["encoding"][axis]["scale"]["domain"])


def test_training_curves_while_running_mark_the_best_epoch_on_a_fixed_axis():
    """The star lies on the validation curve at the kept epoch; the axis spans the planned epochs from the start."""
    assert charts.best_epoch(HISTORY) == 2
    chart = charts.training_curves(HISTORY, "loss", epochs=30, kept_epoch=2)
    star = chart.data[chart.data["part"] == "Best epoch"]
    assert star[["epoch", "value"]].to_numpy().tolist() == [[2, 0.5]]
    assert domain(chart, "x") == [0.5, 30.5]
    for part, name in (("Training", "loss"), ("Validation", "val_loss")):
        assert chart.data.loc[chart.data["part"] == part, "value"].tolist() == HISTORY[name]


def test_training_curves_before_the_first_epoch_are_empty():
    """A run without an epoch has an empty chart and no best epoch."""
    assert charts.best_epoch({}) is None
    assert charts.best_epoch({"val_auc": [0.9, 1.0, 1.0], "val_loss": [0.1, 0.8, 0.2]}) == 3
    assert charts.training_curves({}, "loss", 30, None).data.empty


def test_curves_of_a_replay_have_the_specification_of_the_whole_run():
    """Only the data change from frame to frame: the browser would mount a chart of another specification anew."""
    whole = {"loss": [2.0, 0.5], "val_loss": [1.9, 0.6]}
    late = {"loss": [0.5], "val_loss": [0.6]}
    complete = charts.training_curves(whole, "loss", 2, 2)
    assert charts.training_curves(late, "loss", 2, 1, scale=whole).spec == complete.spec
    assert charts.training_curves({}, "loss", 2, None, scale=whole).spec == complete.spec
    assert charts.training_curves(late, "loss", 2, None).spec != complete.spec
    first, both = ({1: [0.4]}, {1: [0.4], 2: [0.6]})
    assert charts.followed_curves(first, [0], "p", 2).spec == charts.followed_curves(both, [0], "p", 2).spec


def test_followed_curves_draw_each_image_in_the_color_of_its_label():
    """Orange and solid for the positive label, blue and dashed for the negative one; a missing epoch has no point."""
    chart = charts.followed_curves({1: [0.4, 0.6], 3: [0.1, 0.9]}, [0, 1], "Probability of fractured", 3)
    encoding = chart.spec["layer"][-1]["encoding"]
    assert encoding["color"]["scale"] == {"domain": [0, 1], "range": [charts.NEGATIVE_COLOR, charts.POSITIVE_COLOR]}
    assert encoding["strokeDash"]["scale"]["range"][1] == [1, 0]
    positive = chart.data[chart.data["label"] == 1]
    assert positive[["epoch", "value"]].to_numpy().tolist() == [[1, 0.6], [3, 0.9]]
    assert domain(chart, "x") == [0.5, 3.5]


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("auc", [0.980, 0.989], (0.5, 1.0)),
        ("val_accuracy", [0.43, 0.8], (0.4, 1.0)),
        ("auc", [], (0.5, 1.0)),
        ("loss", [0.69, 0.31, float("nan")], (0.0, 0.75)),
        ("val_loss", [], (0.0, 1.0)),
        ("loss", [3.1], (0.0, 3.25)),
    ],
)
def test_metric_range_for_any_values_spans_what_the_metric_can_be(metric, values, expected):
    """Axes run from chance, or the lowest value, to perfect, and a loss from 0: noise does not fill the chart."""
    low, high = charts.metric_range(metric, values)
    assert (low, high) == pytest.approx(expected, abs=0.021)
    assert all(low < value < high for value in values if value == value)


def test_training_curves_with_noisy_steps_keep_the_range_of_the_epochs():
    """Single batches are noise, and are cut off where they leave the range of the epochs."""
    steps = [(0.5, 0.6), (1.5, 9.0)]
    with_steps, without = (charts.training_curves(HISTORY, "loss", 3, None, each) for each in (steps, ()))
    assert domain(with_steps, "y") == domain(without, "y") == list(charts.metric_range("loss", [0.7]))
    assert with_steps.spec["layer"][0]["mark"]["clip"]


def test_auc_charts_with_close_values_share_one_axis():
    """Every chart of an AUC has the same axis, however close the values lie."""
    expected = charts.metric_range("auc", [0.98])
    history = {"auc": [0.98, 0.985], "val_auc": [0.981, 0.982], "loss": [0.2], "val_loss": [0.2]}
    points = pd.DataFrame({"groups": [5, 9], "images": [9, 20], "auc": [0.97, 0.98]})
    splits = pd.DataFrame({"way": ["group", "image"], "seed": [0, 0], "auc": [0.97, 0.98]})
    for figure in (
        charts.compared_curves({"a": charts.RunHistory(history, 1)}, "auc", 2),
        charts.learning_curve(points),
        charts.leakage_gaps(splits),
    ):
        assert tuple(figure.layout.yaxis.range) == expected
    for chart in (charts.training_curves(history, "auc", 2, None), charts.trial_curves([history], 1, ["val_auc"])):
        assert tuple(domain(chart, "y")) == expected
    choices = {"learning_rate": [0.1, 0.2], "dropout": [0.1, 0.2], "l2": [0.1, 0.2]}
    found = charts.parallel_coordinates(pd.DataFrame({**choices, "chosen_by": [0.97, 0.98], "other": [0.98, 0.97]}))
    assert [tuple(each.range) for each in found.data[0].dimensions[-2:]] == [expected, expected]


def test_charts_without_color_stay_readable():
    """Dashes tell training from validation, and shapes tell positive from negative patients."""
    spec = charts.training_curves(HISTORY, "loss", 3, None).spec
    assert spec["layer"][1]["encoding"]["strokeDash"]["scale"]["range"] == [[2, 3], [1, 0]]
    spec = charts.trial_curves([HISTORY], 1, ["loss", "val_loss"]).spec
    assert "strokeDash" in spec["layer"][0]["encoding"]
    shapes = charts.icon_array(charts.natural_frequencies(0.5, 0.5, 0.5)).spec["encoding"]["shape"]["scale"]["range"]
    assert len(set(shapes)) == len(charts.OUTCOMES)


def test_compared_curves_of_two_runs_have_a_color_each():
    """Training and validation share a color; the kept epoch has the green star of all charts, outlined in it."""
    trainings = {"a": charts.RunHistory(HISTORY, 2), "b": charts.RunHistory({"loss": [0.9]}, None)}
    figure = charts.compared_curves(trainings, "loss", 30)
    training, validation, star, other, *_ = figure.data
    assert training.line.color == validation.line.color == star.marker.line.color == charts.colors("ab")["a"]
    assert (star.marker.symbol, star.marker.color) == ("star", charts.ACCENT)
    assert other.line.color == charts.colors("ab")["b"]
    assert (training.line.dash, validation.line.dash) == ("dot", "solid")
    assert (star.x[0], star.y[0]) == (2, HISTORY["val_loss"][1])
    assert [line.name for line in figure.data if line.showlegend] == ["a", "b"]
    assert list(figure.layout.xaxis.range) == [0.5, 30.5]


def test_roc_curves_without_one_of_the_models_keep_the_colors():
    """Where the second of three models has no predictions, the third keeps the color of the other charts."""
    named = charts.colors(["one", "two", "three"])
    models = dict.fromkeys(("one", "three"), (LABEL, PROBABILITY))
    figure = charts.roc_curves(models, {name: named[name] for name in models})
    assert {line.name: line.line.color for line in figure.data if line.name in models}["three"] == named["three"]


def test_class_balance_with_missing_labels_adds_up():
    """Bars are sums over the other columns; a missing label counts as zero."""
    counts = pd.DataFrame({"split": ["train", "train", "valid"], "body_part": ["a", "b", "a"], "label": [0, 0, 1]})
    figure = charts.class_balance(counts.assign(images=[3, 4, 5]), ("normal", "abnormal"), "split")
    assert [(bar.name, list(bar.y)) for bar in figure.data] == [("normal", [7, 0]), ("abnormal", [0, 5])]


def test_confusion_of_any_cells_has_truth_in_rows():
    """A false negative stands in the row of the positives, in the column of the negatives."""
    cells = {"true_positive": 6, "false_negative": 2, "false_positive": 1, "true_negative": 9}
    data = charts.confusion(cells, ("no", "yes")).data.set_index(["truth", "prediction"])["text"]
    assert data["yes", "no"] == "2\n25%"
    assert data["no", "yes"] == "1\n10%"


LABEL, PROBABILITY = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])


def marked(chart):
    point = chart.data.set_index("part").loc["point"]
    return point["x"], point["y"]


def test_roc_at_a_threshold_marks_its_operating_point():
    """The star has the false positive rate, the sensitivity and the precision of its threshold."""
    assert marked(charts.roc(LABEL, PROBABILITY, threshold=0.5)) == (0.5, 0.5)
    assert marked(charts.precision_recall(LABEL, PROBABILITY, threshold=0.3)) == (1.0, 2 / 3)


def test_precision_recall_without_positive_predictions_has_no_mark():
    """Where nothing is called positive there is no mark, rather than one at 0 or at 1."""
    assert np.isnan(marked(charts.precision_recall(LABEL, PROBABILITY, threshold=1.0))[1])


@pytest.mark.parametrize("chart", [charts.roc, charts.precision_recall])
def test_vega_chart_at_another_threshold_keeps_its_specification(chart):
    """Only the data follow the threshold: a new specification would make the chart flicker."""
    before, after = (chart(LABEL, PROBABILITY, threshold) for threshold in (0.2, 0.7))
    assert before.spec == after.spec
    assert not before.data.equals(after.data)


def test_roc_curves_of_several_models_have_a_line_each():
    """Each model has a line of its own color, beside the line of chance."""
    models = {"one": (LABEL, PROBABILITY), "two": (LABEL, 1 - PROBABILITY)}
    for figure in (charts.roc_curves(models), charts.precision_recall_curves(models)):
        lines = [line for line in figure.data if line.name in models]
        assert len({line.line.color for line in lines}) == 2
        assert [line.name for line in figure.data if line not in lines] == ["Chance"]


share = st.floats(0, 1)


@given(share, share, share)
@settings(deadline=None)
def test_natural_frequencies_for_any_model_add_up_to_a_hundred(sensitivity, specificity, prevalence):
    """For any model and any prevalence the four counts are whole, none is negative, and they add up."""
    counts = charts.natural_frequencies(sensitivity, specificity, prevalence)
    assert tuple(counts) == charts.OUTCOMES
    assert sum(counts.values()) == 100
    assert min(counts.values()) >= 0
    assert counts["Found"] + counts["Missed"] == round(100 * prevalence)
    drawn = charts.icon_array(counts).data
    assert len(drawn.drop_duplicates(["across", "down"])) == 100
    assert drawn["outcome"].value_counts().to_dict() == {name: count for name, count in counts.items() if count}


def test_reliability_with_an_empty_bin_has_no_point_for_it():
    """An empty bin has no point but a count of zero; an unknown interval has no length."""
    known = {"low": 0.0, "high": 0.5, "count": 4, "mean_probability": 0.3, "share_positive": 0.25}
    empty = {"low": 0.5, "high": 1.0, "count": 0, "mean_probability": None, "share_positive": None}
    no_ends = {"share_low": None, "share_high": None}
    figure = charts.reliability([{**known, "share_low": 0.1, "share_high": 0.5}, {**empty, **no_ends}], "broken")
    points, counts = figure.data[1], figure.data[2]
    assert (list(points.x), list(points.y)) == ([0.3], [0.25])
    assert (points.error_y.array[0], points.error_y.arrayminus[0]) == pytest.approx((0.25, 0.15))
    assert list(counts.y) == [4, 0]
    assert list(charts.reliability([{**known, **no_ends}], "broken").data[1].error_y.array) == [0]


def test_ringed_at_a_location_surrounds_it_and_leaves_it_clear():
    """The ring is centered on its location, which it does not cover."""
    drawn = np.asarray(charts.ringed(Image.fromarray(np.zeros((120, 240), np.uint8)), 0.75, 0.5))
    rows, columns = np.nonzero(drawn.any(axis=2))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((180, 60), abs=1)
    assert not drawn[60, 180].any() and np.ptp(columns) == pytest.approx(20, abs=2)


def test_boxed_draws_solid_and_dashed_lines_around_boxes_and_leaves_them_clear():
    """A solid box has a whole frame, a dashed one gaps; neither covers what it marks, and each has its text."""
    black = Image.fromarray(np.zeros((200, 400), np.uint8))
    box = (0.25, 0.5, 0.25, 0.25)  # columns 100 to 200, rows 100 to 150
    solid = np.asarray(charts.boxed(black, [charts.LabeledBox(box, "73%", dashed=False)]))
    dashed = np.asarray(charts.boxed(black, [charts.LabeledBox(box, "73%", dashed=True)]))
    for drawn in (solid, dashed):
        assert not drawn[100:150, 100:200].any()
        assert drawn[75:97, 98:140].any(), "the text above the box"
    orange = np.array(charts.FOR)
    assert (solid[98, 98:202] == orange).all()
    below = (dashed[151, 98:202] == orange).all(axis=1)
    assert 0.3 < below.mean() < 0.7


def test_boxed_at_the_edges_writes_within_the_picture():
    """Where there is no room above a box, its text is below it; at the right edge, it moves to the left."""
    black = Image.fromarray(np.zeros((200, 400), np.uint8))
    drawn = np.asarray(charts.boxed(black, [charts.LabeledBox((0.97, 0.0, 0.03, 0.2), "100%", dashed=False)]))
    text = drawn[44:60]  # the box ends in row 40
    assert text[:, :395].any()


def test_heat_overlay_of_signed_heat_is_orange_blue_or_clear():
    """The sign of the heat decides the color of a pixel; zero leaves the image as it is."""
    pixels = np.full((40, 60), 100, np.uint8)
    heat = np.zeros((10, 15), np.float32)
    heat[:, :5], heat[:, 10:] = 2.0, -2.0
    drawn = np.asarray(charts.heat_overlay(pixels, heat, opacity=1.0, scale=2.0))
    assert drawn.shape == (40, 60, 3)
    assert tuple(drawn[20, 5]) == charts.FOR
    assert tuple(drawn[20, 55]) == charts.AGAINST
    assert tuple(drawn[20, 30]) == (100, 100, 100)


@pytest.mark.parametrize(("opacity", "scale"), [(0.0, 1.0), (1.0, 0.0)])
def test_heat_overlay_without_opacity_or_heat_is_the_image(opacity, scale):
    """Opacity zero shows the image itself, and a constant zero map divides by nothing."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    heat = np.full((2, 2), scale, np.float32)
    drawn = np.asarray(charts.heat_overlay(pixels, heat, opacity, scale))
    assert np.array_equal(drawn, np.repeat(pixels[..., None], 3, axis=-1))


def test_property_aucs_draws_the_strongest_on_top():
    """A dot each with its interval, significant ones in a color of their own; one without an interval has no bar."""
    found = pd.DataFrame(
        {
            "title": ["Image height", "Brightness", "Markers"],
            "direction": ["taller images", "darker images", "images with more bright markers"],
            "value": [0.83, 0.55, 0.52],
            "low": [0.8, 0.48, None],
            "high": [0.86, 0.62, None],
            "significant": [True, False, False],
        }
    )
    figure = charts.property_aucs(found)
    significant, others = figure.data
    assert list(significant.y) == ["Image height"] and list(others.y) == ["Brightness", "Markers"]
    assert list(significant.error_x.array) == pytest.approx([0.03])
    assert list(others.error_x.array) == pytest.approx([0.07, 0])
    assert list(figure.layout.yaxis.categoryarray) == ["Markers", "Brightness", "Image height"]
    assert figure.layout.xaxis.range[0] < 0.48 and figure.layout.shapes[0].x0 == 0.5


def test_score_histogram_counts_each_label_on_its_side():
    """Shares of positive cases go upward, of negative ones downward; the threshold is a line of its own."""
    data = charts.score_histogram(LABEL, PROBABILITY, 0.3, ("no", "yes")).data
    counted = data[data["cases"] > 0]
    assert counted.groupby("label")["height"].sum().to_dict() == {"no": -1, "yes": 1}
    assert counted["cases"].tolist() == [1, 1, 1, 1]
    assert counted.loc[counted["label"] == "yes", "begin"].round(2).tolist() == [0.4, 0.9]
    assert data.loc[data["part"] == "threshold", "begin"].tolist() == [0.3]


def test_enlarge_makes_lines_and_labels_larger_and_keeps_the_figure():
    """A presentation's chart has thicker lines and larger type; the figure itself may be cached, and stays."""
    runs = {"a": charts.RunHistory({"loss": [0.7, 0.5], "val_loss": [0.6, 0.5]}, 2)}
    figure = charts.compared_curves(runs, "loss", 2)
    before = figure.to_json()
    larger = charts.enlarge(figure)
    assert figure.to_json() == before
    assert larger.layout.xaxis.tickfont.size >= 20 and larger.layout.legend.font.size >= 20
    for old, new in zip(figure.data, larger.data, strict=True):
        assert new.name == old.name and list(new.y) == list(old.y)
        assert new.line.width > (old.line.width or 2)
    assert larger.data[-1].marker.size > figure.data[-1].marker.size


def test_enlarge_of_a_picture_keeps_its_size():
    """It stands beside a picture to draw on: the same place is at the same height in both."""
    picture = charts.still(Image.new("L", (40, 60)), "phantom", 360)
    larger = charts.enlarge(picture)
    assert (larger.layout.height, larger.layout.margin.t) == (360, 0)


def test_enlarge_of_parallel_coordinates_has_larger_labels():
    """It has fonts of its own."""
    trials = pd.DataFrame({"learning_rate": [0.01], "dropout": [0.1], "l2": [1e-4], "chosen_by": [0.7], "other": [0.6]})
    larger = charts.enlarge(charts.parallel_coordinates(trials))
    assert larger.data[0].labelfont.size >= 20 and larger.data[0].tickfont.size >= 20


def test_enlarge_spec_makes_labels_larger_and_keeps_the_data():
    """The chart itself may be cached, and stays."""
    label = np.array([0, 1, 0, 1])
    chart = charts.roc(label, np.array([0.1, 0.9, 0.4, 0.6]), 0.5)
    larger = charts.enlarge_spec(chart)
    assert larger.data is chart.data and larger.spec["config"]["axis"]["labelFontSize"] >= 20
    assert "labelFontSize" not in str(chart.spec.get("config"))


def test_presented_confusion_matrix_has_its_labels_whole():
    """A line a word on both axes, with room for a long one; the counts grow, too."""
    cells = {"true_negative": 5, "false_positive": 1, "false_negative": 2, "true_positive": 4}
    chart = charts.confusion(cells, ("not fractured", "fractured"))
    config = charts.enlarge_spec(chart).spec["config"]
    assert config["axis"]["labelLimit"] >= 11 * config["axis"]["labelFontSize"]
    assert config["text"]["fontSize"] > chart.spec["config"]["text"]["fontSize"]
    for axis in ("x", "y"):
        assert chart.spec["encoding"][axis]["axis"]["labelExpr"] == "split(datum.label, ' ')"
