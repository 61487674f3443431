"""The whole way without TensorFlow, on a drawn data set with the bundled backbone."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fracture.data.dataset import scan
from fracture.data.decisions import decide
from fracture.errors import ConfigError
from fracture.experiments.workbench import open_bench
from fracture.imaging.radiograph import load
from fracture.inference.classifier import load_classifier
from fracture.registry.model_folder import model_folder, read_predictions, write_zip
from fracture.training.config import TrainConfig
from fracture.training.pipeline import run
from fracture.training.runs.queue import find_run
from fracture.training.weights import find_weights
from tests.support.drawing import draw_mura

CHOSEN = {"name": "m", "weights": "bundled-8bit", "image_size": 75, "epochs": 4, "learning_rate": 0.1}

ALONE = """
import json, sys
from pathlib import Path
from fracture.training.config import TrainConfig
from fracture.training.pipeline import run
said = []
run(TrainConfig.from_json(json.loads(sys.argv[1])), lambda kind, **values: said.append({"kind": kind, **values}))
loaded = [name for name in ("tensorflow", "keras", "streamlit") if name in sys.modules]
maps = Path("/proc/self/maps")
mapped = maps.exists() and "tensorflow" in maps.read_text()
print(json.dumps({"said": said, "loaded": loaded, "mapped": mapped}))
"""


@pytest.mark.slow
def test_run_on_litert_trains_without_tensorflow(homes, tmp_path):
    """Keras is not in the process, either; the folder has all but model.h5, and the model answers as evaluated."""
    data = draw_mura(tmp_path / "MURA-v1.1", truth=True)
    chosen = TrainConfig(data=str(data), **CHOSEN).to_json()
    command = [sys.executable, "-c", ALONE, json.dumps(chosen)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["loaded"] == [] and told["mapped"] is False
    folder = model_folder("m")
    names = {path.name for path in folder.path.iterdir()}
    assert {"card.json", "model.tflite", "history.json", "predictions.csv", "familiarity.npz", "tensorboard"} == names
    card = json.loads(folder.card.read_text())
    assert card["weights"]["source"] == card["config"]["weights"] == "bundled-8bit"
    assert not {"tensorflow", "keras"} & card["libraries"].keys()
    assert card["served"]["largest_probability_difference"] < 1e-5
    assert set(card["localisation"]["shuffled_head"]) == {"correlation", "pointing"}
    assert set(json.loads(folder.history.read_text())) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    classifier, row = load_classifier("m"), read_predictions(folder).iloc[0]
    assert classifier.view("x", load(data / row["image_id"])).probability == pytest.approx(row["probability"], abs=1e-5)
    kinds = [event["kind"] for event in told["said"]]
    assert kinds.count("epoch") == kinds.count("look") == 4
    assert {"data", "weights", "network", "features", "followed", "kept", "evaluation", "end"} <= set(kinds)
    write_zip(folder, tmp_path / "m.zip")


@pytest.mark.slow
def test_run_on_litert_again_finds_its_features(homes, drawn):
    """Experiments can use them, too, and the same seed gives the same model."""
    for name, share in {"m": 0.0, "again": 1.0}.items():
        said = []
        config = TrainConfig(data=str(drawn), **{**CHOSEN, "name": name})
        run(config, lambda kind, said=said, **values: said.append({"kind": kind, **values}))
        last = [event for event in said if event["kind"] == "features"][-1]
        assert last["cached"] == share * last["total"] and last["done"] == last["total"] > 0
    first, second = (pd.read_csv(homes / "models" / name / "predictions.csv") for name in ("m", "again"))
    assert np.array_equal(first["logit"], second["logit"])
    bench = open_bench(find_run(model_folder("m")))
    assert bench.missing == 0 and bench.features.shape[1] == 2048


def quietly(*_, **__):
    """Listens to nothing."""


def choices(card):
    """What a run chose."""
    return card["kept_epoch"], card["temperature"], card["thresholds"], card["familiarity"]["threshold"]


@pytest.mark.slow
def test_run_with_selection_does_not_choose_on_the_validation_part(homes, tmp_path):
    """Other labels for the validation images change their metrics, and neither the epoch nor the thresholds."""
    data = draw_mura(tmp_path / "MURA-v1.1", 20, 8)
    config = TrainConfig(data=str(data), **{**CHOSEN, "selection": 0.25})
    before = run(config, quietly)
    table = scan(data).table
    mistaken = table[table["split"] == "valid"].groupby("label").head(3)
    for label, decision in enumerate(("positive", "negative")):
        decide(data, mistaken.loc[mistaken["label"] == label, "image_id"], decision)
    after = run(config.changed(name="changed"), quietly)
    assert choices(before) == choices(after)
    assert before["metrics"]["image"]["auc"] != after["metrics"]["image"]["auc"]
    assert before["fitted_on_validation_images"] == []
    held_out, counted = before["data"]["selection"], before["data"]["by_data"]["MURA-v1.1"]
    assert held_out["share"] == 0.25 and held_out["images"] == counted["selection"] > held_out["groups"] >= 2
    assert counted["train"] == before["data"]["training_images"] == before["familiarity"]["training_images"]
    assert len(read_predictions(model_folder("m"))) == counted["valid"], "predictions.csv is of the validation part"


@pytest.mark.slow
def test_run_with_selection_resumes_with_the_same_images(homes, drawn):
    """A stopped run that resumes comes to the same choices as one that was never stopped."""
    config = TrainConfig(data=str(drawn), **{**CHOSEN, "selection": 0.25})
    whole = run(config, quietly)
    epochs = []

    def count(kind, **_):
        epochs.extend([kind] if kind == "epoch" else [])

    stopped = run(config.changed(name="stopped"), count, lambda: len(epochs) == 2)
    assert stopped["state"] == "stopped" and stopped["epochs_done"] == 2
    resumed = run(config.changed(name="stopped"), quietly, resume=True)
    assert choices(resumed) == choices(whole) and resumed["data"]["selection"] == whole["data"]["selection"]


@pytest.mark.parametrize("chosen", [{"mode": "fine-tune"}, {"strategy": "mirrored"}])
def test_config_on_litert_with_fine_tune_is_refused(chosen):
    """The error names the weights that can be fine-tuned."""
    with pytest.raises(ConfigError, match=r"mode must be head and strategy one.*Choose imagenet, bundled, none, or"):
        TrainConfig(data="x", **{**CHOSEN, **chosen})


def test_find_weights_of_litert_and_keras_have_two_identities():
    """Features of 8-bit weights are not those of 32-bit weights."""
    found, bundled = (
        find_weights(TrainConfig(data="x", name="m", weights=each)) for each in ("bundled-8bit", "bundled")
    )
    assert found.identity != bundled.identity and found.sha256 == found.identity
    assert found.input_range == bundled.input_range and "weights in 8 bits" in found.origin
    assert found.without_keras and not bundled.without_keras
