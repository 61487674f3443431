"""Presenting, the terms and the downloads that all pages have."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fracture import charts, glossary
from fracture.app.shared import state
from fracture.app.shared.frame import chart, terms
from fracture.paths import PROJECT
from fracture.sample_radiographs import FIRST, sample_radiographs
from tests.pages.test_pages import healthy
from tests.support.widgets import keys_of

SOURCES = {
    "home": ("app/home", "inference/classifier.py", "registry/default_model.py"),
    "data": ("app/dataset", "charts/dataset.py", "data/checks"),
    "train": ("app/train", "training/config.py", "charts"),
    "classify": ("app/classify", "inference/classifier.py"),
    "models": ("app/models", "registry/metric_names.py", "evaluation/metrics.py", "app/shared/metrics.py", "charts"),
    "lesson": ("app/lesson", "../lesson/en"),
    "quiz": ("app/quiz", "teaching"),
    "vote": ("app/vote", "charts/votes.py"),
    "playground": ("app/experiments", "app/shared/features"),
    "leakage": ("app/experiments/leakage.py", "app/shared/features/material.py"),
    "inside": ("app/network",),
    "map": ("app/data_map", "app/shared/features/material.py", "experiments/projection.py"),
    "shortcuts": ("app/experiments/occlusion.py", "app/experiments/shortcut.py", "app/shared/features/material.py"),
}
"""What writes the words of a page."""


def arrive(address=(), **session):
    """The start page through the router, with these parameters of its address and values of its session.

    In one run: AppTest forgets the router after it, and runs a page alone.
    """
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    for name in address:
        app.query_params[name] = "1"
    for name, value in session.items():
        app.session_state[name] = value
    return healthy(app.run())


def test_present_parameter_on_arrival_begins_presenting(homes):
    """The bar is there and the switch is not; without the parameter it is the other way round."""
    app = arrive(["present"])
    assert app.session_state["presenting"] and keys_of(app.button, "next_page") and not keys_of(app.button, "present")
    app = arrive()
    assert not app.session_state["presenting"] and keys_of(app.button, "present")
    assert not keys_of(app.button, "next_page")


def test_presenting_stands_in_the_address(homes):
    """The menu drops the parameters of an address, and the session knows it still; after the end it is gone."""
    assert arrive(presenting=True).query_params.get("present") == "1"
    assert "present" not in arrive(["present"], presenting=False).query_params


def test_home_without_samples_has_no_steps(homes):
    """Where there is nothing to step through, the buttons lead to pages alone."""
    app = arrive(["present"])
    assert not keys_of(app.button, "next_step") and keys_of(app.button, "previous_page")


def test_steps_on_home_are_the_radiographs(as_cloned):
    """The samples come one after another, and nothing else is on the page."""
    app = arrive(["present"])
    assert keys_of(app.button, "next_step") and keys_of(app.button, "previous_step")
    assert "Workflow" not in [each.value for each in app.header] and not app.file_uploader
    steps = app.session_state["steps"]
    names = [sample.name for sample in sample_radiographs()]
    assert (names[steps.position], steps.count) == (FIRST, len(names))


def stepping_page():
    """A page that steps through three things, of which none is shown at first."""
    import streamlit as st

    from fracture.app.shared.frame import presenting

    def show(to):
        st.session_state["place"] = to

    presenting.draw_steps("page", st.session_state.get("place", -1), 3, show)


def test_steps_of_a_fragment_go_around_and_begin_at_either_end():
    """The next one after the last is the first; from none the buttons lead to the first and to the last."""
    app = AppTest.from_function(stepping_page)
    app.session_state["presenting"] = True
    for button, place in (("next_step", 0), ("previous_step", 2), ("next_step", 0)):
        healthy(app.run()).button(key=button).click().run()
        assert app.session_state["place"] == place
    del app.session_state["place"]
    healthy(app.run()).button(key="previous_step").click().run()
    assert app.session_state["place"] == 2


def test_steps_of_a_lesson_end(homes):
    """Before the first one and after the last one the buttons are off, so that the keys lead on to another page."""
    for place, off in ((0, [True, False]), (3, [False, False]), (7, [False, True])):
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
        app.switch_page("pages/lesson.py")
        app.session_state["presenting"] = True
        app.session_state[state.LESSON.key] = place
        healthy(app.run())
        assert [app.button(key=f"{direction}_step").disabled for direction in ("previous", "next")] == off


def test_steps_without_a_presentation_are_not_drawn():
    """A page that nobody presents has its own controls alone."""
    assert not keys_of(healthy(AppTest.from_function(stepping_page).run()).button, "next_step")


@pytest.mark.parametrize("page", terms.PAGE_TERMS)
def test_terms_of_a_page_stand_in_its_words(page):
    """The popover explains what the page says, and nothing else; each term is in the glossary."""
    files = [PROJECT / "pages" / f"{page}.py"]
    for source in SOURCES[page]:
        path = PROJECT / "fracture" / source
        files += [path] if path.suffix else sorted(path.glob("*.py"))
    said = "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists()).casefold()
    for term in terms.PAGE_TERMS[page]:
        assert glossary.meaning(term)
        names = re.split(r", | \(|\)", term.casefold())
        assert any(name.split()[-1] in said for name in names if name), term


def test_terms_explain_every_page_of_the_menu(homes):
    """No page is without its terms."""
    app = arrive()
    assert "**Heat map** ·" in "\n".join(str(each.value) for each in app.markdown)
    addresses = re.findall(r'"pages/(\w+)\.py"', Path(PROJECT / "streamlit_app.py").read_text(encoding="utf-8"))
    shown = {each for each in addresses if each not in ("dataset", "runs", "labs")}
    assert shown <= set(terms.PAGE_TERMS)


def test_vega_chart_offers_its_numbers(monkeypatch):
    """The file has the name of the chart, whatever the slider is set to; its picture comes from Streamlit's bar."""
    shown = {}
    monkeypatch.setattr(chart.st, "vega_lite_chart", lambda *_, **given: shown.update(given))
    monkeypatch.setattr(chart.st, "download_button", lambda *given, **_: shown.update(csv=given[1:3]))
    counts = {"Found": 18, "Missed": 4, "False alarm": 8, "Correctly cleared": 70}
    chart.show_vega_chart(charts.icon_array(counts), "22 of 100 are fractured", "hundred patients")
    data, name = shown["csv"]
    assert name == "hundred-patients.csv" and shown["alt"] == "22 of 100 are fractured"
    assert data().decode().splitlines()[:2] == ["Outcome,Count", "Found,18"]


def test_chart_offers_its_picture_and_its_numbers(monkeypatch):
    """Plotly's bar saves a PNG file twice as large, and a button the numbers; both have a name."""
    shown = {}
    monkeypatch.setattr(chart.st, "plotly_chart", lambda *_, **given: shown.update(given))
    monkeypatch.setattr(chart.st, "download_button", lambda *given, **_: shown.update(csv=given[1:3]))
    runs = {"a": charts.RunHistory({"loss": [0.7, 0.5], "val_loss": [0.6, 0.5]}, None)}
    figure = charts.compared_curves(runs, "loss", 2)
    chart.show_chart(figure, "a chart", "Loss by epoch, training and validation")
    saved = shown["config"]["toImageButtonOptions"]
    assert saved == {"format": "png", "filename": "loss-by-epoch-training-and-validation", "scale": 2}
    data, name = shown["csv"]
    assert name == "loss-by-epoch-training-and-validation.csv"
    assert data().decode().splitlines()[:2] == ["series,Epoch,Loss", '"a, training",1,0.7']
