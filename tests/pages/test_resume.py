"""The resume link of a public demo: who gets it, what it brings back, and where it never stands."""

import pytest
from streamlit.testing.v1 import AppTest

from fracture import demo as public_demo
from fracture.app.shared.frame import resume
from fracture.errors import DatasetError
from fracture.paths import PROJECT
from tests.pages.test_pages import healthy
from tests.support.widgets import keys_of

WORD = "a-word-that-is-long-and-random"
ME = public_demo.Policy(WORD)

OPENED = {"show resume link": True}
"""The session of a visitor who has asked for the link."""


@pytest.fixture
def demo(homes, monkeypatch):
    """A public demo."""
    monkeypatch.setenv(public_demo.VARIABLE, "1")
    return homes


@pytest.fixture
def mine(demo):
    """A data set that the visitor has made in it."""
    root = demo / "data" / "mine"
    root.mkdir()
    ME.sign(root)
    return root


def arrive(address=(), **session):
    """The start page through the router, in one run: AppTest forgets the router after it."""
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    for name, value in dict(address).items():
        app.query_params[name] = value
    for name, value in session.items():
        app.session_state[name] = value
    return healthy(app.run())


def test_resume_link_restores_the_ownership(mine):
    """A new tab may change what the word's visitor made, once they press Resume; the address holds the word no more."""
    app = arrive({"resume": WORD, "data": "mine"})
    assert app.session_state.get("visitor", "") != WORD and keys_of(app.button, "resume visit")
    assert "resume" not in app.query_params and app.query_params["data"] == "mine"
    after = arrive(visitor=WORD, resume="resumed")
    assert "yours again" in after.toast[0].value


@pytest.mark.parametrize("answer", ["resume", "decline"])
def test_visitor_decides_whether_to_resume(mine, monkeypatch, answer):
    """A link that somebody else has planted makes nobody another visitor without a click."""
    session = {"resume word": WORD, "resume": "asked", "visitor": "me"}
    monkeypatch.setattr(resume.st, "session_state", session)
    {"resume": resume._resume, "decline": resume._decline}[answer]()
    resumed = answer == "resume"
    assert public_demo.Policy(session["visitor"]).may_change(mine) is resumed
    assert session["resume"] == ("resumed" if resumed else "") and "resume word" not in session


@pytest.mark.parametrize("word", ["unknown", "", "../../etc", WORD[:-1]])
def test_unknown_resume_link_is_a_quiet_sentence(mine, word):
    """Nothing is restored, there is no error, and the address is clean."""
    app = arrive({"resume": word})
    assert "runs and data sets of this resume link are deleted" in app.toast[0].value
    visitor = app.session_state.get("visitor", "")
    assert not public_demo.Policy(visitor).may_change(mine)
    assert "resume" not in app.query_params


def test_resume_link_is_shown_after_the_first_own_thing(mine):
    """It is sent at a click; a visitor who has made nothing gets none, and who has closed it gets it no more."""
    offered = arrive(visitor=WORD)
    assert keys_of(offered.button, "close resume link") and not offered.code
    shown = [each.value for each in arrive(visitor=WORD, **OPENED).code]
    assert len(shown) == 1 and shown[0].endswith(f"?resume={WORD}")
    assert not arrive(visitor="somebody else").code
    closed = arrive(visitor=WORD, resume="known")
    assert not closed.code and not keys_of(closed.button, "close resume link")


def test_resume_link_stands_nowhere_but_in_its_field(mine):
    """No other element and no address has the word, so that no shared link carries it; the disk has its hash alone."""
    app = arrive(visitor=WORD, **OPENED)
    others = [str(each) for kind in (app.markdown, app.caption, app.button, app.text_input) for each in kind]
    assert not [each for each in others if WORD in each]
    assert WORD not in str(app.query_params)
    assert not [path for path in mine.rglob("*") if path.is_file() and WORD in path.read_text()]


def test_resume_link_is_not_shown_to_a_class(mine):
    """A presentation has neither the link nor the question, also where the visitor had opened it before."""
    app = arrive({"present": "1"}, visitor=WORD, **OPENED)
    assert not app.code and not keys_of(app.button, "close resume link")
    assert not keys_of(arrive({"present": "1", "resume": WORD}).button, "resume visit")


def test_resume_link_where_the_folders_cannot_be_read(mine, monkeypatch, caplog):
    """The page stands without the link, and the log says why."""

    def fail(_):
        raise DatasetError("The data home can't be read.")

    monkeypatch.setattr(public_demo, "made_by", fail)
    assert not keys_of(arrive(visitor=WORD).button, "close resume link")
    assert "The resume link is not offered" in caplog.text


def test_resume_link_outside_of_a_demo_does_nothing(homes):
    """The parameter leaves the address; there are no visitors to become."""
    app = arrive({"resume": WORD})
    assert "resume" not in app.query_params and not app.code and not app.toast


def test_visitors_word_is_random(demo):
    """Nobody guesses it: 256 bits of the system's randomness, another for each visitor."""
    found = {AppTest.from_function(_show_word).run().code[0].value for _ in range(2)}
    assert len(found) == 2 and all(len(word) == 43 for word in found)


def _show_word():
    import streamlit

    from fracture.app.shared import state

    streamlit.code(state.policy().visitor)


def test_made_by_counts_runs_and_data_sets(demo, make_model):
    """A model counts as a data set does; what others made does not."""
    assert not public_demo.made_by(ME)
    folder = make_model("own").path
    public_demo.Policy("another").sign(folder)
    assert not public_demo.made_by(ME)
    ME.sign(folder)
    assert public_demo.made_by(ME) and not public_demo.made_by(public_demo.NOBODY)
