"""The page Models: the table of all runs, their comparison, notes and names."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from fracture.app.models.comparison.significance import describe_difference
from fracture.files import write_json
from fracture.paths import PROJECT
from fracture.registry.edit import read_note, write_note
from fracture.registry.model_folder import model_folder, read_object
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.compare import Paired
from tests.pages.test_models import edit_card, judge, spread
from tests.pages.test_pages import healthy, words
from tests.support.widgets import by_key, keys_of


def runs(*picked: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "pages" / "models.py"), default_timeout=60)
    app.session_state["model tab"] = app.session_state["run tab"] = "Card"
    app.session_state["compared level"] = "image"
    if picked:
        app.query_params["runs"] = list(picked)
    return app


def frame(app, column):
    """The table that has such a column, by it."""
    return next(each.value for each in app.dataframe if column in each.value).set_index(column)


def not_trained(name: str, state: str, **chosen):
    folder = model_folder(name)
    folder.path.mkdir(parents=True)
    config = TrainConfig(data="drawn", name=name, weights="none", **chosen).to_json()
    write_json(folder.status, {"state": state, "config": config, "started": 1.0, "error": "The disk is full."})
    return folder


def choose(folder, **chosen):
    """Gives a model other choices, as if it had been trained so."""
    card = json.loads(folder.card.read_text())
    edit_card(folder, config={**card["config"], **chosen})


@pytest.fixture
def two(homes, make_model):
    """Two models that were validated on the same images; the second one has them wrong."""
    first, second = make_model("first"), make_model("second")
    judge(first, spread)
    judge(second, lambda place, label: 1 - spread(place, label))
    choose(second, learning_rate=0.5)
    return first, second


def test_table_with_finished_failed_and_damaged_runs_lists_all(homes, make_model, monkeypatch):
    """Finished runs show metrics, failed runs their reason, and damaged ones their error."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    judge(make_model("good"), spread)
    write_note(model_folder("good"), "the best so far")
    make_model("bad").card.write_text('{"schema": 99}')
    not_trained("broken", "failed")
    app = healthy(runs().run())
    table = frame(app, "Name")
    assert set(table.index) == {"good", "bad", "broken"}
    assert table["AUC"].dtype == "float64" and table["AUC"].isna().tolist() == (table.index != "good").tolist()
    assert table.loc["good", "95% interval"] == "no interval by study" and "%" in table.loc["good", "Accuracy"]
    assert (table.loc["good", "Epochs"], table.loc["good", "Note"]) == ("3 of 3", "the best so far")
    assert "schema 2. Received: 99" in table.loc["bad", "Note"]
    assert (table.loc["broken", "State"], table.loc["broken", "Note"]) == ("failed", "The disk is full.")
    assert table.loc["good", ["Learning rate", "Size"]].tolist() == [0.1, 75]


def test_comparison_of_too_many_runs_is_cut_at_the_number_of_colors(homes, monkeypatch):
    """The table lists all runs; a link that names too many compares the first ones."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    for number in range(20):
        not_trained(f"run-{number}", "stopped", epochs=number + 1)
    app = healthy(runs(*(f"run-{number}" for number in range(8))).run())
    assert len(frame(app, "Name")) == 20
    assert len(app.multiselect(key="runs").value) == 6
    assert frame(app, "Setting").loc["Epochs"].tolist() == ["1", "2", "3", "4", "5", "6"]
    assert "No epoch is done yet" in words(app)


def test_link_with_two_runs_shows_their_comparison(two):
    """The page shows settings, curves, metrics and significance, and no warning for the same data."""
    app = healthy(runs("first", "second").run())
    assert frame(app, "Setting").loc["Learning rate"].tolist() == ["0.1", "0.5"]
    assert frame(app, "Setting").index.tolist() == ["Learning rate"]
    assert len(app.get("plotly_chart")) == 4
    table = app.table[-1].value
    assert table.columns.tolist()[1:] == ["first", "second"]
    assert "**second** against **first**: AUC differs by -0.979 (-1.000 to -0.901)" in words(app)
    assert "validated on different data" not in words(app)
    app.segmented_control(key="compared level").set_value("study").run()
    assert "studies of 6 patients or groups" in words(healthy(app))


def test_comparison_begins_with_its_significance(two):
    """Whether one is better comes before the curves that explain it; the table begins with name and AUC."""
    app = healthy(runs("first", "second").run())
    assert [each.value for each in app.header][:3] == ["Significance", "Training curves", "Validation results"]
    said = [str(each.value) for each in app.main if each.type in ("header", "markdown", "caption")]
    sentence = next(place for place, each in enumerate(said) if "against **first**: AUC differs" in each)
    assert sentence < said.index("Training curves")
    assert frame(app, "Name").columns.tolist()[:2] == ["AUC", "95% interval"]


def test_differences_with_equal_settings_or_another_seed_are_described(two):
    """The page says that nothing differs, or only the seed."""
    choose(two[1], learning_rate=0.1)
    assert "No differences" in words(healthy(runs("first", "second").run()))
    choose(two[1], seed=7)
    assert "Only the seed differs" in words(healthy(runs("first", "second").run()))


def test_comparison_across_validation_data_warns_and_pairs_nothing(two):
    """The metrics stand side by side under a warning, without a paired difference."""
    data = json.loads(two[1].card.read_text())["data"]
    edit_card(two[1], data={**data, "validated_on": dict.fromkeys(data["validated_on"], "another")})
    said = words(healthy(runs("first", "second").run()))
    assert "validated on different data" in said
    assert "no paired comparison" in said


def test_comparison_with_other_training_images_is_paired(two):
    """Only the validation images must be the same."""
    data = json.loads(two[1].card.read_text())["data"]
    edit_card(two[1], data={**data, "fingerprint": "another"})
    said = words(healthy(runs("first", "second").run()))
    assert "validated on different data" not in said
    assert "on the same" in said


def test_comparison_with_a_run_without_model_shows_its_settings(two, monkeypatch):
    """A stopped run has settings, no metrics, and a link to resume it."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    not_trained("third", "stopped", learning_rate=0.2)
    app = healthy(runs("third", "first", "second").run())
    assert frame(app, "Setting").loc["Learning rate", "third"] == "0.2"
    assert "No model yet: third" in words(app)
    assert "Resume run" in words(app)
    assert app.table[-1].value.columns.tolist()[1:] == ["first", "second"]


