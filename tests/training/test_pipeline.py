"""The pipeline on a drawn data set, full network; with ``validate``, ``keras_learner``, ``head_data``, ``tflite``."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fracture.errors import Cancelled, DatasetError, RunError
from fracture.files import file_sha256
from fracture.imaging.radiograph import load
from fracture.inference.heatmap import SIDE
from fracture.registry.model_folder import model_folder, read_predictions
from fracture.training.config import TrainConfig
from tests.support.drawing import draw_mura

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("graphs")]


def run(drawn, should_stop=lambda: False, **chosen):
    from fracture.training import pipeline

    said = []
    config = TrainConfig(
        **{"data": str(drawn), "name": "m", "weights": "none", "image_size": 75, "epochs": 2, **chosen}
    )
    card = pipeline.run(config, lambda kind, **values: said.append({"kind": kind, **values}), should_stop)
    return card, said


def features(said, word=0):
    """The first word on features counts what is cached of the images as they are, the last of the mirrored, too."""
    return [event for event in said if event["kind"] == "features"][word]


def test_run_finished_leaves_a_complete_model_folder(keras_trained):
    """Every file of the contract is there, and the card has what was used and its metrics."""
    names = {path.name for path in keras_trained.path.iterdir()}
    assert {"card.json", "model.h5", "model.tflite", "history.json", "predictions.csv", "familiarity.npz"} <= names
    card = json.loads(keras_trained.card.read_text())
    assert card["labels"] == ["normal", "abnormal"]
    assert card["state"] == "finished"
    assert card["input"] == {"size": 75, "fit": "stretch", "pixel_range": [-1.0, 1.0]}
    assert len(card["data"]["fingerprint"]) >= 16
    assert card["served"]["largest_probability_difference"] < 0.02
    history = json.loads(keras_trained.history.read_text())
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in history.values()} == {card["epochs_done"]}
    predictions = pd.read_csv(keras_trained.predictions)
    assert list(predictions) == [
        "image_id", "study", "group", "body_part", "label", "data", "sha256", "logit", "probability",
    ]  # fmt: skip
    assert len(predictions) == card["data"]["validation_images"] == card["metrics"]["image"]["count"]


@pytest.mark.slow
def test_run_fine_tune_leaves_a_model_that_answers_as_evaluated(homes, tmp_path):
    """On two data sets with boxes: every file is there, each set is evaluated, and the model gives the same answers."""
    from fracture.inference.classifier import load_classifier

    data = draw_mura(tmp_path / "first", truth=True)
    also = draw_mura(tmp_path / "second", valid_patients=4, seed=1)
    chosen = {"mode": "fine-tune", "unfreeze": "mixed9", "box_weight": 0.02, "averaging": 0.9, "also": (str(also),)}
    card, said = run(data, **chosen)
    folder = model_folder("m")
    assert {"places"} < {row["name"] for row in next(event for event in said if event["kind"] == "network")["rows"]}
    assert folder.backbone.stat().st_size < 46e6
    assert list(card["metrics_by_data"]) == ["first", "second"]
    assert card["metrics_by_data"]["first"] == card["metrics"] != card["metrics_by_data"]["second"]
    assert card["metrics"]["image"]["count"] == card["data"]["by_data"]["first"]["valid"]
    assert card["served"]["auc_served"] == pytest.approx(card["served"]["auc_keras"], abs=0.005)
    assert set(card["localisation"]["shuffled_head"]) == {"correlation", "pointing"}
    assert "regions" in card
    assert "--also" in card["command"] and "--unfreeze mixed9" in card["command"]
    classifier = load_classifier("m")
    row = read_predictions(folder).iloc[0]
    view = classifier.view("x", load(data / row["image_id"]))
    assert view.probability == pytest.approx(row["probability"], abs=1e-4)
    assert view.heat.shape == (SIDE, SIDE) and 0 <= view.heat.min() <= view.heat.max() <= 1
    assert classifier.shows_places and view.embedding.shape == (1280,)


def read(drawn, **chosen):
    """What is read before anything is trained: the data set, and what was said of it."""
    from fracture.training import pipeline

    said = []
    config = TrainConfig(**{"data": str(drawn), "name": "m", "mode": "fine-tune", "box_weight": 0.1, **chosen})
    dataset = pipeline._read_data(config, lambda _, **values: said.append(values))
    return pipeline._without_places(config, dataset), said[-1]["problems"]


def test_run_fine_tune_without_boxes_has_no_output_for_places(drawn, tmp_path):
    """A sentence about it is among the problems."""
    config, problems = read(drawn)
    assert not config.teaches_places and "is not trained to localize" in problems[-1]
    config, problems = read(draw_mura(tmp_path / "boxed", truth=True))
    assert config.teaches_places and not any("is not trained to localize" in problem for problem in problems)


def test_run_with_decisions_applies_and_reports_them(tmp_path):
    """Excluded images are not trained on, relabelled ones have the new label, and the card counts both."""
    from fracture.data.dataset import scan
    from fracture.data.decisions import decide
    from fracture.training import pipeline
    from fracture.training.model_card import describe_data

    root = draw_mura(tmp_path / "MURA-v1.1")
    table = scan(root).table
    decide(root, table["image_id"][:3], "exclude")
    decide(root, table["image_id"][4:5], "negative" if table["label"][4] else "positive")
    said = []
    dataset = pipeline._read_data(TrainConfig(data=str(root), name="m"), lambda _, **values: said.append(values))
    assert len(dataset.table) == len(table) - 3
    assert dataset.table.set_index("image_id")["label"][table["image_id"][4]] == 1 - table["label"][4]
    assert "By decision, 3 images are left out and 1 have another label." in said[-1]["problems"]
    told = describe_data(dataset, readable=np.ones(len(dataset.table), bool))
    assert (told["excluded"], told["relabelled"]) == (3, 1)


def test_run_on_images_of_the_bundled_weights_warns_of_leakage(drawn, monkeypatch):
    """The bundled weights were trained on them."""
    from fracture.data.dataset import scan
    from fracture.training import pipeline

    table = scan(drawn).table
    paths = table.loc[table["split"] == "valid", "path"]
    seen = {file_sha256(Path(path)) for path in paths[:3]}
    monkeypatch.setattr(pipeline, "seen_by_bundled", lambda valid: valid["sha256"].isin(seen))
    assert read(drawn, weights="bundled")[1][-1].startswith("3 of ")
    assert not any("bundled" in problem for problem in read(drawn, weights="none")[1])


def test_run_with_selection_images_of_the_bundled_weights_warns_of_leakage(drawn, monkeypatch):
    """What such images choose would be too easy, even where the validation images are new to the weights."""
    from fracture.training import pipeline

    monkeypatch.setattr(pipeline, "seen_by_bundled", lambda images: images["split"] == "selection")
    warned = read(drawn, weights="bundled", selection=0.25)[1][-1]
    assert "selection images are among those that the bundled weights were trained on" in warned


def test_run_with_one_label_in_the_selection_part_is_refused(tmp_path):
    """The error names the part."""
    root = draw_mura(tmp_path / "MURA-v1.1", 3, 4)
    with pytest.raises(DatasetError, match=r"in all parts, train, valid and selection\. Part (train|selection) of"):
        read(root, selection=0.05)


def test_run_with_one_label_in_the_first_validation_part_is_refused(drawn, tmp_path):
    """Validation images of another data set do not replace them."""
    first = draw_mura(tmp_path / "first")
    for path in sorted((first / "valid").rglob("*_positive/*.png")):
        path.unlink()
    with pytest.raises(DatasetError, match=r"Part valid of .*first has .* and 0 "):
        read(first, also=(str(drawn),))


def test_run_with_ground_truth_measures_the_heat_maps(keras_trained):
    """With a truth.csv the card has both measures of the positive validation images, and what chance would reach."""
    card = json.loads(keras_trained.card.read_text())
    found = card["localisation"]
    assert found["images"] == found["known"] == card["metrics"]["image"]["positives"]
    assert found["groups"] == 3
    bar = (64 // 8) * (64 - 2 * 64 // 8) / 64**2  # of tests/drawing.py
    assert found["pointing"]["chance"] == found["mass"]["chance"] == pytest.approx(bar)
    assert found["flat"] == found["images"], "at 75 px the map has a single cell"
    assert found["pointing"]["value"] == 0
    assert found["mass"]["value"] is None or found["mass"]["value"] == pytest.approx(bar)


@pytest.mark.slow
def test_run_again_finds_all_features_in_the_cache(homes, drawn, tmp_path):
    """Also when the data set was moved; another fit is computed."""
    _, said = run(drawn)
    assert features(said)["cached"] == 0
    total = features(said)["total"]
    moved = tmp_path / "elsewhere"
    shutil.copytree(drawn, moved)
    again, said = run(moved, name="again")
    assert features(said, -1)["cached"] == total
    first = pd.read_csv(homes / "models/m/predictions.csv")["probability"]
    second = pd.read_csv(homes / "models/again/predictions.csv")["probability"]
    assert np.allclose(first, second, atol=1e-6), "the same seed gives the same model"
    _, said = run(moved, name="changed", fit="letterbox")
    assert features(said)["cached"] == 0, "another fit is another view"
    assert again["localisation"] is None, "nothing is known of where the bars are"
    assert again["data"]["fingerprint"] == json.loads((homes / "models/m/card.json").read_text())["data"]["fingerprint"]


@pytest.mark.slow
def test_run_with_a_damaged_cache_computes_features_again(homes, drawn):
    """The cache may be deleted or damaged at any time."""
    run(drawn)
    path = max((homes / "cache/features").iterdir(), key=lambda file: file.stat().st_size)  # the other: mirrored ones
    whole = path.read_bytes()
    for number, damaged in enumerate([b"this is no database" * 100, whole[:8192] + b"\0" * (len(whole) - 8192)]):
        path.write_bytes(damaged)
        _, said = run(drawn, name=f"again-{number}")
        assert features(said)["cached"] == 0


@pytest.mark.slow
def test_run_with_an_unreadable_image_leaves_it_out(homes, drawn, tmp_path):
    """One broken file does not end a run; the card names it."""
    broken = tmp_path / "broken"
    shutil.copytree(drawn, broken)
    victim = sorted((broken / "train").rglob("*.png"))[0]
    victim.write_bytes(victim.read_bytes()[:60])
    card, _ = run(broken)
    assert [victim.name in image for image in card["data"]["unreadable"]] == [True]


@pytest.mark.slow
def test_run_stopped_among_the_features_keeps_them(homes, drawn):
    """There is no model, but the features are in the cache."""
    with pytest.raises(Cancelled):
        run(drawn, should_stop=lambda: True)
    assert not (homes / "models/m/card.json").exists()
    _, said = run(drawn, name="later")
    assert features(said)["cached"] > 0


@pytest.mark.slow
def test_run_with_a_taken_name_or_one_label_is_refused(homes, drawn, tmp_path):
    """Before anything is computed."""
    run(drawn)
    with pytest.raises(RunError, match="already"):
        run(drawn)
    one_sided = tmp_path / "one-sided"
    shutil.copytree(drawn, one_sided)
    for study in (one_sided / "valid").rglob("*_positive"):
        shutil.rmtree(study)
    with pytest.raises(DatasetError, match="both labels in both parts"):
        run(one_sided, name="other")


@pytest.mark.slow
def test_run_with_unreadable_positives_is_refused(homes, drawn, tmp_path):
    """A validation part whose positives are all broken is refused, not measured."""
    broken = tmp_path / "broken"
    shutil.copytree(drawn, broken)
    for path in (broken / "valid").glob("**/*_positive/*.png"):
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DatasetError, match="0 abnormal that can be read"):
        run(broken)
