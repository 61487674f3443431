"""Figures from plain data."""

import numpy as np
import pandas as pd
import pytest

from fracture import charts

HISTORY = {
    "loss": [0.7, 0.5, 0.4],
    "val_loss": [0.6, 0.5, 0.55],
    "accuracy": [0.5, 0.7, 0.8],
    "val_accuracy": [0.5] * 3,
}


def test_curves_mark_the_best_epoch_and_keep_their_axis():
    """The star lies on the validation curve at the kept epoch; the axis spans the planned epochs from the start."""
    assert charts.best_epoch(HISTORY) == 2
    figure = charts.curves(HISTORY, "loss", epochs=30, kept_epoch=2)
    star = figure.data[-1]
    assert (star.x[0], star.y[0]) == (2, 0.5)
    assert list(figure.layout.xaxis.range) == [0.5, 30.5]
    assert [list(line.y) for line in figure.data[:2]] == [HISTORY["loss"], HISTORY["val_loss"]]


def test_curves_before_the_first_epoch_are_empty():
    """A training that has not learned yet has an empty chart and no best epoch."""
    assert charts.best_epoch({}) is None
    assert [list(line.y) for line in charts.curves({}, "loss", 30, None).data] == [[], []]


def test_class_balance_adds_up():
    """Bars are sums over what is not on the axis; a label that is missing counts as none."""
    counts = pd.DataFrame({"split": ["train", "train", "valid"], "body_part": ["a", "b", "a"], "label": [0, 0, 1]})
    figure = charts.class_balance(counts.assign(images=[3, 4, 5]), ("normal", "abnormal"), "split")
    assert [(bar.name, list(bar.y)) for bar in figure.data] == [("normal", [7, 0]), ("abnormal", [0, 5])]


def test_confusion_has_truth_in_rows():
    """A false negative stands in the row of the positives, in the column of the negatives."""
    cells = {"true_positive": 6, "false_negative": 2, "false_positive": 1, "true_negative": 9}
    heat = charts.confusion(cells, ("no", "yes")).data[0]
    assert heat.text[1][0].startswith("2<br>25%")
    assert heat.text[0][1].startswith("1<br>10%")


def test_roc_marks_the_threshold_where_it_lies():
    """The star has the sensitivity and the false alarms of its threshold."""
    figure = charts.roc(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]), threshold=0.5)
    star = figure.data[-1]
    assert (star.x[0], star.y[0]) == (0.5, 0.5)


def test_the_overlay_is_orange_for_blue_against_and_clear_at_zero():
    """Each pixel is coloured by the sign and the strength of the map, and left alone where the map is zero."""
    pixels = np.full((40, 60), 100, np.uint8)
    heat = np.zeros((10, 15), np.float32)
    heat[:, :5], heat[:, 10:] = 2.0, -2.0
    drawn = np.asarray(charts.heat_overlay(pixels, heat, opacity=1.0, scale=2.0))
    assert drawn.shape == (40, 60, 3)
    assert tuple(drawn[20, 5]) == charts.FOR
    assert tuple(drawn[20, 55]) == charts.AGAINST
    assert tuple(drawn[20, 30]) == (100, 100, 100)


@pytest.mark.parametrize(("opacity", "scale"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_overlay_without_opacity_or_heat_is_the_image(opacity, scale):
    """Opacity zero shows the image itself, and a map that is zero everywhere divides by nothing."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    heat = np.full((2, 2), scale, np.float32)
    drawn = np.asarray(charts.heat_overlay(pixels, heat, opacity, scale))
    assert np.array_equal(drawn, np.repeat(pixels[..., None], 3, axis=-1))
