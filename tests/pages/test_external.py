"""External validation and recalibration on the page Models, and what Classify says of an adjusted model."""

import pytest
from streamlit.testing.v1 import AppTest

from fracture.evaluation.external.job import carry_out, find_evaluation
from fracture.evaluation.external.results import request_evaluation
from fracture.paths import PROJECT
from fracture.registry.adjustments import adjustments_file
from tests.pages.test_pages import healthy, words
from tests.support.drawing import draw_inseparable
from tests.support.waiting import wait
from tests.support.widgets import keys_of


def page(name: str) -> AppTest:
    return AppTest.from_file(str(PROJECT / "pages" / f"{name}.py"), default_timeout=60)


@pytest.fixture
def model(make_model):
    return make_model("m")


@pytest.fixture
def labeled(homes):
    return draw_inseparable(homes / "data" / "other")


@pytest.mark.slow
def test_models_page_evaluates_in_the_background_and_recalibrates(model, labeled):
    """The result stands beside the card's metrics; recalibrating it is undone with one click."""
    card = model.card.read_bytes()
    app = healthy(page("models").run())
    healthy(app.button(key="evaluate model").click().run())
    request = request_evaluation("m", "other")
    wait(lambda: find_evaluation(request).ended)
    healthy(app.run())
    assert "not evaluated" not in words(app) and "AUC by image with its 95% interval" in words(app)
    healthy(app.button(key="recalibrate model").click().run())
    assert "recalibrated on other" in words(app) and "Brier score changes" in words(app)
    assert "recalibrated on other" in words(healthy(page("classify").run()))
    healthy(app.button(key="undo recalibration").click().run())
    assert not adjustments_file("m").exists() and model.card.read_bytes() == card
    assert "This model is adjusted" not in words(healthy(page("classify").run()))


@pytest.mark.slow
def test_pages_with_damaged_adjustments_show_a_sentence_and_answer(model, labeled):
    """Both pages say what to do, and Models offers to undo them."""
    adjustments_file("m").parent.mkdir()
    adjustments_file("m").write_text("{")
    assert "answers as its card says" in words(healthy(page("classify").run()))
    app = healthy(page("models").run())
    assert "answers as its card says" in words(app)
    healthy(app.button(key="undo recalibration").click().run())
    assert not adjustments_file("m").exists()


@pytest.mark.slow
def test_external_validation_is_left_out_of_the_public_demo(model, labeled, monkeypatch):
    """The page says why."""
    carry_out(request_evaluation("m", "other"))
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = healthy(page("models").run())
    assert "evaluates no model on a whole data set" in words(app)
    assert not keys_of(app.button, "evaluate model") and not keys_of(app.button, "recalibrate model")
