"""Trainings side by side."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fracture.errors import ModelError, RunError
from fracture.estimate import excludes_zero
from fracture.files import JsonObject, write_json
from fracture.registry.card import Card
from fracture.registry.model_folder import bundled_model, model_folder, read_card, read_object
from fracture.training.config import TrainConfig
from fracture.training.runs import queue
from fracture.training.runs.compare import UNKNOWN, UNUSED, check_same_files, describe_run, differing, every_run, pair


def predictions(seed: int, skill: float, groups: int = 60, shared: float = 1.0) -> pd.DataFrame:
    """Three images a group; ``skill``: how far apart the labels lie, ``shared``: what makes an image hard for all."""
    images, random = np.arange(3 * groups), np.random.default_rng(seed)
    label = (images // 3) % 2
    score = skill * label + shared * np.random.default_rng(0).normal(size=len(images)) + random.normal(size=len(images))
    return pd.DataFrame(
        {
            "image_id": [f"image{each}" for each in images],
            "study": [f"study{each // 3}" for each in images],
            "group": [f"group{each // 3}" for each in images],
            "label": label,
            "probability": 1 / (1 + np.exp(-score)),
        }
    )


def test_pair_of_equal_predictions_is_zero_without_an_interval():
    """No interval is made up."""
    one = predictions(1, 1.0)
    found = pair(one, one)
    assert found.auc == {"value": 0.0, "low": None, "high": None}
    assert not excludes_zero(found.auc)
    assert (found.cases, found.groups) == (180, 60)


def test_pair_is_the_second_auc_minus_the_first():
    """Whatever the order of the rows."""
    one, other = predictions(1, 0.5), predictions(2, 1.5).sample(frac=1, random_state=0)
    areas = [roc_auc_score(each["label"], each["probability"]) for each in (one, other)]
    found, back = pair(one, other), pair(other, one)
    assert found.auc["value"] == pytest.approx(areas[1] - areas[0])
    assert back.auc["value"] == pytest.approx(-found.auc["value"])


def test_pair_interval_excludes_zero_only_for_a_better_model():
    """A model that differs by noise alone is not told apart."""
    assert excludes_zero(pair(predictions(1, 0.3), predictions(2, 3.0)).auc)
    assert not excludes_zero(pair(predictions(1, 1.0), predictions(2, 1.0)).auc)


def test_check_files_of_different_files_with_one_name_is_refused():
    """An image must be the same file in both predictions, as far as both recorded it."""
    one = predictions(1, 1.0).assign(sha256=lambda table: table["image_id"] + " file")
    check_same_files(one, one)
    check_same_files(one, one.assign(sha256=""))
    other = one.assign(sha256=one["sha256"].where(one.index > 1, "another file"))
    with pytest.raises(ModelError, match="Received: 2 of 180 images of the same name that were different files"):
        check_same_files(one, other)


def test_pair_of_models_with_shared_difficulty_has_a_narrower_interval():
    """The more the models share, the surer is their difference."""

    def width(shared: float) -> float:
        found = pair(predictions(1, 1.0, shared=shared), predictions(2, 1.0, shared=shared)).auc
        return found["high"] - found["low"]

    assert width(3.0) < 0.6 * width(0.0)


@pytest.mark.slow
def test_pair_interval_covers_the_truth_as_often_as_it_says():
    """Of 60 equally good pairs few are told apart: 5 % are expected, and 9 or more happen once in 1,000."""
    pairs = [pair(predictions(2 * each + 1, 1.0), predictions(2 * each + 2, 1.0)) for each in range(60)]
    apart = [excludes_zero(each.auc) for each in pairs]
    assert sum(apart) < 9


def test_pair_with_repeated_images_has_the_interval_of_the_groups():
    """Whole groups are resampled: images three times each say no more than once each."""
    one, other = predictions(1, 0.5), predictions(2, 1.5)
    thrice = [
        pd.concat([each.assign(image_id=each["image_id"] + f"-{time}") for time in range(3)]) for each in (one, other)
    ]
    assert pair(*thrice).auc == pytest.approx(pair(one, other).auc)


@pytest.mark.parametrize("change", [lambda t: t[1:], lambda t: t.assign(label=1 - t["label"])])
def test_pair_of_other_images_or_labels_is_refused(change):
    """One image less, or another label, is a sentence."""
    with pytest.raises(ModelError, match=r"the same images can be paired\. Received: 180 and"):
        pair(predictions(1, 1.0), change(predictions(2, 1.0)))


def run_of(**chosen) -> queue.Run:
    config = TrainConfig(**{"data": "drawn", "name": "m", "weights": "none", **chosen})
    return queue.Run(model_folder("m"), "stopped", config.to_json(), 1.0)


def card_with(**changes: JsonObject) -> Card:
    """The bundled model's card without its configuration, and with some values changed."""
    card = {**read_object(bundled_model().card), "config": {}}
    return Card.from_json({**card, **{name: {**card[name], **values} for name, values in changes.items()}})


