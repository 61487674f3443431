"""Training on two devices is training on one: in a process of its own, whose processor passes for two devices."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fracture.errors import ConfigError
from fracture.paths import PROJECT
from fracture.training.config import TrainConfig

FINE = {"mode": "fine-tune", "image_size": 75, "learning_rate": 1e-3, "dropout": 0.0, "unfreeze": "mixed5"}
CASES = {
    "head, the last batch of 5": {"mode": "head", "batch_size": 8, "dropout": 0.0, "learning_rate": 1e-2},
    "upper blocks with places, averaged, the last batch of 1": {
        **FINE, "augmentation": "full", "batch_size": 4, "box_weight": 1.0, "averaging": 0.9,
        "class_weight": "balanced", "label_smoothing": 0.1,
    },
}  # fmt: skip
REFUSED = {"a batch that two cannot share": 5, "a batch of more images than there are": 64}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """By case and by way, what came of training: losses and metrics by epoch, the epoch kept, the weights."""
    place = tmp_path_factory.mktemp("two devices")
    # oneDNN, which only processors use, cannot take a share without an image, as the last one of a single image is.
    changed = {"FRACTURE_CACHE": str(place), "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tests.training.backbone.test_distribution", str(place / "results.pickle")]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **changed}, check=True)
    return pickle.loads((place / "results.pickle").read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_devices_mirrored_train_as_one_device_does(results, case):
    """Losses, metrics and weights are equal but for rounding, though the last batch cannot be shared equally."""
    one, mirrored = results[case, "one"], results[case, "mirrored"]
    assert len(set(one["history"]["loss"])) == 3
    assert_equal(one, mirrored)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_devices_mirrored_and_resumed_end_as_if_never_interrupted(results, case):
    """Interrupted after its second epoch and resumed, a mirrored run ends where it would have ended."""
    assert results[case, "resumed"]["epochs"] == [3]
    assert_equal(results[case, "mirrored"], results[case, "resumed"])


def assert_equal(expected, found):
    assert found["history"].keys() == expected["history"].keys()
    for name, values in expected["history"].items():
        assert found["history"][name] == pytest.approx(values, abs=2e-6), name
    assert found["kept_epoch"] == expected["kept_epoch"]
    for mine, theirs in zip(found["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("case", REFUSED)
def test_devices_with_a_batch_that_cannot_be_shared_are_refused(results, case):
    """The error says which number it must be, and which was received."""
    assert f"batch_size must be {'a multiple of the 2 devices' if REFUSED[case] == 5 else 'at most'}" in results[case]
    assert f"Received: {REFUSED[case]}" in results[case]


def test_config_mirrored_with_float16_is_refused():
    """Devices that scale their losses separately would diverge."""
    with pytest.raises(ConfigError, match="With strategy mirrored, precision must be float32 or bfloat16"):
        TrainConfig(data="x", name="y", strategy="mirrored", precision="float16")


@pytest.mark.full
@pytest.mark.usefixtures("graphs")
def test_run_mirrored_without_a_gpu_trains_on_the_processor(homes, drawn):
    """The saved model is one like any other, and its card has the strategy."""
    from fracture.imaging.radiograph import load
    from fracture.inference.classifier import load_classifier
    from fracture.training.pipeline import run

    choices = {"weights": "none", "image_size": 75, "epochs": 1, "strategy": "mirrored"}
    card = run(TrainConfig(data=str(drawn), name="mirrored", **choices), emit=lambda *_, **__: None)
    assert card["config"]["strategy"] == "mirrored"
    image = load(next(drawn.rglob("*.png")))
    assert 0 < load_classifier("mirrored").classify([("view", image)]).probability < 1


def train_all(path: Path) -> None:
    """Train every case on one device, on two, and on two with an interruption; write what came of it."""
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer

    found = {}
    for case, choices in CASES.items():
        for strategy in ("one", "mirrored"):
            found[case, strategy] = train({**choices, "strategy": strategy}, NO_CHECKPOINTS)
        checkpointer = Checkpointer(path.with_name("checkpoint.npz"))
        train({**choices, "strategy": "mirrored"}, checkpointer, stop_after=2)
        found[case, "resumed"] = train({**choices, "strategy": "mirrored"}, checkpointer)
        checkpointer.delete()
    for case, size in REFUSED.items():
        try:
            train({**FINE, "strategy": "mirrored", "batch_size": size}, NO_CHECKPOINTS)
        except ConfigError as error:
            found[case] = str(error)
    path.write_bytes(pickle.dumps(found))


def train(choices, checkpointer, stop_after=0):
    """One training on drawn numbers and images; ``stop_after``: epochs."""
    from fracture.training.backbone import network
    from fracture.training.finetune.finetune import fine_tune
    from fracture.training.head.keras_head import train_keras_head
    from tests.training.finetune.test_finetune import TRAINING, VALIDATION, WEIGHTS, bright_squares, small_backbone

    network._load_backbone = small_backbone
    config = TrainConfig(data="data", name="small", epochs=3, **choices)
    net, done = network.build_network(config, WEIGHTS), []
    watched = {
        "emit": lambda kind, **said: done.append(said["epoch"]) if kind == "epoch" else None,
        "should_stop": lambda: stop_after and len(done) == stop_after,
        "checkpointer": checkpointer,
    }
    if config.mode == "head":
        rng = np.random.default_rng(1)
        features, label = rng.standard_normal((50, 2048)).astype(np.float32), rng.integers(0, 2, 50)
        fit = train_keras_head(net.head, (features[:29], label[:29]), (features[29:], label[29:]), config, **watched)
    else:
        fit = fine_tune(net, bright_squares(), TRAINING, VALIDATION, config, **watched)
    return {"history": fit.history, "kept_epoch": fit.kept_epoch, "weights": net.whole.get_weights(), "epochs": done}


if __name__ == "__main__":
    train_all(Path(sys.argv[1]))
