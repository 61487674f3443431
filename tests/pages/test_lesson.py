"""The lesson: no result before a prediction, none before the step was done, and figures of what was done."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fracture.app.lesson import checks
from fracture.app.quiz.progress import Answered, Progress
from fracture.teaching import handout
from fracture.teaching.lesson import CHECKS, read_lesson
from fracture.teaching.questions import QUESTIONS, Question
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key, keys_of

LOOK, GUESS, TRAIN, *_ = read_lesson("en").steps


@pytest.fixture
def app(as_cloned) -> AppTest:
    """The lesson as cloned."""
    return healthy(alone("lesson").run())


def plain(app: AppTest) -> str:
    """The words of a page without the backslashes of Markdown."""
    return words(app).replace("\\", "")


def predict(app: AppTest, step: str, choice: int = 0) -> None:
    radio = by_key(app.radio, f"choice {step}")
    radio.set_value(radio.options[choice])
    by_key(app.button, f"predict {step}").click().run()
    healthy(app)


def test_step_shows_its_result_after_a_prediction_and_the_work(app):
    """Until then it says what to do."""
    assert not keys_of(app.button, "go")
    predict(app, LOOK.name, 1)
    assert LOOK.settings.choices[1] in words(app) and LOOK.settings.todo in plain(app)
    assert LOOK.result.splitlines()[0] not in words(app)
    app.session_state["home sample"] = "some.jpg"
    assert LOOK.result.splitlines()[0] in words(healthy(app.run()))


def test_prediction_needs_a_choice(app):
    """And is asked for again."""
    by_key(app.button, "predict").click().run()
    assert "Choose what you expect" in words(healthy(app))
    assert not keys_of(app.button, "go")


def test_next_step_opens_the_next_one(app):
    """The picker of the steps follows."""
    by_key(app.button, "next lesson step").click().run()
    assert by_key(app.radio, "choice").key == f"choice {GUESS.name}"


def test_teacher_sees_timing_and_answers(app):
    """For the step that is open."""
    by_key(app.segmented_control, "lesson view").set_value("Teacher").run()
    assert "**Goal.**" in words(healthy(app)) and "45 minutes" in words(app)


def test_another_language_is_read_from_the_right(app):
    """Its steps come from its own folder."""
    by_key(app.selectbox, "lesson language").set_value("ar").run()
    assert read_lesson("ar").steps[0].settings.title in words(healthy(app))


@pytest.mark.parametrize(("answers", "done"), [(9, False), (10, True)])
def test_quiz_gives_the_figures_of_its_step(as_cloned, answers, done):
    """From ten answers on."""
    questions = [Question(f"{number}.png", Path(f"{number}.png"), number % 2) for number in range(QUESTIONS)]
    right = [Answered(bool(each.label), 2.0, 0.1, model_positive=False, model_seconds=0.1) for each in questions]
    app = alone("lesson")
    app.session_state["quiz of a data set"] = Progress(questions, right[:answers], answers)
    app.session_state["lesson step"] = 1
    app.session_state["predictions"] = {GUESS.name: 0}
    found = "Class: sensitivity 100% (57 to 100%), specificity 100% (57 to 100%). Model: sensitivity 0%"
    assert (found in plain(healthy(app.run()))) == done


def test_quiz_counts_right_answers_for_its_step(monkeypatch):
    """All values that the step may name are there."""
    questions = [Question(f"{number}.png", Path(f"{number}.png"), number % 2) for number in range(QUESTIONS)]
    given = [Answered(number != 3 and number % 2 == 1, 2.0, 0.1, False, 0.1) for number in range(10)]
    monkeypatch.setattr(checks, "_kept", lambda _: iter([Progress(questions, given, 10)]))
    found = checks.values_of("guessed")
    assert set(found) == CHECKS["guessed"]
    assert (found["images"], found["right"], found["model_right"]) == ("10", "9", "5")


def test_checks_give_the_values_that_steps_may_name():
    """Each check of the lesson's files is one of the app's."""
    assert set(checks._CHECKS) == set(CHECKS)


def test_handout_has_what_the_class_did_when_it_is_made_after_the_run(as_cloned, monkeypatch):
    """As at the click: then the session's state is out of reach."""
    offered = {}
    monkeypatch.setattr(st, "download_button", lambda _, make, file, *__, **___: offered.update({file: make}))
    monkeypatch.setattr(handout, "to_pdf", lambda _lesson, parts, *_: parts)
    app = alone("lesson")
    app.session_state["predictions"] = {LOOK.name: 2}
    app.session_state["home sample"] = "some.jpg"
    app.session_state["lesson view"] = "Teacher"
    healthy(app.run())
    look, guess, *_ = offered["lesson.pdf"]()
    assert (look.prediction, look.result) == (2, LOOK.result)
    assert (guess.prediction, guess.result) == (None, "")
    assert GUESS.teacher in offered["teacher.pdf"]()[1].result


def test_prediction_is_made_again_until_the_step_was_done(app):
    """Then it stays, with a mark: whether it was right."""
    predict(app, LOOK.name, 1)
    by_key(app.button, f"withdraw {LOOK.name}").click().run()
    predict(app, LOOK.name, 2)
    app.session_state["home sample"] = "some.jpg"
    assert not keys_of(healthy(app.run()).button, "withdraw")
    assert LOOK.settings.choices[2] in words(app)


def test_teacher_sees_the_right_choice(app):
    """Among all choices of the step."""
    app.session_state["lesson step"] = 2
    app.session_state["lesson view"] = "Teacher"
    shown = words(healthy(app.run()))
    assert all(choice in shown for choice in TRAIN.settings.choices)
    assert f":material/check: **{TRAIN.settings.choices[TRAIN.settings.answer]}**" in shown


def test_ablation_gives_the_figures_of_its_step(as_cloned):
    """Of the heads that were trained on the page Shortcuts."""
    everything = SimpleNamespace(metal={"value": 0.98, "low": 0.9, "high": 1.0}, plain=None)
    app = alone("lesson")
    app.session_state["hardware of some features"] = ([everything], None, {"value": 0.2, "low": 0.1, "high": 0.3})
    app.session_state["lesson step"] = 5
    app.session_state["predictions"] = {"6-shortcut": 0}
    assert "AUC with metal: 0.980 (0.900 to 1.000). With a fracture alone: not measured." in plain(healthy(app.run()))


def test_step_that_was_done_stays_done(app):
    """What it was judged by changes on other pages, in the steps that follow."""
    predict(app, LOOK.name, 1)
    app.session_state["home sample"] = "some.jpg"
    healthy(app.run())
    del app.session_state["home sample"]
    assert LOOK.result.splitlines()[0] in words(healthy(app.run()))