def test_differing_lists_only_settings_that_differ(homes):
    """A row a setting, with a word for one that a mode does not use; the name is no setting."""
    described = {
        "a": describe_run(run_of(epochs=5), None),
        "b": describe_run(run_of(epochs=7, name="other", patience=3), None),
    }
    assert differing(described) == {"Epochs": {"a": "5", "b": "7"}}
    tuned = describe_run(run_of(epochs=5, mode="fine-tune"), None)
    assert differing({"a": described["a"], "c": tuned})["Lowest trainable block"] == {"a": UNUSED, "c": "mixed2"}


def test_differing_compares_data_decisions_and_libraries(homes):
    """A run without a card yet differs in nothing that is unknown."""
    cards = [card_with(data={"training_images": 10 + each, "excluded": each}) for each in (0, 2)]
    described = {str(each.data.excluded): describe_run(run_of(), each) for each in cards}
    assert differing(described) == {
        "Training images": {"0": "10", "2": "12"},
        "Left out by decision": {"0": "0", "2": "2"},
    }
    described["none"] = describe_run(run_of(), None)
    assert differing(described)["Training images"]["none"] == UNKNOWN
    assert differing({name: described[name] for name in ("0", "none")}) == {}


def test_differing_takes_a_name_and_its_path_for_the_same_data(homes):
    """A card has the short names, a status the paths."""
    (homes / "data" / "drawn").mkdir()
    weights = str(homes / "some.weights.h5")
    status = run_of(data=str(homes / "data" / "drawn"), weights=weights)
    card = card_with(config={**status.config, "data": "drawn", "weights": "some.weights.h5"})
    assert differing({"a": describe_run(status, None), "b": describe_run(status, card)}) == {}


def test_every_run_lists_models_without_a_history(homes, make_model):
    """Runs come first, then models whose card says nothing of a run."""
    make_model("trained-here")
    folder = make_model("from-elsewhere")
    folder.status.unlink()
    card = json.loads(folder.card.read_text())
    write_json(folder.card, {name: value for name, value in card.items() if name not in ("state", "config")})
    assert [run.name for run in every_run()] == ["trained-here", "from-elsewhere"]


def waiting(name: str, state: str) -> queue.Run:
    folder = model_folder(name)
    folder.path.mkdir(parents=True)
    config = TrainConfig(data="drawn", name=name, weights="none").to_json()
    write_json(folder.status, {"state": state, "config": config, "started": 1.0})
    return queue.find_run(folder)


def test_rename_of_an_active_run_is_refused_and_a_stopped_one_resumes(homes, monkeypatch):
    """A stopped run resumes in its new folder."""
    with pytest.raises(RunError, match=r"'later' is queued\. Stop it"):
        queue.rename(waiting("later", "queued").folder, "other")
    renamed = queue.find_run(queue.rename(waiting("old", "stopped").folder, "new"))
    assert (renamed.name, renamed.config["name"], renamed.resumable) == ("new", "new", True)
    monkeypatch.setattr(queue, "advance", lambda: None)
    monkeypatch.setattr(queue, "_checked", lambda config, _: config)
    queue.resume(renamed)
    assert json.loads(renamed.folder.status.read_text())["config"]["name"] == "new"


def test_resume_after_an_interrupted_rename_uses_the_folder_name(homes):
    """The folder's name counts, not the one in its status."""
    run = waiting("old", "stopped")
    moved = model_folder("new")
    run.folder.path.rename(moved.path)
    assert queue.find_run(moved).config["name"] == "new"


def test_rename_of_a_model_shows_in_card_and_list(homes, make_model):
    """The card and the list of runs have the new name."""
    folder = queue.rename(make_model("m"), "n")
    assert read_card(folder).name == "n"
    assert [run.name for run in queue.runs()] == ["n"]
