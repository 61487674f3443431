"""Which data set is shown, what the address says of it, and how it is renamed and deleted."""

import pytest

from fracture.data.folders import list_datasets
from tests.pages.test_pages import alone, healthy, routed, words
from tests.support.drawing import draw_mura


@pytest.fixture
def two(homes):
    """Two data sets in the data home; the first is shown unless another is asked for."""
    return [draw_mura(homes / "data" / name, 2, 2) for name in ("arms", "hands")]


@pytest.fixture
def typed(tmp_path):
    """A data set elsewhere."""
    return draw_mura(tmp_path / "elsewhere" / "typed", 2, 2)


def shown(app):
    return app.selectbox(key="data").value


def said(app):
    """What the address says."""
    values = app.query_params.get("data")
    return values[0] if isinstance(values, list) else values


def choose(app, folder):
    return app.selectbox(key="data").set_value(str(folder)).run()


def test_address_names_the_data_set_that_is_shown(two):
    """Also after another one is chosen, and on the next page."""
    app = healthy(routed("dataset").run())
    assert (shown(app), said(app)) == (str(two[0]), "arms")
    choose(app, two[1])
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")
    app.switch_page("pages/train.py").run()
    app.run()  # the first run after a switch gets the fields of the page before, which no browser sends
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


def test_address_of_a_link_is_what_is_shown(two):
    """Although the visitor has chosen another data set before."""
    app = alone("dataset")
    app.session_state["data"] = str(two[0])
    app.query_params["data"] = "hands"
    app.run()
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


@pytest.mark.parametrize("asked", ["x" * 3000, "\0", "~nobody/arms", "../../.."])
def test_address_of_no_folder_is_no_traceback(two, asked):
    """Whatever an address says, the page has words for it."""
    app = alone("dataset")
    app.query_params["data"] = asked
    app.run()
    assert not app.exception


def test_data_set_that_is_being_filled_is_nobodys_default(two, monkeypatch):
    """The first whole one is, although the other comes first in the alphabet."""
    monkeypatch.setattr("fracture.app.shared.dataset_picker.being_filled", lambda folder: folder == two[0])
    assert shown(healthy(alone("dataset").run())) == str(two[1])


def test_click_with_the_address_of_before_does_not_undo_the_choice(two):
    """A browser that has not heard of the new address yet sends the old one along."""
    app = healthy(alone("dataset").run())
    choose(app, two[1])
    app.query_params["data"] = "arms"
    app.run()
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


def test_address_of_a_data_set_that_is_not_here_is_a_warning(two):
    """Nothing else is shown in its place, and the address no longer says it."""
    app = alone("dataset")
    app.query_params["data"] = "gone"
    app.run()
    assert "no data set gone" in words(healthy(app)) and shown(app) is None and said(app) is None


@pytest.mark.parametrize("written", ["{}", ' "{}" '])
def test_typed_folder_is_shown_said_and_listed(two, typed, written):
    """A reload shows it again, and so does a later visit that chooses it from the list."""
    app = alone("dataset")
    app.session_state["data"] = written.format(typed)  # AppTest types nothing into a picker
    app.run()
    assert (shown(app), said(healthy(app))) == (str(typed), str(typed))
    again = alone("dataset")
    again.query_params["data"] = str(typed)
    assert shown(healthy(again.run())) == str(typed)
    assert list_datasets() == [*two, typed]


def test_data_set_is_renamed_and_stays_the_one_that_is_shown(two):
    """Page and address go by its new name."""
    app = healthy(alone("dataset").run())
    app.button(key="folder dialog").click().run()
    app.text_input(key=f"name of {two[0]}").set_value("humeri")
    app.button(key="rename dataset").click().run()
    renamed = two[0].with_name("humeri")
    assert (shown(app), said(healthy(app))) == (str(renamed), "humeri")
    assert not two[0].exists() and list_datasets() == [two[1], renamed]


def test_name_that_is_taken_is_a_sentence_in_the_dialog(two):
    """It stays open with what was typed."""
    app = healthy(alone("dataset").run())
    app.button(key="folder dialog").click().run()
    app.text_input(key=f"name of {two[0]}").set_value("hands")
    app.button(key="rename dataset").click().run()
    assert "already" in words(app) and app.text_input(key=f"name of {two[0]}").value == "hands"


def test_data_set_is_deleted_only_where_that_is_meant(two):
    """A box must be ticked first; then the next data set is shown."""
    app = healthy(alone("dataset").run())
    app.button(key="folder dialog").click().run()
    assert app.button(key="delete dataset").disabled
    app.session_state[f"label issues of {two[0]}"] = None
    app.checkbox(key="confirm delete").check().run()
    app.button(key="delete dataset").click().run()
    assert f"label issues of {two[0]}" not in app.session_state
    assert not two[0].exists() and (shown(app), said(healthy(app))) == (str(two[1]), "hands")


def test_typed_folder_is_taken_out_of_the_list(two, typed):
    """Its images stay."""
    app = alone("dataset")
    app.query_params["data"] = str(typed)
    healthy(app.run())
    app.button(key="folder dialog").click().run()
    app.button(key="remove dataset").click().run()
    assert typed.is_dir() and list_datasets() == two and shown(healthy(app)) == str(two[0])


def test_visitors_of_a_demo_cannot_change_the_data_sets_of_others(two, monkeypatch):
    """There is no button for it."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = healthy(alone("dataset").run())
    assert "folder dialog" not in {button.key for button in app.button}
