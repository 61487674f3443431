"""The page *Train*: one submitted form starts one run, which is then what the page shows."""

import pytest

from fracture.learn import jobs
from tests.pages.test_pages import alone, healthy


@pytest.fixture
def nothing_spawned(monkeypatch):
    """Runs are queued and started on disk, without a process."""
    monkeypatch.setattr(jobs, "_spawn", lambda _: None)


def form():
    """The page as a visitor has it who has chosen small weights; each call is a session of its own."""
    app = healthy(alone("train").run())
    return healthy(app.selectbox(key="weights").set_value("bundled-8bit").run())


def names():
    return sorted(run.name for run in jobs.runs() if not run.folder.bundled)


def test_start_pressed_twice_starts_one_run(home_with_data, nothing_spawned):
    """A second press on the same drawn form starts nothing and says nothing; the page shows the one run."""
    start = start_button(form()).click()
    start.run()
    app = healthy(start.run())
    assert names() == ["drawn-1"]
    assert app.selectbox(key="run").value == "drawn-1"


def test_start_on_the_next_form_starts_the_next_run(home_with_data, nothing_spawned):
    """The form that is drawn after a start proposes another name, keeps the other choices, and starts again."""
    app = form()
    app.number_input(key="train reference epochs").set_value(7)
    healthy(start_button(app).click().run())
    assert app.number_input(key="train reference epochs").value == 7
    healthy(start_button(app).click().run())
    assert names() == ["drawn-1", "drawn-2"]
    assert {run.config["epochs"] for run in jobs.runs() if run.name in names()} == {7}
    assert app.selectbox(key="run").value == "drawn-2"


def test_two_sessions_that_keep_the_proposed_name_start_two_runs(home_with_data, nothing_spawned):
    """Both were proposed one name; each gets a run of its own, and sees it."""
    first, second = form(), form()
    for app in (first, second):
        healthy(start_button(app).click().run())
    assert names() == ["drawn-1", "drawn-2"]
    assert [app.selectbox(key="run").value for app in (first, second)] == ["drawn-1", "drawn-2"]


def test_a_refused_start_keeps_the_form(home_with_data, nothing_spawned):
    """What is wrong is said in the form, which keeps what was typed and starts once it is put right."""
    app = form()
    app.text_input(key=name_key(app)).set_value("../escape").run()
    start_button(app).click().run()
    assert "name must be" in app.error[0].value and names() == []
    assert app.text_input(key=name_key(app)).value == "../escape"
    app.text_input(key=name_key(app)).set_value("typed").run()
    healthy(start_button(app).click().run())
    assert names() == ["typed"]


def start_button(app):
    """The button of the form that is drawn; its key has the form's number."""
    return next(each for each in app.button if str(each.key).startswith("start"))


def name_key(app):
    return next(each.key for each in app.text_input if each.key.startswith("name of training"))
