"""The numbers of figures, as a visitor downloads them."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fracture import charts

HISTORY = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.6, 0.55, 0.5]}


def test_numbers_of_training_curves_are_the_epochs():
    """Each line is a series with its values; columns have the names of the axes."""
    table = charts.to_table(charts.training_curves(HISTORY, "loss", 3, kept_epoch=3))
    assert list(table.columns) == ["series", "Epoch", "Loss"]
    validation = table[table["series"] == "Validation"]
    assert validation["Epoch"].tolist() == [1, 2, 3] and validation["Loss"].tolist() == HISTORY["val_loss"]
    assert table["series"].iloc[-1] == "Best epoch (3)"


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
