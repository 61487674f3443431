"""The settings beside the results of experiments."""

import pytest

from fracture.app.experiments import computed_with
from fracture.experiments.presets import LOW_RATE
from fracture.training.config import TrainConfig
from tests.pages.test_pages import alone, healthy
from tests.support.widgets import by_key


def notes(app) -> list[str]:
    """The lines on settings, in the order of the page."""
    return [str(each.value) for each in app.caption if str(each.value).startswith("Computed with")]


@pytest.fixture
def playground(homes):
    """The page on the shipped features, with their results."""
    return healthy(alone("playground").run())


def test_settings_of_a_head_leave_out_what_is_varied():
    """In words, by the names of the widgets."""
    config = TrainConfig(data="", name="a", learning_rate=2e-5, dropout=0.3)
    assert computed_with.head_settings(config, {"dropout", "l2"}) == {
        "Learning rate": "2e-05",
        "Class weight": "none",
        "Epochs": "30",
        "Seed": "0",
    }


def test_changed_settings_are_those_with_another_value():
    """What has no dial has not changed."""
    now = {"Epochs": "5", "Seed": "0", "Dropout": "0"}
    assert computed_with.changed_settings({"Epochs": "3", "Seed": "0", "Trials": "16"}, now) == ["Epochs"]


def test_results_of_the_playground_name_their_settings(playground):
    """Those of the shipped results; the search varies three of them, and has a method."""
    curve, search = notes(playground)
    assert curve.startswith("Computed with learning rate 0.001, dropout 0.3, L2 0.0001,")
    assert search.startswith("Computed with method random, trials 16, class weight none,")
    assert "Changed since" not in curve + search


def test_result_from_an_earlier_press_says_that_a_dial_has_changed(playground):
    """It keeps the settings of that press; with the dial back, or after another press, nothing is changed."""
    rate = by_key(playground.select_slider, "learning rate")
    former = rate.value
    curve, search = notes(healthy(rate.set_value(LOW_RATE).run()))
    assert "learning rate 0.001" in curve and "**Changed since: learning rate.**" in curve
    assert "Changed since" not in search
    rate = by_key(playground.select_slider, "learning rate")
    assert "Changed since" not in notes(healthy(rate.set_value(former).run()))[0]
    healthy(by_key(playground.slider, "epochs").set_value(3).run())
    healthy(playground.button(key="run learning curve").click().run())
    curve, search = notes(playground)
    assert "epochs 3" in curve and "Changed since" not in curve
    assert "**Changed since: epochs.**" in search


def test_result_of_a_search_says_that_its_own_settings_have_changed(playground):
    """The number of trials is no dial of the playground."""
    search = notes(healthy(by_key(playground.slider, "search size").set_value(8).run()))[1]
    assert "trials 16" in search and "**Changed since: trials.**" in search


def test_result_of_leakage_names_its_settings_and_what_has_changed(homes):
    """The preset has settings of its own; a result of chosen ones has those."""
    app = healthy(alone("leakage").run())
    [note] = notes(app)
    assert "splits of each kind 20, overfitting allowed, labels shuffled" in note and "Changed since" not in note
    healthy(by_key(app.slider, "splits").set_value(2).run())
    assert "**Changed since: splits of each kind.** *Start experiment*" in notes(app)[0]
    healthy(app.button(key="run leakage").click().run())
    [note] = notes(app)
    assert "splits of each kind 2, overfitting not allowed, labels as they are" in note
    assert "learning rate 0.001" in note and "Changed since" not in note


def test_result_of_the_ablation_names_the_settings_of_its_heads(homes):
    """There is no dial for them."""
    assert notes(healthy(alone("shortcuts").run()))[-1].startswith("Computed with learning rate 0.001,")
