"""Trainings as scripts by themselves."""

import ast
import itertools
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fracture.data.dataset import scan
from fracture.data.decisions import decide
from fracture.errors import ConfigError, DatasetError, ModelError
from fracture.imaging.radiograph import fit, load
from fracture.training.config import AUGMENTATIONS, TrainConfig
from fracture.training.runs import script_templates as parts
from fracture.training.runs.keras_script import as_code, found_here, script_images
from tests.support.drawing import draw_mura


def card_of(chosen=None, **said):
    """As much of a card as a script is made from."""
    config = TrainConfig(**{"data": "humerus", "name": "m", **(chosen or {})}).to_json()
    plain = {"config": config, "labels": ["normal", "abnormal"], "input": {"pixel_range": [-1, 1]}, "state": "finished"}
    return {**plain, "weights": {"sha256": None}, **said}


def run_script(folder, card):
    """The script's own validation figures, a list an epoch for each of its metrics."""
    folder.mkdir()
    (folder / "script.py").write_text(as_code(card), encoding="utf-8")
    script_images(card).to_csv(folder / "images.csv", index=False)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "script.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 0, done.stderr
    assert (folder / f"{card['config']['name']}.keras").exists()
    return {
        name: [float(value) for value in re.findall(rf"\b{name}: ([0-9.e+-]+)", done.stdout)]
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "val_auc")
    }


@pytest.mark.full
def test_script_of_a_head_trains_to_the_same_curves(keras_trained, tmp_path, monkeypatch):
    """Every epoch's figures are those of history.json, to the four digits that Keras prints; so is the last AUC."""
    monkeypatch.setenv("FRACTURE_MODELS", str(keras_trained.path.parent))
    found = run_script(tmp_path / "script", found_here(keras_trained))
    history = json.loads(keras_trained.history.read_text())
    assert len(history["val_loss"]) == 3
    for name, values in history.items():
        assert found[name] == pytest.approx(values, rel=1e-3, abs=2e-4), name
    assert len(found["val_auc"]) == 3


@pytest.mark.full
def test_script_of_upper_blocks_trains_to_the_same_curves(homes, tmp_path):
    """With augmentation, averaged weights, balanced labels, a second data set and patients held out for selection."""
    from fracture.training import pipeline
    from fracture.training.checkpoint import NO_CHECKPOINTS
    from fracture.training.learners.keras_learner import KerasLearner
    from fracture.training.model_card import describe_data, describe_model
    from fracture.training.weights import find_weights

    config = TrainConfig(
        data=str(draw_mura(tmp_path / "first", 6, 4)), also=(str(draw_mura(tmp_path / "second", 4, 2, seed=1)),),
        name="m", mode="fine-tune", weights="none", image_size=75, fit="letterbox", epochs=2, unfreeze="mixed9",
        averaging=0.9, class_weight="balanced", selection=0.25,
    )  # fmt: skip
    dataset, weights = pipeline._read_data(config, nobody), find_weights(config)
    learner = KerasLearner(config, weights)
    trained = learner.train(dataset.table, nobody, emit=nobody, should_stop=lambda: False, checkpointer=NO_CHECKPOINTS)
    data = describe_data(dataset, readable=trained.readable, selection=config.selection)
    card = {**describe_model(config, dataset, weights), "data": data, "state": "finished"}
    found = run_script(tmp_path / "script", card)
    splits = script_images(card)["split"].value_counts()
    assert splits["selection"] == data["selection"]["images"] and splits["train"] == data["training_images"]
    for name, values in found.items():
        assert values == pytest.approx(trained.fit.history[name], rel=2e-3, abs=1e-3), name


def nobody(*_, **__):
    """Listens to nothing, and finds nothing wrong."""


def defined(text, **constants):
    """What a part of a script defines."""
    names = dict(constants)
    exec(parts.IMPORTS + text, names)
    return names


