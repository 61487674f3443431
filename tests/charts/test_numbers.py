"""The numbers of figures, as a visitor downloads them."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture import charts

HISTORY = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.6, 0.55, 0.5]}


def test_numbers_of_training_curves_are_the_epochs():
    """Each line is a series with its values; columns have the names of the axes."""
    table = charts.vega_to_table(charts.training_curves(HISTORY, "loss", 3, kept_epoch=3))
    assert list(table.columns) == ["series", "Epoch", "Loss"]
    validation = table[table["series"] == "Validation"]
    assert validation["Epoch"].tolist() == [1, 2, 3] and validation["Loss"].tolist() == HISTORY["val_loss"]
    assert table["series"].iloc[-1] == "Best epoch"


def test_numbers_of_compared_curves_leave_unnamed_marks_out():
    """The star of a kept epoch stands in no legend, and is no series."""
    runs = {"a": charts.RunHistory(HISTORY, 2), "b": charts.RunHistory(HISTORY, None)}
    table = charts.to_table(charts.compared_curves(runs, "loss", 3))
    assert set(table["series"]) == {"a", "a, training", "b", "b, training"} and len(table) == 12


def test_numbers_of_an_interval_are_its_ends():
    """Error bars become two columns beside the value."""
    found = pd.DataFrame(
        {
            "title": ["height"],
            "direction": ["larger"],
            "value": [0.7],
            "low": [0.6],
            "high": [0.75],
            "significant": [True],
        }
    )
    row = charts.to_table(charts.property_aucs(found)).iloc[0]
    assert row["AUC (95% interval), low"] == pytest.approx(0.6)
    assert row["AUC (95% interval), high"] == pytest.approx(0.75)


def test_numbers_of_parallel_coordinates_are_a_row_a_trial():
    """Logarithms are named as such."""
    trials = pd.DataFrame(
        {
            "learning_rate": [0.01, 0.1],
            "dropout": [0.1, 0.2],
            "l2": [1e-4, 1e-3],
            "chosen_by": [0.7, 0.8],
            "other": [0.6, 0.7],
        }
    )
    table = charts.to_table(charts.parallel_coordinates(trials))
    assert table["log10 learning_rate"].tolist() == [-2, -1]
    assert table["Dropout"].tolist() == [0.1, 0.2] and len(table) == 2


def test_numbers_of_a_picture_are_none():
    """A figure that shows an image has no points."""
    assert charts.to_table(charts.still(Image.fromarray(np.zeros((4, 4), np.uint8)), "none")).empty


LABEL = np.array([0, 0, 1, 1])
PROBABILITY = np.array([0.1, 0.6, 0.4, 0.9])


def test_numbers_of_a_curve_and_its_operating_point_have_the_names_of_the_axes():
    """The line of chance, which only guides the eye, is left out."""
    table = charts.vega_to_table(charts.roc(LABEL, PROBABILITY, threshold=0.5))
    assert list(table.columns) == ["series", "False positive rate (1 - specificity)", "Sensitivity"]
    assert set(table["series"]) == {"curve", "point"}
    assert table.iloc[-1].tolist() == ["point", 0.5, 0.5]


def test_numbers_of_a_histogram_are_its_bins_with_shares_above_zero():
    """Bars of the negative label hang down in the chart, and have positive shares all the same."""
    table = charts.vega_to_table(charts.score_histogram(LABEL, PROBABILITY, 0.5, ("no", "yes")))
    assert table["Cases"].sum() == len(LABEL)
    assert table.groupby("Label")["Share of the label"].sum().to_dict() == {"no": 1.0, "yes": 1.0}
    assert table.loc[table["Label"] == "yes", "From"].tolist() == pytest.approx([0.4, 0.9])


def test_numbers_of_a_confusion_matrix_are_its_counts():
    """Each cell once, with its share of the row."""
    cells = {"true_positive": 6, "false_negative": 2, "false_positive": 1, "true_negative": 9}
    table = charts.vega_to_table(charts.confusion(cells, ("no", "yes")))
    assert table.to_numpy().tolist() == [
        ["no", "no", 9, 0.9],
        ["no", "yes", 1, 0.1],
        ["yes", "no", 2, 0.25],
        ["yes", "yes", 6, 0.75],
    ]


def test_numbers_of_icons_are_counts():
    """An outcome that no patient has is no row."""
    counts = {"Found": 18, "Missed": 4, "False alarm": 0, "Correctly cleared": 78}
    table = charts.vega_to_table(charts.icon_array(counts))
    assert dict(table.to_numpy().tolist()) == {name: count for name, count in counts.items() if count}


def test_numbers_of_trials_name_the_line_and_its_age():
    """Each epoch once, also the one with a star."""
    table = charts.vega_to_table(charts.trial_curves([HISTORY, HISTORY], 3, ("loss", "val_loss")))
    assert table.columns.tolist() == ["Line", "Epoch", "Value"] and len(table) == 12
    latest = table[table["Line"] == "Validation, latest trial"]
    assert latest["Value"].tolist() == HISTORY["val_loss"]
    assert "Training, trial before" in set(table["Line"])
