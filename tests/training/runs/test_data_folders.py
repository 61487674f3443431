"""Data sets renamed and deleted, and the runs that refer to them."""

import json
import os

import pytest

from fracture.cli.main import main
from fracture.data.dataset import scan
from fracture.data.decisions import decide, decided
from fracture.demo import Policy
from fracture.errors import DatasetError, PublicError
from fracture.registry.model_folder import read_card, read_object
from fracture.training.runs.data_folders import delete_dataset, rename_dataset
from fracture.training.runs.run import find_run
from tests.support.drawing import draw_mura


@pytest.fixture
def data(homes):
    return draw_mura(homes / "data" / "arms", 2, 2)


@pytest.fixture
def run(data, make_model):
    """A finished run that was trained on the data set."""
    folder = make_model("first")
    status, card = read_object(folder.status), read_object(folder.card)
    before = status["config"]["data"]
    folder.status.write_text(json.dumps({**status, "config": {**status["config"], "data": str(data)}}))
    command = "python -m fracture train --data arms --name first"
    folder.card.write_text(json.dumps({**card, "config": {**card["config"], "data": "arms"}, "command": command}))
    folder.events.write_text(folder.events.read_text().replace(before, str(data)))
    return folder


def set_state(folder, state):
    folder.status.write_text(json.dumps({**read_object(folder.status), "state": state}))


def test_rename_moves_what_runs_refer_to(data, run):
    """Status, card, command and the followed images name the new folder; the model is as usable as before."""
    renamed = rename_dataset(data, "humeri")
    assert not data.exists() and len(scan(renamed).table)
    assert find_run(run).config["data"] == str(renamed)
    card = read_card(run)
    assert card.config["data"] == "humeri" and "--data humeri --name first" in card.command
    events = [json.loads(line) for line in run.events.read_text().splitlines()]
    paths = [path for event in events for path in event.get("paths", ())]
    assert paths and all(path.startswith(f"{renamed}{os.sep}") for path in paths)


def test_rename_keeps_decisions(data):
    """They lie in the folder."""
    image = scan(data).table["image_id"].iloc[0]
    decide(data, [image], "exclude")
    assert decided(rename_dataset(data, "humeri")).index.tolist() == [image]


def test_rename_leaves_runs_on_other_data_alone(data, make_model):
    """Not a byte of their files changes."""
    other = make_model("other")
    before = [path.read_bytes() for path in (other.status, other.card, other.events)]
    rename_dataset(data, "humeri")
    assert before == [path.read_bytes() for path in (other.status, other.card, other.events)]


@pytest.mark.parametrize("change", [lambda data: rename_dataset(data, "humeri"), delete_dataset])
def test_change_while_a_run_waits_for_its_data_is_refused(data, run, change):
    """A queued run would find its images gone; the sentence names it."""
    set_state(run, "queued")
    with pytest.raises(DatasetError, match="'first' uses 'arms' and is queued"):
        change(data)
    assert data.is_dir()


def test_rename_of_a_further_data_set_is_refused(data, run):
    """Its images carry its name in the model's predictions."""
    status = read_object(run.status)
    run.status.write_text(json.dumps({**status, "config": {**status["config"], "data": "/x", "also": [str(data)]}}))
    with pytest.raises(DatasetError, match="further data set of first"):
        rename_dataset(data, "humeri")
    assert data.is_dir()


@pytest.mark.parametrize("damage", ["status", "card"])
def test_rename_with_a_damaged_run_changes_nothing(data, run, damage):
    """All files are read before the folder gets its new name; the sentence names the run."""
    status = read_object(run.status)
    getattr(run, damage).write_text("{")
    if damage == "card":
        assert read_object(run.status) == status
    with pytest.raises(DatasetError, match="run 'first' refers to 'arms'"):
        rename_dataset(data, "humeri")
    assert data.is_dir() and not data.with_name("humeri").exists()