@pytest.mark.parametrize("how", parts.FIT_CODE)
@pytest.mark.parametrize(("size", "mode"), [((64, 41), "L"), ((30, 200), "RGB"), ((97, 97), "P")])
def test_script_reads_images_as_a_run_does(tmp_path, how, size, mode):
    """Pixel by pixel, whatever the aspect ratio, and turned as the EXIF data say."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "image.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise).convert("L").save(tmp_path / "image.jpg", exif=exif)
    read = defined(parts.READ + parts.FIT_CODE[how], SIZE=75)["read"]
    for path in (tmp_path / "image.png", tmp_path / "image.jpg"):
        assert np.array_equal(read(path), fit(load(path).pixels, 75, how))


@pytest.mark.parametrize("mode", ["I;16", "LA", "RGBA"])
def test_script_with_16_bit_or_transparent_images_stops(tmp_path, mode):
    """It would read them in another way than a run does."""
    Image.new(mode, (8, 8)).save(tmp_path / "image.png")
    read = defined(parts.READ + parts.FIT_CODE["stretch"], SIZE=75)["read"]
    with pytest.raises(SystemExit, match=r"must be a gray or RGB image of 8 bits\. Received: mode"):
        read(tmp_path / "image.png")


@pytest.mark.parametrize("how", ["none", "full"])
def test_script_augments_images_as_a_run_does(how):
    """The same seed gives the same augmentation."""
    import tensorflow as tf

    from fracture.training.finetune.augmentation import Batch, augment

    gray = np.random.default_rng(0).integers(0, 256, (24, 40, 40), np.uint8)
    batch = Batch(tf.cast(gray, tf.float32), tf.zeros((24, 1, 4)))
    mine = defined(parts.AUGMENTATION_CODE[how], SIZE=40)["augment"](gray, (3, 7))
    np.testing.assert_allclose(mine, augment(batch, (3, 7), how).pixels, atol=2e-2)


def test_script_flips_images_as_a_run_does():
    """The variants of an image are those of which a run stores the output of the frozen blocks."""
    import tensorflow as tf

    from fracture.training.finetune.inputs import MIRRORS

    gray = np.random.default_rng(0).integers(0, 256, (24, 40, 40), np.uint8)
    drawn = tf.random.stateless_uniform((24,), (3, 7), 0, 4, tf.int64).numpy()
    steps = [MIRRORS["flips"][variant] for variant in drawn]
    expected = [image[::down, ::across] for image, (down, across) in zip(gray, steps, strict=True)]
    assert set(drawn) == {0, 1, 2, 3}
    assert np.array_equal(defined(parts.FLIPS, SIZE=40)["augment"](gray, (3, 7)), expected)


ODD = [
    "it's",
    'say "hi"',
    "back\\slash\\",
    '"""\nimport os\nos.abort()\n',
    "löwe 🦴 骨",
    "a\u2028b\u202ec",
    "{0}%s$x\r\n",
]


@pytest.mark.parametrize("odd", ODD)
def test_script_with_odd_names_keeps_them_as_values(tmp_path, odd):
    """Names of data sets, labels and weights are nothing but the values of constants."""
    chosen = {"data": f"/data/{odd}", "also": (f"/more/x{odd}",), "weights": f"{odd}.weights.h5"}
    text = as_code(card_of(chosen, labels=[odd, "abnormal"], weights={"sha256": odd}))
    plain = ast.parse(as_code(card_of({"data": "/data/a", "also": ("/more/b",), "weights": "c.weights.h5"})))
    tree = ast.parse(text.encode())
    said = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("LABELS", "DATA", "WEIGHTS")
    }
    assert said["LABELS"] == (odd, "abnormal") and said["WEIGHTS"] == f"{odd}.weights.h5"
    assert list(said["DATA"].values()) == [f"/data/{odd}", f"/more/x{odd}"]
    assert [type(node) for node in tree.body] == [type(node) for node in plain.body]


