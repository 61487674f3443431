"""The page *Data map*."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.data_map import gallery
from fracture.app.data_map.colors import colorings, find_predictions
from fracture.app.shared import state
from fracture.app.shared.features import material
from fracture.app.shared.features.material import Material
from fracture.data.dataset import scan
from fracture.experiments.shipped.features import shipped_bench
from fracture.training.runs import queue
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key


@pytest.fixture
def run(features, make_model):
    """A finished run whose features are in the cache."""
    return queue.find_run(make_model("first"))


def of_run(**session):
    """The map of that run's features."""
    app = alone("map")
    app.session_state["features"] = "first"
    for name, value in session.items():
        app.session_state[name] = value
    return healthy(app.run())


def test_map_on_a_fresh_clone_shows_the_shipped_features(homes):
    """By PCA, at once, with the share of the variance that it explains."""
    app = healthy(alone("map").run())
    assert len(app.get("plotly_chart")) == 1
    assert "% of the variance" in words(app) and "Draw a lasso or a box" in words(app)
    assert by_key(app.selectbox, "map color").options == ["Label", "Split", "View", "Findings"]


def test_tsne_is_computed_when_asked_and_says_its_seed(run):
    """PCA comes first."""
    app = of_run()
    assert not [each for each in app.number_input if each.key == "map seed"]
    healthy(app.segmented_control(key="map projection").set_value("t-SNE").run())
    healthy(app.number_input(key="map seed").set_value(3).run())
    assert "t-SNE with seed 3; its axes mean nothing" in words(app)


def test_predictions_color_the_images_that_they_are_of(run):
    """Errors by the model's own threshold; training images have no prediction."""
    bench = Material(run).bench()
    found = find_predictions(bench, shipped=False)
    assert found.model == "first"
    validated = (bench.table["split"] == "valid").to_numpy()
    assert np.array_equal(np.isfinite(found.probability), validated)
    figure = colorings(bench, found)["Error"](gallery_points(bench), ("x", "y"))
    counts = {trace.name: len(trace.x) for trace in figure.data}
    assert counts["Not known"] == (~validated).sum()
    called = found.probability[validated] >= found.threshold
    positive = bench.table.loc[validated, "label"] == 1
    assert counts["Missed"] == int((positive & ~called).sum())
    assert counts["False alarm"] == int((~positive & called).sum())


def gallery_points(bench):
    zeros = np.zeros(len(bench.table))
    return pd.DataFrame({"x": zeros, "y": zeros, "name": bench.table["image_id"]})


def test_shipped_images_have_no_predictions(homes):
    """They are in no data set, whatever one is called."""
    assert not find_predictions(shipped_bench(), shipped=True).model


def test_similar_images_are_shown_with_their_similarity(run):
    """The image first, then those most like it; and back."""
    key = Material(run).results_key(Material(run).bench())
    app = of_run(**{state.alike_to(key, ()).key: 0})
    alts = [each.alt for image in app.image for each in image.proto.imgs]
    assert len(alts) == 1 + gallery.ALIKE and len(set(alts)) == len(alts)
    assert "cosine similarity" in words(app)
    healthy(app.button(key="leave alike").click().run())
    assert "Draw a lasso or a box" in words(app)


def test_selected_images_are_a_finding_in_the_gallery_of_data(run):
    """Exactly these images, as a finding that can be closed."""
    bench = material.bench_of(run)
    root = scan(bench.config.data).root
    chosen = bench.table["image_id"].tolist()[:3]
    script = f"""
from pathlib import Path
from fracture.app.data_map.gallery import _open_in_data
_open_in_data({chosen!r}, Path({str(root)!r}))
"""
    opened = healthy(AppTest.from_string(script, default_timeout=60).run())
    data = alone("data")
    for entry in (state.map_selection(root), state.finding(root), state.NEW_DATA):
        data.session_state[entry.key] = opened.session_state[entry.key]
    data = healthy(data.run())
    assert "3 images of a region of the data map" in words(data)
    assert len([each for image in data.image for each in image.proto.imgs]) == 3
