"""External validation and calibration on the page Models, and what Classify says of an adjusted model."""

import pytest
from streamlit.testing.v1 import AppTest

from fracture.evaluation.external.calibration_job import find_calibration
from fracture.evaluation.external.job import carry_out, find_evaluation
from fracture.evaluation.external.results import request_evaluation
from fracture.paths import PROJECT
from fracture.registry.adjustments import adjustments_file
from tests.evaluation.external.test_familiarity import draw_images
from tests.pages.test_pages import healthy, words
from tests.support.drawing import draw_inseparable
from tests.support.waiting import wait
from tests.support.widgets import keys_of


def page(name: str, tab: str = "External validation") -> AppTest:
    """A page; *Models* with a tab open."""
    app = AppTest.from_file(str(PROJECT / "pages" / f"{name}.py"), default_timeout=60)
    app.session_state["model tab"] = tab
    return app


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


@pytest.mark.slow
def test_models_page_calibrates_to_unlabeled_radiographs_and_undoes_it(model, homes):
    """A folder without labels, and in the background; it says how many are refused before and after."""
    draw_images(homes / "data" / "mine", 60, brightness=80)
    app = healthy(page("models", "Calibration").run())
    assert app.button(key="calibrate model").disabled
    app.selectbox(key="calibration radiographs").set_value("mine").run()
    healthy(app.button(key="calibrate model").click().run())
    wait(lambda: find_calibration("m").ended)
    said = words(healthy(app.run()))
    assert "Calibrated to *mine*" in said and "Of 60 radiographs the model refused" in said
    assert "Each must be a radiograph" in said
    assert "adjusted to mine" in words(healthy(page("classify").run()))
    healthy(app.button(key="undo familiarity").click().run())
    assert not adjustments_file("m").exists() and "Calibrated to" not in words(app)


@pytest.mark.slow
def test_models_page_with_too_few_radiographs_says_how_many_are_needed(model, homes):
    """Fewer say too little about the farthest of the next ones."""
    draw_images(homes / "data" / "few", 20)
    app = page("models", "Calibration").run()
    app.selectbox(key="calibration radiographs").set_value("few").run()
    app.button(key="calibrate model").click().run()
    wait(lambda: find_calibration("m").ended)
    assert "At least 50 different radiographs" in app.run().error[0].value
    assert not app.exception and not adjustments_file("m").exists()


@pytest.mark.slow
def test_models_page_with_a_missing_folder_says_what_is_allowed(model):
    """A typed path that leads nowhere."""
    app = page("models", "Calibration")
    app.session_state["calibration radiographs"] = "no such folder"
    app.run()
    app.button(key="calibrate model").click().run()
    assert "must lie in one folder" in app.error[0].value and not app.exception


@pytest.mark.slow
def test_models_page_of_a_model_without_the_check_offers_no_calibration(model):
    """There is no threshold."""
    model.familiarity.unlink()
    app = healthy(page("models", "Calibration").run())
    assert "no out-of-distribution check that could be calibrated" in words(app)
    assert not keys_of(app.button, "calibrate model")


@pytest.mark.slow
def test_calibration_is_left_out_of_the_public_demo(model, monkeypatch):
    """The page says why."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = healthy(page("models", "Calibration").run())
    assert "recalibrates no model" in words(app) and not keys_of(app.button, "calibrate model")
