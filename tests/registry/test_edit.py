"""A model's name, and the note about it."""

import json
import os

import pytest

from fracture.errors import ModelError
from fracture.files import write_json
from fracture.registry import edit, model_folder


def test_a_note_is_kept_changed_and_taken_away(homes, make_model):
    """The last text counts, in any script; a blank one leaves no file behind."""
    folder = make_model("m")
    assert edit.read_note(folder) == ""
    for text in ("first", "zweite Zeile\nänderte *nichts* 骨"):
        edit.write_note(folder, text)
        assert edit.read_note(folder) == text
    edit.write_note(folder, " \n")
    assert not folder.note.exists()
    assert not list(folder.path.glob(".*"))


def test_a_note_that_is_too_long_changes_nothing(homes, make_model):
    """The limit and the length are named, and the note before is still there."""
    folder = make_model("m")
    edit.write_note(folder, "x" * edit.NOTE_LIMIT)
    with pytest.raises(ModelError, match=r"at most 2,000 characters\. Received: 2,001"):
        edit.write_note(folder, "y" * (edit.NOTE_LIMIT + 1))
    assert edit.read_note(folder) == "x" * edit.NOTE_LIMIT


def test_a_note_about_what_is_gone_is_one_sentence(homes):
    """A folder that was deleted in another tab is not made again."""
    folder = model_folder.model_folder("gone")
    with pytest.raises(ModelError, match="The note of 'gone' cannot be written"):
        edit.write_note(folder, "words")
    assert not folder.path.exists()


def test_a_note_that_cannot_be_read_is_one_sentence(homes, make_model):
    """What lies in its place and is no file is named."""
    folder = make_model("m")
    folder.note.mkdir()
    with pytest.raises(ModelError, match=r"note\.txt of 'm' cannot be read"):
        edit.read_note(folder)


def test_neither_a_note_nor_a_name_makes_a_model_newer(homes, make_model):
    """The newest of several may answer where none is named: writing about an old one must not change that."""
    old, new = make_model("old"), make_model("new")
    os.utime(old.path, (1, 1))
    edit.write_note(old, "words")
    renamed = edit.rename_model(old, "older")
    assert [folder.name for folder in model_folder.model_folders()] == [new.name, "older"]
    assert edit.read_note(renamed) == "words"


def test_a_renamed_model_says_its_new_name_everywhere(homes, make_model):
    """The folder, the card, its command, and the status of its training; nothing else of them changes."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    before = {**card, "command": card["command"].replace("--name trained", "--name m")}
    write_json(folder.card, before)
    renamed = edit.rename_model(folder, "other.name-2")
    card, status = json.loads(renamed.card.read_text()), json.loads(renamed.status.read_text())
    assert (card["name"], card["config"]["name"], status["config"]["name"]) == ("other.name-2",) * 3
    assert "--name other.name-2 " in card["command"]
    assert {**card, "name": 0, "config": 0, "command": 0} == {**before, "name": 0, "config": 0, "command": 0}
    assert not folder.path.exists()


@pytest.mark.parametrize("name", ["../up", "", "a b", ".hidden", "taken", "m"])
def test_a_name_that_is_taken_or_unsafe_is_refused(homes, make_model, name):
    """The model stays what it is called."""
    folder = make_model("m")
    make_model("taken")
    with pytest.raises(ModelError, match=r"A model's name has|already in the models folder"):
        edit.rename_model(folder, name)
    assert model_folder.read_card(folder).name == "m"


def test_the_bundled_model_keeps_its_name(homes, make_model, monkeypatch):
    """What came with the project is looked for under its name."""
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    with pytest.raises(ModelError, match="keeps its name"):
        edit.rename_model(make_model("fracatlas"), "mine")


def test_killed_between_the_folder_and_its_files_it_is_a_whole_model(homes, make_model):
    """The folder's name counts, whatever the card inside still says."""
    folder = make_model("m")
    moved = model_folder.model_folder("moved")
    folder.path.rename(moved.path)
    assert json.loads(moved.card.read_text())["name"] == "m"
    assert model_folder.read_card(moved).name == "moved"
    assert [each.name for each in model_folder.usable_models()] == ["moved"]
