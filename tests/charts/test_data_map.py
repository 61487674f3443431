"""Images as points on a plane."""

import numpy as np
import pandas as pd
import pytest

from fracture import charts
from fracture.charts.data_map import MAX_DRAWN_POINTS, UNKNOWN, category_colors, category_map, value_map

AXES = ("across", "up")


def points(count: int) -> pd.DataFrame:
    return pd.DataFrame({"x": range(count), "y": range(count), "name": [f"image {number}" for number in range(count)]})


def test_points_carry_their_rows_whatever_their_category():
    """A selection returns these numbers; each category has its color and its line in the legend."""
    figure = category_map(points(4), ["b", "a", "b", "a"], {"a": "#111111", "b": "#222222"}, AXES)
    first, second = figure.data
    assert (first.name, first.marker.color, list(first.customdata)) == ("a", "#111111", [1, 3])
    assert (second.name, second.marker.color, list(second.customdata)) == ("b", "#222222", [0, 2])
    table = charts.to_table(figure)
    assert len(table) == 4 and list(table.columns) == ["series", "across", "up"]


def test_values_that_are_not_known_are_gray():
    """And not at one end of the scale, which goes from 0 to 1 whatever the values are."""
    figure = value_map(points(3), [0.2, np.nan, 0.4], "Probability", AXES)
    unknown, known = figure.data
    assert list(unknown.customdata) == [1] and unknown.marker.color == UNKNOWN
    assert list(known.customdata) == [0, 2] and list(known.marker.color) == [0.2, 0.4]
    assert (known.marker.cmin, known.marker.cmax) == (0, 1)


@pytest.mark.parametrize(("count", "kind"), [(10, "scatter"), (MAX_DRAWN_POINTS + 1, "scattergl")])
def test_many_points_are_drawn_by_the_graphics_card(count, kind):
    """Few are shapes of the page, which every browser draws."""
    figure = category_map(points(count), ["a"] * count, {"a": "#111111"}, AXES)
    assert {trace.type for trace in figure.data} == {kind}


def test_colors_of_many_categories_end_in_gray():
    """The palette has a color for the most frequent ones; none of them is that of a label."""
    colors = category_colors([str(number) for number in range(9)])
    assert len(set(list(colors.values())[:5])) == 5 and set(list(colors.values())[5:]) == {UNKNOWN}
    assert not {charts.POSITIVE_COLOR, charts.NEGATIVE_COLOR} & set(colors.values())
