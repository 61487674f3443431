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


@pytest.mark.slow
def test_address_after_a_choice_names_the_data_set(two):
    """The address names the selected data set, also after another choice and on the next page."""
    app = healthy(routed("data").run())
    assert (shown(app), said(app)) == (str(two[0]), "arms")
    choose(app, two[1])
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")
    app.switch_page("pages/train.py").run()
    app.run()  # the first run after a switch gets the fields of the page before, which no browser sends
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


def test_address_of_a_link_overrides_an_earlier_choice(two):
    """A link shows its data set although the visitor has selected another one before."""
    app = alone("data")
    app.session_state["data"] = str(two[0])
    app.query_params["data"] = "hands"
    app.run()
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["x" * 3000, "\0", "~nobody/arms", "../../.."])
def test_address_that_is_no_path_raises_nothing(two, asked):
    """The page shows a sentence for any address."""
    app = alone("data")
    app.query_params["data"] = asked
    app.run()
    assert not app.exception


def test_picker_with_an_incomplete_data_set_skips_it(two, monkeypatch):
    """The default is the first complete data set, not one that a job is filling."""
    monkeypatch.setattr("fracture.app.shared.dataset_picker.being_filled", lambda folder: folder == two[0])
    assert shown(healthy(alone("data").run())) == str(two[1])


@pytest.mark.slow
def test_choice_with_an_outdated_address_is_kept(two):
    """A click that still sends the old address does not undo the choice."""
    app = healthy(alone("data").run())
    choose(app, two[1])
    app.query_params["data"] = "arms"
    app.run()
    assert (shown(app), said(healthy(app))) == (str(two[1]), "hands")


def test_address_of_a_missing_data_set_shows_a_warning(two):
    """A missing data set is a warning, nothing else is selected, and the address is cleared."""
    app = alone("data")
    app.query_params["data"] = "gone"
    app.run()
    assert "no data set gone" in words(healthy(app)) and shown(app) is None and said(app) is None


@pytest.mark.parametrize("written", ["{}", ' "{}" '])
def test_typed_folder_is_selected_and_remembered(two, typed, written):
    """A typed folder is selected, stands in the address, and is in the list from then on."""
    app = alone("data")
    app.session_state["data"] = written.format(typed)  # AppTest types nothing into a picker
    app.run()
    assert (shown(app), said(healthy(app))) == (str(typed), str(typed))
    again = alone("data")
    again.query_params["data"] = str(typed)
    assert shown(healthy(again.run())) == str(typed)
    assert list_datasets() == [*two, typed]


@pytest.mark.slow
def test_data_set_when_renamed_stays_selected(two):
    """Page and address use the new name."""
    app = healthy(alone("data").run())
    app.button(key="folder dialog").click().run()
    app.text_input(key=f"name of {two[0]}").set_value("humeri")
    app.button(key="rename dataset").click().run()
    renamed = two[0].with_name("humeri")
    assert (shown(app), said(healthy(app))) == (str(renamed), "humeri")
    assert not two[0].exists() and list_datasets() == [two[1], renamed]


@pytest.mark.slow
def test_rename_to_a_taken_name_is_refused(two):
    """The dialog stays open with the typed name and says that it is taken."""
    app = healthy(alone("data").run())
    app.button(key="folder dialog").click().run()
    app.text_input(key=f"name of {two[0]}").set_value("hands")
    app.button(key="rename dataset").click().run()
    assert "already" in words(app) and app.text_input(key=f"name of {two[0]}").value == "hands"


@pytest.mark.slow
def test_delete_needs_a_confirmation(two):
    """A data set is deleted only after its checkbox is ticked; then the next one is selected."""
    app = healthy(alone("data").run())
    app.button(key="folder dialog").click().run()
    assert app.button(key="delete dataset").disabled
    app.session_state[f"label issues of {two[0]}"] = None
    app.checkbox(key="confirm delete").check().run()
    app.button(key="delete dataset").click().run()
    assert f"label issues of {two[0]}" not in app.session_state
    assert not two[0].exists() and (shown(app), said(healthy(app))) == (str(two[1]), "hands")


@pytest.mark.slow
def test_typed_folder_when_removed_keeps_its_images(two, typed):
    """A typed folder can be removed from the list, and its images stay."""
    app = alone("data")
    app.query_params["data"] = str(typed)
    healthy(app.run())
    app.button(key="folder dialog").click().run()
    app.button(key="remove dataset").click().run()
    assert typed.is_dir() and list_datasets() == two and shown(healthy(app)) == str(two[0])


def test_data_set_of_another_visitor_cannot_be_edited(two, monkeypatch):
    """A public demo shows no button to edit the data sets of others."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    app = healthy(alone("data").run())
    assert "folder dialog" not in {button.key for button in app.button}
