"""What channels add to a logit."""

from fracture import charts
from fracture.charts.network.contributions import contribution_bars


def test_bars_are_in_the_order_of_the_channels_in_the_colors_of_the_labels():
    """Both labels share one list of rows; each bar has the color of the label that it speaks for."""
    figure = contribution_bars([7, 3, 9], [0.5, -0.4, 0.1], ("normal", "abnormal"))
    assert list(figure.layout.yaxis.categoryarray) == ["channel 7", "channel 3", "channel 9"]
    positive, negative = figure.data
    assert list(positive.y) == ["channel 7", "channel 9"] and list(positive.x) == [0.5, 0.1]
    assert list(negative.y) == ["channel 3"] and list(negative.x) == [-0.4]
    assert positive.marker.color == charts.POSITIVE_COLOR and negative.marker.color == charts.NEGATIVE_COLOR
    assert len(charts.to_table(figure)) == 3