def test_script_of_any_settings_defines_every_name_it_uses(tmp_path):
    """No name is missing, and none is unused."""
    ways = itertools.product(("imagenet", "bundled", "none", "x.weights.h5"), AUGMENTATIONS, (0.0, 0.9))
    chosen = [{"weights": weights, "augmentation": how, "averaging": momentum} for weights, how, momentum in ways]
    further = [{"precision": "bfloat16", "unfreeze": "mixed0"}, {"class_weight": "balanced", "fit": "letterbox"}]
    further += [{"mode": "head", "class_weight": "balanced", "strategy": "mirrored"}, {"precision": "float16"}]
    further += [{"mode": "head", "weights": "bundled-8bit"}]
    for number, each in enumerate([{"mode": "head"}, {}, *further, *chosen]):
        (tmp_path / f"{number}.py").write_text(as_code(card_of({"mode": "fine-tune", **each})))
    look = ["check", "--isolated", "--no-cache", "--select", "F,E,W,I,UP", "--line-length", "120", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "ruff", *look], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_script_says_what_it_leaves_out():
    """Boxes and an early stop, and nothing of these for a plain run."""
    plain = ast.get_docstring(ast.parse(as_code(card_of())))
    assert "boxes" not in plain and "stopped" not in plain and "DICOM" in plain
    boxed = as_code(card_of({"mode": "fine-tune", "box_weight": 0.1}, state="stopped", epochs_done=3))
    said = ast.get_docstring(ast.parse(boxed))
    assert "learned from boxes" in said and "the figures will differ" in said
    assert "stopped after 3 epochs" in said
    without = ast.get_docstring(ast.parse(as_code(card_of({"weights": "bundled-8bit"}))))
    assert "weights of 8 bits" in without and "come out the same" not in without
    assert "weights of 8 bits" not in plain and "come out the same" in plain


def test_images_of_lists_what_was_trained_on(tmp_path):
    """Decisions and unreadable images are applied, validation images of further data sets are left out; in order."""
    from fracture.data.combine import join
    from fracture.data.dataset import fingerprint
    from fracture.data.decisions import apply_decisions

    first, second = draw_mura(tmp_path / "first"), draw_mura(tmp_path / "second", seed=1)
    ids = scan(first).table["image_id"]
    decide(first, ids[:1], "exclude")
    decide(first, ids[1:2], "negative" if scan(first).table["label"][1] else "positive")
    dataset = join(apply_decisions(scan(first)), [scan(second)])
    data = {"fingerprint": fingerprint(dataset), "unreadable": [ids[2]]}
    card = card_of({"data": str(first), "also": (str(second),)}, data=data)
    table = script_images(card)
    assert list(table) == ["data", "path", "label", "split"]
    assert set(table["data"] + table["split"]) == {"firsttrain", "firstvalid", "secondtrain"}
    assert not {ids[0], ids[2]} & set(table.loc[table["data"] == "first", "path"])
    assert table["label"].iloc[0] == 1 - scan(first).table["label"][1]
    assert (tmp_path / table["data"].iloc[-1] / table["path"].iloc[-1]).is_file()
    decide(first, ids[3:4], "exclude")
    with pytest.raises(DatasetError, match=r"no longer those that 'm' was trained on"):
        script_images(card)


def test_found_here_has_the_paths_of_this_machine(homes, make_model, drawn):
    """A card has names; the folder of a run that was started here has the full paths."""
    folder = make_model("m")
    status = json.loads(folder.status.read_text())
    status["config"].update(weights="/somewhere/x.weights.h5")
    folder.status.write_text(json.dumps(status))
    assert found_here(folder)["config"]["weights"] == "/somewhere/x.weights.h5"
    folder.status.unlink()
    assert found_here(folder)["config"]["weights"] == "bundled-8bit"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"config": {}}, ConfigError),
        ({"config": None}, ModelError),
        ({"labels": None}, ModelError),
        ({"input": {"pixel_range": ["a", "b"]}}, ModelError),
        ({"config": {"data": "x", "name": "a", "epochs": "1)\nimport os"}}, ConfigError),
    ],
)
def test_as_code_of_a_damaged_card_is_one_sentence(said, error):
    """No script is made."""
    with pytest.raises(error):
        as_code({**card_of(), **said})