@pytest.mark.parametrize(
    ("auc", "said"),
    [
        ((0.1, 0.02, 0.2), "differs by +0.100 (+0.020 to +0.200) on the same 9 images of 3 patients or groups. "
         "Significant: the interval excludes zero."),
        ((0.013, -0.0004, 0.044), "differs by +0.013 (-0.0004 to +0.044)"),
        ((-0.1, -0.2, 0.01), "Not significant: the interval includes zero."),
        ((0.0, None, None), "differs by 0.000 on the same 9 images of 3 patients or groups. There is no interval"),
        ((None, None, None), "all of them have the same label"),
    ],
)  # fmt: skip
def test_describe_difference_of_any_interval_says_whether_it_is_significant(auc, said):
    """A difference is significant where its interval excludes zero; without an interval there is no verdict."""
    assert said in describe_difference(Paired(9, 3, dict(zip(("value", "low", "high"), auc, strict=True))), "images")


def test_note_when_typed_is_saved_and_shown(two):
    """The note lies in the model's folder, and the table shows it at once."""
    app = runs("first").run()
    healthy(by_key(app.text_area, "note").set_value("*lower* rate").run())
    assert read_note(two[0]) == "*lower* rate"
    assert frame(app, "Name").loc["first", "Note"] == "*lower* rate"
    assert by_key(healthy(runs("first").run()).text_area, "note").value == "*lower* rate"


def test_note_changed_in_two_tabs_is_not_overwritten(two):
    """A tab shows the other one's note beside its own; only a click overwrites either."""
    here, there = runs("first").run(), runs("first").run()
    by_key(there.text_area, "note").set_value("theirs").run()
    assert by_key(healthy(here.run()).text_area, "note").value == ""
    assert "Another tab has changed this note to: theirs" in words(here)
    by_key(here.button, "reload note").click().run()
    assert by_key(healthy(here).text_area, "note").value == "theirs"
    assert "Another tab" not in words(here)
    by_key(there.text_area, "note").set_value("theirs again").run()
    by_key(here.text_area, "note").set_value("mine").run()
    assert read_note(two[0]) == "theirs again"
    assert by_key(healthy(here).text_area, "note").value == "mine"
    assert "Another tab has changed this note to: theirs again" in words(here)
    by_key(here.button, "overwrite note").click().run()
    assert read_note(two[0]) == "mine"
    assert "Another tab" not in words(healthy(here))


def test_note_after_another_page_is_read_again(two):
    """A visitor who returns to the page finds the saved note, not an empty field."""
    write_note(two[0], "words")
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.query_params["runs"] = ["first"]
    app.session_state["model tab"] = "Card"
    app.run().switch_page("pages/models.py").run()
    assert by_key(healthy(app).text_area, "note").value == "words"
    app.switch_page("pages/home.py").run()
    write_note(two[0], "other words")
    app.query_params["model"] = "first"
    app.session_state["model tab"] = "Card"
    app.switch_page("pages/models.py").run()
    assert by_key(app.text_area, "note").value == "other words"
    assert read_note(two[0]) == "other words"