def test_rename_keeps_odd_bytes_in_events(data, run):
    """A torn line and bytes that are no text stay as they are."""
    with run.events.open("ab") as file:
        file.write(b"\xff\xfe torn {")
    rename_dataset(data, "humeri")
    assert run.events.read_bytes().endswith(b"\xff\xfe torn {\n")


def test_rename_of_a_link_is_followed_by_the_card(homes, tmp_path, run):
    """Only the link has another name; what it leads to is where it was."""
    there = draw_mura(tmp_path / "there", 1, 1)
    link = homes / "data" / "linked"
    link.symlink_to(there)
    for path, name in ((run.status, str(there)), (run.card, "linked")):
        said = read_object(path)
        path.write_text(json.dumps({**said, "config": {**said["config"], "data": name}}))
    rename_dataset(link, "humeri")
    assert read_card(run).config["data"] == "humeri" and find_run(run).config["data"] == str(there)
    assert (homes / "data" / "humeri").is_symlink() and there.is_dir()


@pytest.mark.parametrize("name", ["../out", "", "a/b", "x" * 65])
def test_rename_to_no_name_is_refused(data, name):
    """A name leads nowhere else."""
    with pytest.raises(DatasetError, match="letters, digits"):
        rename_dataset(data, name)


def test_rename_to_a_taken_name_is_refused(data, homes):
    """Nothing is overwritten."""
    draw_mura(homes / "data" / "humeri", 1, 1)
    with pytest.raises(DatasetError, match="has a 'humeri' already"):
        rename_dataset(data, "humeri")


def test_delete_removes_the_folder_and_keeps_models(data, run):
    """Nothing half deleted stays behind."""
    delete_dataset(data)
    assert list(data.parent.iterdir()) == [] and read_card(run)


def test_delete_of_a_link_keeps_what_it_leads_to(homes, tmp_path):
    """Only the link goes."""
    there = draw_mura(tmp_path / "there", 1, 1)
    link = homes / "data" / "linked"
    link.symlink_to(there)
    delete_dataset(link)
    assert not link.exists() and len(scan(there).table)


@pytest.mark.parametrize("change", [lambda folder: rename_dataset(folder, "humeri"), delete_dataset])
def test_change_of_a_folder_elsewhere_is_refused(homes, tmp_path, change):
    """The app deletes nothing that it only lists."""
    typed = draw_mura(tmp_path / "typed", 1, 1)
    with pytest.raises(DatasetError, match="Only data sets in the data folder"):
        change(typed)
    assert typed.is_dir()


def test_delete_by_another_visitor_of_a_demo_is_refused(data, monkeypatch):
    """Data sets of the host are nobody's, either."""
    monkeypatch.setenv("FRACTURE_PUBLIC", "1")
    with pytest.raises(PublicError, match="may change it"):
        delete_dataset(data, Policy("visitor"))


def test_dataset_command_renames_and_deletes(data, capsys):
    """One JSON document says what became of the folder; a name alone means a folder of the data home."""
    assert main(["dataset", "arms", "--rename", "humeri", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "humeri"
    assert main(["dataset", "humeri", "--delete"]) == 1  # nobody can be asked here
    assert "needs a yes" in capsys.readouterr().err and (data.parent / "humeri").exists()
    assert main(["dataset", "humeri", "--delete", "--yes"]) == 0
    assert not (data.parent / "humeri").exists()
    assert main(["dataset", "humeri", "--delete", "--yes"]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_change_of_what_has_gone_names_no_path(data, monkeypatch):
    """A visitor of a demo whose data set was swept meanwhile reads its name alone."""
    gone = data.with_name("gone")
    for public in ("", "1"):
        monkeypatch.setenv("FRACTURE_PUBLIC", public)
        with pytest.raises(DatasetError, match="no data set 'gone' any more") as told:
            delete_dataset(gone, Policy("visitor"))
        assert str(data.parent) not in str(told.value)
