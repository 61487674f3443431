"""Guessing on *Classify*: two buttons, the truth where it is known, and who was right so far."""

import pytest
from streamlit.testing.v1 import AppTest

from fracture import sample_radiographs
from fracture.app.classify.quiz.guess import Finding, Guess, count_right
from tests.pages.test_pages import alone, choose_sample, healthy, words
from tests.support.widgets import by_key, keys_of

FIRST = sample_radiographs.FIRST


@pytest.fixture
def app(as_cloned) -> AppTest:
    """*Classify* as cloned, asking the model that was validated on the samples, with its answers hidden."""
    page = alone("classify")
    page.session_state["chosen model"] = "fracatlas"
    page.session_state["hide answer"] = True
    return page


def test_guess_shows_answer_and_truth_and_counts(app):
    """The tally goes on from sample to sample, and a study counts once."""
    choose_sample(app, FIRST)
    by_key(app.button, "guess positive").click().run()
    assert healthy(app).metric
    assert "You decided *fractured*: right. The truth is *fractured*." in words(app)
    assert "**You 1 of 1 · model 1 of 1**" in words(app)
    other = next(each for each in sample_radiographs.sample_radiographs() if each.label == "not fractured")
    choose_sample(app, other.name)
    assert not healthy(app).metric and "You decided" not in words(app)
    by_key(app.button, "guess positive").click().run()
    assert "You decided *fractured*: wrong. The truth is *not fractured*." in words(healthy(app))
    assert "**You 1 of 2 · " in words(app)
    choose_sample(app, FIRST)
    assert not keys_of(healthy(app).button, "guess positive") and "**You 1 of 2 · " in words(app)


def test_asking_for_the_answer_counts_nothing(app):
    """A visitor who only looks has not guessed."""
    choose_sample(app, FIRST)
    by_key(app.button, "show answer").click().run()
    assert healthy(app).metric
    assert "You decided" not in words(app) and not keys_of(app.button, "guess positive")


def test_revealed_truth_leaves_nothing_to_guess(app):
    """Such a guess would not count."""
    choose_sample(app, FIRST)
    app.toggle(key=f"truth of {FIRST}").set_value(True).run()
    assert not keys_of(healthy(app).button, "guess") and keys_of(app.button, "show answer")


def test_samples_have_boxes_exactly_where_they_are_fractured():
    """By the boxes a sample's truth is known."""
    for each in sample_radiographs.sample_radiographs():
        assert bool(each.boxes) == (each.label == "fractured")


@pytest.mark.parametrize(
    ("positive", "finding", "expected"),
    [
        ("fractured", Finding(fractured=False, abnormal=True), False),
        ("abnormal", Finding(fractured=False, abnormal=True), True),
        ("abnormal", Finding(fractured=False, abnormal=None), None),
        ("Fracture", Finding(fractured=True, abnormal=True), True),
    ],
)
def test_truth_is_that_of_the_model_s_words(positive, finding, expected):
    """Hardware without a fracture is abnormal and not fractured; whatever was not looked for is not known."""
    assert finding.label_for(("normal", positive)) is expected


def test_tally_leaves_out_unknown_truth_and_a_model_in_doubt_is_not_right():
    """Both are judged on the same studies."""
    guesses = [Guess(True, None, True), Guess(False, True, True), Guess(True, True, None)]
    assert count_right(guesses) == (1, 1, 2)


def test_guess_after_the_answer_was_shown_is_not_offered(app):
    """Neither after the button, nor after the truth, nor after an answer that was not hidden: none of them counts."""
    first, second, third = (each.name for each in sample_radiographs.sample_radiographs()[:3])
    choose_sample(app, first)
    by_key(app.button, "show answer").click().run()
    choose_sample(app, second)
    app.toggle(key=f"truth of {second}").set_value(True).run()
    app.toggle(key=f"truth of {second}").set_value(False).run()
    app.toggle(key="hide answer").set_value(False).run()
    choose_sample(app, third)
    app.toggle(key="hide answer").set_value(True).run()
    for name in (first, second, third):
        app.session_state["shown answers"] = ()  # as after a click on the strip
        choose_sample(app, name)
        assert not healthy(app).metric and not keys_of(app.button, "guess"), name
        assert "another guess does not count" in words(app)


def test_guess_for_another_model_on_the_same_sample_is_not_offered(app):
    """The truth is known by then."""
    choose_sample(app, FIRST)
    by_key(app.button, "guess positive").click().run()
    app.selectbox(key="model").set_value("mura-humerus").run()
    assert not healthy(app).metric and not keys_of(app.button, "guess")
    assert "another guess does not count" in words(app)


def test_next_x_ray_is_the_next_one_that_was_not_seen(app):
    """It appears with the answer, skips samples that were seen, and hides the answer again."""
    names = sorted((each.name for each in sample_radiographs.sample_radiographs()), key=lambda each: each != FIRST)
    app.session_state["seen answers"] = {names[1]}
    choose_sample(app, names[0])
    assert not keys_of(healthy(app).button, "next unseen")
    by_key(app.button, "guess positive").click().run()
    by_key(app.button, "next unseen").click().run()
    assert app.session_state["sample"] == names[2]
    assert not healthy(app).metric and keys_of(app.button, "guess positive")


def test_next_x_ray_after_the_last_one_is_one_that_was_left_out(app):
    """Then there is none left, and the page says so."""
    names = {each.name for each in sample_radiographs.sample_radiographs()}
    app.session_state["seen answers"] = {*names - {FIRST}, "123456"}
    choose_sample(app, "123457")
    by_key(app.button, "show answer").click().run()
    by_key(app.button, "next unseen").click().run()
    assert app.session_state["sample"] == FIRST
    by_key(app.button, "guess positive").click().run()
    assert not keys_of(healthy(app).button, "next unseen")
    assert "You have seen the answers for all samples." in words(app)


def test_answer_on_home_was_seen(as_cloned):
    """*Home* shows it unasked, so that a guess on it does not count."""
    home = alone("home").run()
    assert healthy(home).session_state["seen answers"] == {FIRST}