def test_rename_of_a_chosen_run_keeps_it_chosen(two):
    """The address, the choice on other pages and the files follow; the note stays."""
    write_note(two[0], "words")
    app = runs("first", "second")
    app.session_state["chosen model"] = app.session_state["run"] = "first"
    app.run()
    app.text_input(key="new name first").set_value("better")
    healthy(by_key(app.button, "confirm rename first").click().run())
    assert app.multiselect(key="runs").value == ["better", "second"]
    assert app.query_params["runs"] == ["better", "second"]
    assert app.session_state["chosen model"] == app.session_state["run"] == "better"
    assert by_key(app.text_area, "note better").value == "words"
    assert read_object(model_folder("better").card)["name"] == "better"


@pytest.mark.parametrize(
    ("name", "said"), [("second", "something called 'second' already"), ("../up", "A model's name has")]
)
def test_rename_to_an_invalid_name_shows_one_error(two, name, said):
    """The page shows why the name is invalid, and renames nothing."""
    app = runs("first").run()
    by_key(app.text_input, "new name").set_value(name)
    by_key(app.button, "confirm rename").click().run()
    assert not app.exception
    assert said in app.error[0].value
    assert two[0].usable


def test_delete_of_a_run_removes_it_and_old_links_say_so(two):
    """The table no longer lists the run, and a link to it shows a warning."""
    app = runs("first").run()
    by_key(app.button, "delete").click().run()
    assert not two[0].path.exists()
    assert frame(app, "Name").index.tolist() == ["second"]
    assert "model" not in app.query_params
    app = runs("first", "second").run()
    assert "Deleted or renamed: first." in words(app)
    assert app.multiselect(key="runs").value == ["second"]


def test_actions_of_bundled_and_active_runs_lack_rename_and_delete(homes, make_model, monkeypatch):
    """Their notes can still be written."""
    monkeypatch.setattr("fracture.app.models.actions.queue.advance", lambda: None)
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    make_model("fracatlas")
    not_trained("later", "queued")
    for name in ("fracatlas", "later"):
        app = runs(name).run()
        buttons = healthy(app).button
        assert not keys_of(buttons, "confirm rename") and not keys_of(buttons, "delete")
        assert len(app.text_area) == 1


def test_rows_follow_the_choice_in_the_picker(two):
    """The table ticks what is chosen in the picker or by a link."""
    app = healthy(runs("second", "first").run())
    names = frame(app, "Name").index.tolist()
    assert app.session_state["table of runs"]["selection"]["rows"] == [names.index("second"), names.index("first")]
    healthy(app.multiselect(key="runs").set_value(["first"]).run())
    assert app.session_state["table of runs"]["selection"]["rows"] == [names.index("first")]
    assert (app.query_params["model"], "runs" in app.query_params) == ("first", False)


def test_unfinished_run_shows_its_state_and_the_way_to_train(homes, monkeypatch):
    """Instead of figures the page says what the run is and why, and links to Train."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    not_trained("broken", "failed")
    app = healthy(runs("broken").run())
    assert "this run is **failed**" in words(app)
    assert "The disk is full." in words(app)
    assert "Resume run" in words(app)
    assert [each.label for each in app.tabs] == ["Curves", "Card"]
    app.session_state["run tab"] = "Curves"
    assert "No epoch is done yet" in words(healthy(app.run()))


def test_run_without_a_model_when_opened_is_not_the_model_of_other_pages(two, monkeypatch):
    """Other pages keep their model; this page shows the run again until a model is chosen."""
    monkeypatch.setattr(queue, "advance", lambda: None)
    not_trained("broken", "failed")
    app = healthy(runs("second").run())
    healthy(app.multiselect(key="runs").set_value(["broken"]).run())
    assert app.session_state["chosen model"] == "second"
    assert app.session_state["opened run"] == "broken"
    again = runs()
    again.session_state["chosen model"] = "second"
    again.session_state["opened run"] = "broken"
    assert healthy(again.run()).multiselect(key="runs").value == ["broken"]
    healthy(again.multiselect(key="runs").set_value(["first"]).run())
    assert again.session_state["chosen model"] == "first"
    assert again.session_state["opened run"] == ""


def test_former_address_of_runs_shows_their_comparison(two):
    """An old link names several runs, and all of them arrive."""
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
    app.switch_page("pages/runs.py")
    app.query_params["runs"] = ["first", "second"]
    assert app.run().multiselect(key="runs").value == ["first", "second"]
    assert [each.value for each in healthy(app).title] == ["Models"]
    assert "Significance" in words(app)


def test_comparison_across_labels_warns(two):
    """Models that detect different things are compared under a warning."""
    edit_card(two[1], labels=["whole", "broken"])
    assert "detect different things" in words(healthy(runs("first", "second").run()))
