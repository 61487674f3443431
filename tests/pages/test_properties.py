"""Properties of images that predict the label: on the page of the data set, and before a run."""

import pytest

from fracture.app.shared import dataset_cache
from fracture.data.dataset import scan
from fracture.data.measurements import measure
from fracture.evaluation.properties.associations import find_associations
from tests.pages.test_pages import alone, healthy, words
from tests.support.drawing import draw_tall
from tests.support.widgets import open_tab


@pytest.fixture
def data(homes):
    """A data set in the data home in which the positive images are taller."""
    return draw_tall(homes / "data" / "tall")


def test_page_shows_the_property_that_predicts_the_label(data):
    """The strongest one in a sentence, and all of them in a chart."""
    app = healthy(open_tab(alone("data"), "Checks"))
    assert "alone predicts the label with AUC" in words(app)
    assert "chart of properties" in [chart.proto.id.split("-")[-1] for chart in app.get("plotly_chart")]


def test_train_warns_of_a_strong_property_only_once_it_is_known(data):
    """Nothing is measured on the page of a run; what was computed before is said above the button."""
    app = healthy(alone("train").run())
    assert "alone predicts the label" not in words(app)
    dataset = scan(data)
    find_associations(dataset, measure(dataset.table))
    dataset_cache.forget_measurements()  # as the page does after an analysis
    assert "alone predicts the label" in words(healthy(alone("train").run()))
