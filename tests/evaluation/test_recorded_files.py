"""Which files a model was made of: recorded by training, or added to the predictions of an older model folder."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from fracture.data.dataset import Dataset, fingerprint, scan
from fracture.errors import ModelError
from fracture.evaluation.recorded_files import record_files
from fracture.files import file_sha256
from fracture.inference.ood import load_ood_detector
from fracture.registry.model_folder import read_card, read_predictions


@pytest.fixture
def folder(make_model):
    """A model whose predictions name no files."""
    made = make_model("m")
    pd.read_csv(made.predictions, dtype=str).drop(columns="sha256").to_csv(made.predictions, index=False)
    return made


def own(folder) -> Dataset:
    """The data set that the model was validated on."""
    return scan(read_card(folder).config["data"])


def asked(folder, data: Dataset) -> pd.DataFrame:
    """What the model would say of its own images."""
    told = read_predictions(folder).set_index("image_id")["probability"]
    table = data.table[data.table["image_id"].isin(told.index)].reset_index(drop=True)
    sha256 = [f"{row:064x}" for row in range(1, len(table) + 1)]
    return table.assign(sha256=sha256, probability=table["image_id"].map(told))


def test_training_records_which_files_the_model_was_made_of(trained):
    """Predictions have the SHA-256 of each validation image's file; what the model knows, of each training image's."""
    data = Path(read_card(trained).config["data"])
    predictions = read_predictions(trained)
    assert predictions["sha256"].tolist() == [file_sha256(data / name) for name in predictions["image_id"]]
    known = load_ood_detector(trained.familiarity)
    assert known.sha256 == tuple(file_sha256(data / name) for name in known.image_ids)


def test_files_of_the_same_images_are_added_and_nothing_else_changes(folder):
    """Those that could be hashed get theirs, once; all other columns stay to the last digit."""
    before = pd.read_csv(folder.predictions, dtype=str, keep_default_na=False)
    data = own(folder)
    again = asked(folder, data)
    again.loc[1, "sha256"] = ""
    assert record_files(folder, read_card(folder), data, again) == len(again) - 1
    after = pd.read_csv(folder.predictions, dtype=str, keep_default_na=False)
    recorded = again.set_index("image_id")["sha256"]
    assert after["sha256"].tolist() == recorded[after["image_id"]].tolist()
    assert after.drop(columns="sha256").equals(before)
    assert record_files(folder, read_card(folder), data, again) == 0


def test_files_of_a_joined_data_set_are_added(folder):
    """Its images have the data set's name before theirs."""
    data = own(folder)
    again = asked(folder, data)
    before = pd.read_csv(folder.predictions, dtype=str)
    before.assign(image_id=data.name + "/" + before["image_id"]).to_csv(folder.predictions, index=False)
    joined = again.assign(image_id=data.name + "/" + again["image_id"])
    card = read_card(folder)
    validated_on = {data.name: fingerprint(replace(data, table=joined))}
    card = card.model_copy(update={"data": card.data.model_copy(update={"validated_on": validated_on})})
    assert record_files(folder, card, data, again) == len(again)


@pytest.mark.parametrize("other", ["probability", "file size", "label"])
def test_other_images_of_the_same_names_are_not_recorded(folder, tmp_path, other):
    """Where one has another probability, size or label, no file is recorded, and the error says so."""
    before = folder.predictions.read_bytes()
    data = own(folder)
    again = asked(folder, data)
    if other == "probability":
        again.loc[2, "probability"] = (again.loc[2, "probability"] + 0.5) % 1
    elif other == "label":
        again.loc[2, "label"] = 1 - again.loc[2, "label"]
        data = replace(data, table=again)
    else:
        again.loc[2, "path"] = str(tmp_path / "longer.png")
        Path(again.loc[2, "path"]).write_bytes(b"x" * 10_000)
        data = replace(data, table=again)
    with pytest.raises(ModelError, match="These are not the images that model 'm' was validated on"):
        record_files(folder, read_card(folder), data, again)
    assert folder.predictions.read_bytes() == before


def test_files_that_are_recorded_stay(folder):
    """What training recorded is not replaced by what an image of that name is now."""
    data = own(folder)
    record_files(folder, read_card(folder), data, asked(folder, data))
    before = folder.predictions.read_bytes()
    changed = asked(folder, data).assign(sha256="f" * 64, probability=0.0)
    assert record_files(folder, read_card(folder), data, changed) == 0
    assert folder.predictions.read_bytes() == before
