"""The lesson: no result before a prediction, none before the step was done, and figures of what was done."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.lesson import checks
from fracture.app.quiz.progress import Answered, Progress
from fracture.teaching.lesson import CHECKS, read_lesson
from fracture.teaching.questions import QUESTIONS, Question
from tests.pages.test_pages import alone, healthy, words
from tests.support.widgets import by_key, keys_of

LOOK, GUESS, *_ = read_lesson("en").steps


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
    found = "10 X-rays. Class: sensitivity 100% (57 to 100%), specificity 100% (57 to 100%). Model: sensitivity 0%"
    assert (found in plain(healthy(app.run()))) == done


def test_checks_give_the_values_that_steps_may_name():
    """Each check of the lesson's files is one of the app's."""
    assert set(checks._CHECKS) == set(CHECKS)
