"""Which model answers where nobody has chosen one."""

import json
import os

import pytest

from fracture.registry.default_model import by_preference, describe_model, has_labels, labels_of, why_default
from fracture.registry.model_folder import usable_models


def stop(folder):
    """Makes a model that of a stopped training."""
    folder.card.write_text(json.dumps({**json.loads(folder.card.read_text()), "state": "stopped"}))
    return folder


@pytest.fixture
def made(make_model):
    """Three models, from the oldest to the newest; the newest was stopped."""
    folders = [make_model("old"), make_model("new"), stop(make_model("stopped"))]
    for age, folder in enumerate(folders):
        os.utime(folder.path, (age, age))
    return folders


def preferred():
    return [folder.name for folder in by_preference(usable_models())]


def test_a_stopped_training_answers_last(made):
    """The newest that finished comes first; one of a stopped training last, be it the newest of all."""
    assert preferred() == ["new", "old", "stopped"]
    assert why_default(made[1]) == "the newest one whose run finished"


def test_the_model_that_comes_with_the_project_answers_first(made, make_model, homes, monkeypatch):
    """Whatever has been trained since."""
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    bundled = make_model("fracatlas")
    os.utime(bundled.path, (0, 0))
    assert preferred() == ["fracatlas", "new", "old", "stopped"]
    assert why_default(bundled) == "it comes with the project"


def test_a_stopped_model_answers_where_there_is_no_other(make_model):
    """And it is said why."""
    folder = stop(make_model("stopped"))
    assert preferred() == ["stopped"]
    assert why_default(folder) == "no run has finished"


def test_a_model_is_told_apart_by_what_it_is_worth(make_model):
    """By its AUC, by study where that was measured, and its data set; a damaged card leaves the name."""
    folder = make_model("m")
    auc = json.loads(folder.card.read_text())["metrics"]["study"]["auc"]["value"]
    assert describe_model(folder) == f"m · AUC {auc:.2f} by study on MURA-v1.1"
    assert describe_model(stop(folder)).endswith(" on MURA-v1.1 · stopped")
    card = json.loads(folder.card.read_text())
    del card["metrics"]["study"]
    folder.card.write_text(json.dumps(card))
    by_image = card["metrics"]["image"]["auc"]["value"]
    assert describe_model(folder).startswith(f"m · AUC {by_image:.2f} by image on")
    folder.card.write_text("{")
    assert describe_model(folder) == "m · damaged"


def test_model_has_the_labels_that_its_card_names(made):
    """In their order, whatever their capital letters; a damaged card names none."""
    negative, positive = labels_of(made[0])
    assert has_labels(made[0], (negative.upper(), positive))
    assert not has_labels(made[0], (positive, negative))
    made[1].card.write_text("{")
    assert not has_labels(made[1], (negative, positive))
