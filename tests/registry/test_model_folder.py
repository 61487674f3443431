"""A model folder on disk."""

import json
import zipfile

import pandas as pd
import pytest

from fracture.errors import ModelError
from fracture.inference.classifier import load_classifier
from fracture.registry import model_folder
from fracture.registry.edit import rename_model


@pytest.mark.parametrize("name", ["..", "../other", "a/b", "", ".hidden", "x" * 65])
def test_a_name_cannot_lead_out_of_the_models_folder(homes, name):
    """Names are checked before they become paths."""
    with pytest.raises(ModelError, match="A model's name has"):
        model_folder.model_folder(name)


@pytest.mark.parametrize(
    ("content", "words"), [("{", "cannot be read"), ("[]", "must hold"), ('{"schema": 99}', "schema 2. Received: 99")]
)
def test_a_damaged_or_foreign_card_is_one_sentence(homes, content, words):
    """A card that cannot be used says why."""
    folder = model_folder.model_folder("m")
    folder.path.mkdir(parents=True)
    folder.card.write_text(content)
    with pytest.raises(ModelError, match=words):
        model_folder.read_card(folder)


def test_a_missing_model_names_those_that_are_there(homes, make_model):
    """Who asks for a model that is not there learns which are."""
    make_model("first")
    with pytest.raises(ModelError, match=r"no finished model called 'second'. Models: first"):
        model_folder.read_card(model_folder.model_folder("second"))


def test_free_name_counts_on(homes, make_model):
    """A proposed name is valid and not taken."""
    assert model_folder.free_name("my data (v2)") == "my-data-v2-1"
    make_model("my-data-v2-1")
    assert model_folder.free_name("my data (v2)") == "my-data-v2-2"
    assert model_folder.free_name("…") == "model-1"


def test_delete_and_zip(homes, make_model, tmp_path):
    """A zip holds the folder's files; a deleted model is gone from every list."""
    folder = make_model("m")
    model_folder.write_zip(folder, tmp_path / "m.zip")
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        names = archive.namelist()
    assert {"m/card.json", "m/model.tflite", "m/predictions.csv"} <= set(names)
    assert sum(name.startswith("m/tensorboard/") for name in names) == 2
    model_folder.delete_folder(folder)
    assert not folder.path.exists()
    assert model_folder.model_folders() == []


def test_the_bundled_model_stays(homes, make_model, monkeypatch):
    """What came with the project is nobody's to delete from within the app."""
    monkeypatch.setenv("FRACTURE_SHIPPED", str(homes / "models"))
    folder, other = make_model("fracatlas"), make_model("mine")
    assert folder.bundled and not other.bundled
    with pytest.raises(ModelError, match="comes with the project"):
        model_folder.delete_folder(folder)
    assert folder.usable


def test_shipped_models_are_listed_wherever_models_lie(homes, make_model, monkeypatch):
    """Also found by name, and shadowed by nobody: their names are taken."""
    make_model("mura-humerus").path.rename(homes / "shipped" / "mura-humerus")
    make_model("mine")
    assert {folder.name for folder in model_folder.usable_models()} == {"mine", "mura-humerus"}
    assert [folder.name for folder in model_folder.shipped_models()] == ["mura-humerus"]
    shipped = model_folder.model_folder("mura-humerus")
    assert shipped.bundled and shipped.path == homes / "shipped" / "mura-humerus"
    with pytest.raises(ModelError, match="already"):
        rename_model(model_folder.model_folder("mine"), "mura-humerus")


def test_shipped_models_left_out_are_no_models(homes):
    """Their names then lead into the models folder, as any other name."""
    assert model_folder.shipped_models() == model_folder.model_folders() == []
    assert model_folder.model_folder("mura-humerus").path.parent == homes / "models"


def test_a_group_called_na_stays_a_name(homes, make_model):
    """Words that pandas takes for missing values are names of patients here."""
    folder = make_model("m")
    table = model_folder.read_predictions(folder)
    table.assign(group="NA", study="null").to_csv(folder.predictions, index=False)
    assert set(model_folder.read_predictions(folder)["group"]) == {"NA"}
    assert set(model_folder.read_predictions(folder)["study"]) == {"null"}


def test_predictions_without_a_files_column_are_read(homes, make_model):
    """Predictions from before the column sha256 was written are read, with an empty one; nothing else differs."""
    folder = make_model("m")
    now = model_folder.read_predictions(folder)
    pd.read_csv(folder.predictions).drop(columns="sha256").to_csv(folder.predictions, index=False)
    before = model_folder.read_predictions(folder)
    assert set(before["sha256"]) == {""} and (now["sha256"].str.len() == 64).all()
    assert before.drop(columns="sha256").equals(now.drop(columns="sha256"))


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "image_id,study,group,label,probability\na,b,c,yes,0.5\n"])
def test_damaged_predictions_are_one_sentence(homes, make_model, content):
    """Predictions that are missing, empty, of other columns or of other types cannot be used, and the error says so."""
    folder = make_model("m")
    folder.predictions.unlink()
    if content is not None:
        folder.predictions.write_text(content)
    with pytest.raises(ModelError, match=r"predictions\.csv of model 'm' is missing or damaged"):
        model_folder.read_predictions(folder)


def test_a_card_that_lacks_its_metrics_is_one_sentence(homes, make_model):
    """A card must hold what a model is judged by."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    del card["metrics"]
    folder.card.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="it lacks metrics"):
        model_folder.read_card(folder)


@pytest.mark.parametrize("name", ["model.tflite", "familiarity.npz"])
def test_load_classifier_refuses_a_file_of_another_model(make_model, name):
    """One changed byte is enough, and the error names the file."""
    folder = make_model("m")
    content = bytearray((folder.path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder.path / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"m/{name} is not the file that the model's card was written with"):
        load_classifier("m")


def test_load_classifier_accepts_a_card_without_hashes(make_model):
    """A model of an earlier version still makes predictions."""
    folder = make_model("m")
    card = json.loads(folder.card.read_text())
    del card["files"]
    folder.card.write_text(json.dumps(card))
    load_classifier("m")


def test_check_files_accepts_the_bundled_model():
    """Its card holds the hashes of the graph and of the out-of-distribution check."""
    card = model_folder.read_card(model_folder.bundled_model())
    assert card.files == model_folder.file_hashes(model_folder.bundled_model())
    assert sorted(card.files) == ["familiarity.npz", "model.tflite"]
    model_folder.check_files(model_folder.bundled_model(), card)
