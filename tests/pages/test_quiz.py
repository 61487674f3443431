"""The quiz: the answers stay hidden until the visitor has given one, and the result compares both readers."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from fracture import charts
from fracture.formatting import format_threshold
from fracture.registry.model_folder import read_card, shipped_models
from fracture.teaching.questions import QUESTIONS
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key, keys_of


@pytest.fixture
def app(as_cloned) -> AppTest:
    """The quiz as cloned, on the real samples."""
    return healthy(alone("quiz").run())


def answer(app: AppTest, key: str) -> AppTest:
    by_key(app.button, key).click().run()
    return healthy(app)


def test_quiz_hides_the_answers_until_the_visitor_has_answered(app):
    """The share of the positive label is said before."""
    assert f"{QUESTIONS // 2} of {QUESTIONS} images are fractured" in words(app)
    assert "Truth" not in words(app) and "Model:" not in words(app)
    assert not keys_of(app.button, "next question")
    answer(app, "answer positive")
    assert "Truth" in words(app) and "You: **fractured**" in words(app) and "Model: **" in words(app)
    assert not keys_of(app.button, "answer")
    answer(app, "next question")
    assert "Truth" not in words(app) and keys_of(app.button, "answer")


def test_truth_of_a_fracture_is_drawn_after_the_answer(app, monkeypatch):
    """In yellow boxes, as on Home; the words say so where there are any."""
    drawn = []
    outlined = charts.outlined
    monkeypatch.setattr(charts, "outlined", lambda picture, boxes: drawn.append(boxes) or outlined(picture, boxes))
    truths = []
    for _ in range(QUESTIONS):
        assert not drawn and "Yellow boxes" not in words(app)
        answer(app, "answer positive")
        [boxes] = drawn
        assert bool(boxes) == ("Yellow boxes are the truth." in words(app))
        assert bool(boxes) == ("Truth: :orange" in " ".join(each.value for each in app.header))
        truths.append(bool(boxes))
        drawn.clear()
        if len(set(truths)) == 2:
            return
        answer(app, "next question")
    pytest.fail("all truths are the same")


def test_quiz_says_where_classify_answers_otherwise(app):
    """Once on the page, with the threshold of the quiz."""
    threshold = format_threshold(read_card(shipped_models()[0]).thresholds["balanced"])
    said = f"it answers *fractured* from {threshold} on, its balanced threshold; *Classify* uses two limits"
    assert words(app).count(said) == 1
    answer(app, "answer positive")
    assert words(app).count(said) == 1 and words(app).count(threshold) == 1


def test_quiz_result_compares_both_readers(app):
    """Who says the same of all images has a kappa of 0, and the sensitivity and the specificity say why."""
    for _ in range(QUESTIONS):
        answer(app, "answer positive")
        answer(app, "next question")
    [shown] = [each.value for each in app.markdown if each.value.startswith("**You ")]
    assert re.fullmatch(rf"[*][*]You {QUESTIONS // 2} of {QUESTIONS} · model \d+ of {QUESTIONS}[*][*]", shown)
    table = app.table[0].value
    assert table["Reader"].tolist() == ["You", "Model"]
    assert table["Sensitivity"][0].startswith("100% (72") and table["Specificity"][0].startswith("0% (0")
    assert table["Kappa"][0].startswith("0.00")
    assert sum(int(tab.label.split("(")[1][:-1]) for tab in app.tabs) == QUESTIONS
    answer(app, "new quiz")
    assert keys_of(app.button, "answer") and not app.table


def test_quiz_without_a_model_leads_to_one(homes):
    """Nothing comes with the project, and nothing was trained."""
    app = healthy(alone("quiz").run())
    assert "no trained model" in words(app)
