"""The model that is chosen, in the address and on every page."""

import json
import os
import re
import shutil

import numpy as np
import pytest

from fracture.app.shared import prediction_cache
from fracture.errors import ModelError
from fracture.imaging.radiograph import Radiograph
from tests.pages.test_pages import alone, choose_sample, healthy, routed, words
from tests.support.widgets import keys_of

PICKER = ("classify",)


@pytest.fixture
def two(home_with_data, make_model):
    """Two models; the newer one is that of a stopped training."""
    first, second = make_model("a"), make_model("b")
    os.utime(first.path, (1, 1))
    second.card.write_text(json.dumps({**json.loads(second.card.read_text()), "state": "stopped"}))
    return first, second


@pytest.mark.parametrize("page", PICKER)
def test_model_of_a_stopped_run_is_not_the_default(two, page):
    """The model of a stopped run stands in the list after those of finished runs, each with its AUC."""
    app = healthy(alone(page).run())
    assert app.selectbox(key="model").value == "a"
    assert [each.split(" · ")[0] for each in app.selectbox(key="model").options] == ["a", "b"]
    assert " · AUC " in app.selectbox(key="model").options[0]
    assert app.query_params["model"] == "a"


def test_address_after_a_choice_names_the_model_on_all_pages(two):
    """After another choice the address names the new model, also on the next page."""
    app = routed("classify")
    app.query_params["model"] = "a"
    app.run()
    assert app.selectbox(key="model").value == "a"
    app.selectbox(key="model").set_value("b").run()
    assert (app.selectbox(key="model").value, app.query_params["model"]) == ("b", "b")
    healthy(app.run())
    assert (app.selectbox(key="model").value, app.query_params["model"]) == ("b", "b")
    del app.query_params["model"]
    app.switch_page("pages/models.py").run()
    assert (healthy(app).multiselect(key="runs").value, app.query_params["model"]) == (["b"], "b")


def test_choice_with_an_outdated_address_is_kept(two):
    """A click that still sends the old address does not undo the choice."""
    app = alone("classify").run()
    app.selectbox(key="model").set_value("b").run()
    app.query_params["model"] = "a"
    assert healthy(app.run()).selectbox(key="model").value == "b" and app.query_params["model"] == "b"


def test_address_of_a_link_overrides_an_earlier_choice(two):
    """A link shows its model, which is then the chosen one."""
    app = alone("classify")
    app.session_state["chosen model"] = "a"
    app.query_params["model"] = "b"
    assert healthy(app.run()).selectbox(key="model").value == "b"
    assert app.session_state["chosen model"] == "b"


@pytest.mark.parametrize("asked", ["gone", "../b", "x" * 3000, ""])
def test_address_of_a_missing_model_is_corrected(two, asked):
    """A link to a missing model is a warning, and the address names the model that is shown instead."""
    app = alone("classify")
    app.query_params["model"] = asked
    app.run()
    assert not app.exception
    assert (app.selectbox(key="model").value, app.query_params["model"]) == ("a", "a")
    assert ("any more; this is a" in words(app)) == bool(asked)


def test_home_with_several_models_names_the_default_and_why(two, homes, make_model, monkeypatch):
    """Home names the finished model, the bundled one, or the one that the visitor chose, with the reason."""
    app = healthy(alone("home").run())
    assert "Model a · AUC" in words(app) and "the newest one whose run finished" in words(app)
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    make_model("fracatlas")
    app = healthy(alone("home").run())
    assert "Model fracatlas · AUC" in words(app) and "it comes with the project" in words(app)
    app.session_state["chosen model"] = "b"
    assert "Model b · AUC" in words(app.run()) and "the one that you chose" in words(app)


@pytest.fixture
def automatic(two, homes, make_model, monkeypatch):
    """Two models that come with the project beside two of one's own."""
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "shipped"))
    (homes / "shipped").mkdir(exist_ok=True)
    for name in ("fracatlas", "mura-humerus"):
        make_model(name).path.rename(homes / "shipped" / name)


def test_automatic_also_asks_the_models_that_were_chosen(automatic):
    """The sentence names each model that was asked; the choice is kept for the visit, also on another page."""
    app = healthy(routed("classify").run())
    assert app.selectbox(key="model").value == "automatic" and app.multiselect(key="also asked").value == []
    app.multiselect(key="also asked").set_value(["a", "b"]).run()
    choose_sample(app, "123456")
    assert re.search(r"limit: fracatlas \S+, mura\\-humerus \S+, a \S+, b \S+\.", words(healthy(app)))
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/classify.py").run()
    app.selectbox(key="model").set_value("automatic").run()
    assert healthy(app).multiselect(key="also asked").value == ["a", "b"]


def test_automatic_after_a_chosen_model_was_deleted_asks_the_others(automatic, two):
    """Its name leaves the picker."""
    app = healthy(routed("classify").run())
    app.multiselect(key="also asked").set_value(["a", "b"]).run()
    shutil.rmtree(two[0].path)
    assert healthy(app.run()).multiselect(key="also asked").value == ["b"]


def test_also_ask_is_offered_for_automatic_alone(automatic):
    """One chosen model answers by itself."""
    app = healthy(routed("classify").run())
    app.selectbox(key="model").set_value("a").run()
    assert not keys_of(app.multiselect, "also asked")


def test_also_ask_is_left_out_of_the_public_demo(automatic, monkeypatch):
    """Its machine may have no memory for more models than those that come with the project."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = healthy(routed("classify").run())
    assert app.selectbox(key="model").value == "automatic" and not keys_of(app.multiselect, "also asked")


def test_graph_of_a_replaced_model_is_not_used(two):
    """Its answers would be judged by the thresholds of the former card; a reload takes the new model whole."""
    loaded = prediction_cache.classifier(two[0])
    prediction_cache._graph.clear()
    shutil.copy(two[1].card, two[0].card)
    with pytest.raises(ModelError, match=r"has changed meanwhile\. Reload the page"):
        loaded.view("a", Radiograph(np.tile(np.arange(64, dtype=np.uint8), (64, 1)), "PNG"))
