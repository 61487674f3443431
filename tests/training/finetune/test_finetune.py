"""Fine-tuning a small network with InceptionV3's blocks by name; with ``inputs`` and ``pixel_store``."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers

from fracture.errors import Cancelled
from fracture.inference.heatmap import MIXED7
from fracture.training.backbone import network
from fracture.training.backbone.network import build_network, entry_of
from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.finetune import finetune, inputs
from fracture.training.finetune.box_targets import targets
from fracture.training.finetune.finetune import fine_tune
from fracture.training.finetune.inputs import Examples
from fracture.training.weights import Weights

SIZE = 43 + 32  # mixed7 has 3 x 3 cells, mixed10 has 1 x 1


def small_backbone(image_size, weights):
    """The stem's two pools and eleven blocks of one convolution each, with InceptionV3's strides."""
    image = keras.Input((image_size, image_size, 3))
    maps = layers.Conv2D(4, 3, strides=2, activation="relu")(image)
    maps = layers.MaxPooling2D(3, strides=2)(layers.Conv2D(4, 3)(maps))
    maps = layers.MaxPooling2D(3, strides=2)(layers.BatchNormalization()(layers.Conv2D(4, 3)(maps)))
    for number in range(11):
        halves = number in (3, 8)
        channels = 2048 if number == 10 else 16
        maps = layers.Conv2D(
            channels, 3 if halves else 1, strides=2 if halves else 1, activation="relu", name=f"mixed{number}",
        )(maps)  # fmt: skip
    return keras.Model(image, maps)


@pytest.fixture
def small(monkeypatch, homes):
    monkeypatch.setattr(network, "_load_backbone", small_backbone)


@pytest.fixture
def examples():
    return bright_squares()


def bright_squares():
    """Sixty images, a third of them with a bright square, whose place is known."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 120, (60, SIZE, SIZE)).astype(np.uint8)
    label, boxes = np.zeros(60, np.int64), np.zeros((60, 1, 4), np.float32)
    for row in range(0, 60, 3):
        x, y = rng.integers(16, 50, 2)
        pixels[row, y : y + 14, x : x + 14] = 250
        label[row], boxes[row, 0] = 1, (x + 7, y + 7, 14, 14)
    return Examples(pixels, label, boxes, (-1.0, 1.0))


TRAINING, VALIDATION = np.arange(45), np.arange(45, 60)
WEIGHTS = Weights("none", "", "", (-1.0, 1.0), "small")


def config(**choices):
    fixed = {"mode": "fine-tune", "image_size": SIZE, "epochs": 3, "batch_size": 8, "learning_rate": 0.01}
    return TrainConfig(data="data", name="small", **{**fixed, **choices})


def train(examples, choices, emit=lambda *_, **__: None, should_stop=lambda: False, checkpointer=NO_CHECKPOINTS):
    net = build_network(choices, WEIGHTS)
    before = [weight.copy() for weight in net.backbone.get_weights()]
    fit = fine_tune(
        net, examples, TRAINING, VALIDATION, choices, emit=emit, should_stop=should_stop, checkpointer=checkpointer
    )
    return net, before, fit


def changed(net, before):
    """The names of the layers whose weights are no longer what they were."""
    now = net.backbone.get_weights()
    names = [weight.path.split("/")[0] for weight in net.backbone.weights]
    return {name for name, old, new in zip(names, before, now, strict=True) if not np.array_equal(old, new)}


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", ["none", "flips", "full"])
@pytest.mark.parametrize("block", ["mixed0", "mixed6"])
def test_fine_tune_from_a_block_changes_only_that_one_and_above(small, examples, block, augmentation):
    """The blocks below stay as they were, bit by bit."""
    net, before, _ = train(examples, config(unfreeze=block, augmentation=augmentation))
    assert changed(net, before) == {f"mixed{number}" for number in range(int(block[5:]), 11)}


@pytest.mark.slow
def test_fine_tune_on_stored_blocks_trains_like_on_images(small, examples, monkeypatch):
    """The same losses, but for the 16 bits in which the blocks' output is stored."""
    stored = train(examples, config(augmentation="none", unfreeze="mixed5", learning_rate=1e-3))[2].history
    monkeypatch.setattr(inputs, "MAX_STORED_BYTES", 0)
    whole = train(examples, config(augmentation="none", unfreeze="mixed5", learning_rate=1e-3))[2].history
    assert stored["loss"] == pytest.approx(whole["loss"], rel=2e-3)
    assert stored["val_loss"] == pytest.approx(whole["val_loss"], rel=2e-3)


@pytest.mark.slow
def test_fine_tune_with_boxes_learns_what_and_where(small, examples, monkeypatch):
    """The highest cell is the one with the square, and the history has both losses."""
    monkeypatch.setattr(
        finetune.KerasEpochTracker, "on_epoch_end", keep_the_last(finetune.KerasEpochTracker.on_epoch_end)
    )
    choices = config(box_weight=1.0, epochs=40, dropout=0.0, unfreeze="mixed0", augmentation="flips")
    net, _, fit = train(examples, choices)
    assert fit.history["places_loss"][-1] < 0.7 * fit.history["places_loss"][0]
    assert fit.history["auc"][-1] > 0.9
    assert len(fit.history["val_places_loss"]) == 40
    rows = np.flatnonzero(examples.label)
    said = net.places.predict((examples.pixels[rows][..., None] / 127.5 - 1).repeat(3, -1), verbose=0)[..., 0]
    truth = targets(examples.boxes[rows], MIXED7, 3).numpy()[..., 0]
    right = [truth[each].flat[said[each].argmax()] > 0.3 * truth[each].max() for each in range(len(rows))]
    assert np.mean(right) > 0.7  # by chance about 0.3


def keep_the_last(on_epoch_end):
    """So that what is looked at has learned for as long as it could: what is best by AUC may come early."""

    def last(watch, epoch, logs):
        watch._best = -np.inf
        on_epoch_end(watch, epoch, logs)

    return last


@pytest.mark.slow
def test_fine_tune_keeps_the_best_epoch_by_auc(small, examples):
    """The network has the weights of the epoch with the highest validation AUC, and of several the lowest loss."""
    said = []
    net, _, fit = train(examples, config(epochs=5, learning_rate=0.05), emit=lambda kind, **v: said.append((kind, v)))
    losses = -np.array(fit.history["val_loss"])
    assert fit.kept_epoch == int(np.lexsort((losses, fit.history["val_auc"]))[-1]) + 1
    assert ("kept", {"epoch": fit.kept_epoch}) in said
    probability = net.whole.predict((examples.pixels[VALIDATION][..., None] / 127.5 - 1).repeat(3, -1), verbose=0)
    auc = keras.metrics.AUC()
    auc.update_state(examples.label[VALIDATION], probability[:, 0])
    assert float(auc.result()) == pytest.approx(max(fit.history["val_auc"]), abs=1e-4)


@pytest.mark.slow
def test_fine_tune_without_progress_stops_early(small, examples):
    """After as many epochs as the early-stopping patience allows."""
    fit = train(examples, config(epochs=30, learning_rate=1e-7, patience=2))[2]
    assert len(fit.history["loss"]) < 30 and not fit.stopped
    assert len(fit.history["loss"]) == fit.kept_epoch + 2


@pytest.mark.slow
def test_fine_tune_with_ema_keeps_averaged_weights(small, examples):
    """They differ from the weights without averaging."""
    plain, averaged = (train(examples, config(averaging=momentum, unfreeze="mixed8"))[0] for momentum in (0.0, 0.9))
    assert not np.allclose(plain.dense.get_weights()[0], averaged.dense.get_weights()[0])


@pytest.mark.slow
def test_fine_tune_stopped_in_the_first_epoch_is_cancelled(small, examples):
    """There is no epoch to keep."""
    with pytest.raises(Cancelled):
        train(examples, config(), should_stop=lambda: True)


@pytest.mark.slow
def test_fine_tune_stopped_later_keeps_the_best_epoch(small, examples):
    """The run ends within its epoch."""
    said = []
    _, _, fit = train(
        examples, config(epochs=50), emit=lambda kind, **_: said.append(kind), should_stop=lambda: "epoch" in said
    )
    assert fit.kept_epoch == 1 and len(fit.history["loss"]) == 1 and fit.stopped


@pytest.mark.slow
def test_fine_tune_emits_steps_in_order(small, examples):
    """Each is further than the one before, in all epochs."""
    steps = []
    train(examples, config(), emit=lambda kind, **said: steps.append(said) if kind == "steps" else None)
    places = [(said["epoch"], said["done"]) for said in steps]
    assert places == sorted(set(places)) and {epoch for epoch, _ in places} == {1, 2, 3}
    assert all(0 < said["done"] <= said["total"] == len(TRAINING) and said["seconds_left"] >= 0 for said in steps)


@pytest.mark.slow
def test_fine_tune_steps_have_the_loss_of_their_epoch(small, examples, monkeypatch):
    """Without the loss of the boxes, so that both belong on one axis: their mean is the epoch's."""
    clock = itertools.count(0, 2)  # each step is a second after the one before, and is said
    monkeypatch.setattr(finetune.time, "monotonic", lambda: float(next(clock)))
    said = []
    choices = config(box_weight=1.0, epochs=1)
    fit = train(examples, choices, emit=lambda kind, **values: said.append(values) if kind == "steps" else None)[2]
    done = np.diff([0, *(each["done"] for each in said)])
    assert len(said) == -(-len(TRAINING) // choices.batch_size)
    assert np.average([each["loss"] for each in said], weights=done) == pytest.approx(fit.history["loss"][0], rel=0.02)
    assert fit.history["places_loss"][0] > 0.1


def test_training_batches_balanced_weight_the_rarer_label_more(small, examples):
    """The mean of the weights stays 1, so that the learning rate means the same."""
    choices = config(class_weight="balanced")
    net = build_network(choices, WEIGHTS)
    source = inputs.PixelInputs(net, examples, "none")
    epoch = finetune._training_batches(source, net, TRAINING, choices).take(-(-len(TRAINING) // 8))
    read = list(epoch)
    label, weight = (np.concatenate([np.ravel(each[part]["label"]) for each in read]) for part in (1, 2))
    share = examples.label[TRAINING].mean()
    assert set(weight[label == 1].round(5)) == {round(0.5 / share, 5)} != set(weight[label == 0].round(5))
    assert weight.mean() == pytest.approx(1)


@pytest.mark.slow
def test_fine_tune_with_boxes_above_mixed8_trains_places(small, examples):
    """They need mixed7: where the stored block is above it, the images are used instead."""
    fit = train(examples, config(unfreeze="mixed9", augmentation="flips", box_weight=0.1, epochs=1))[2]
    assert "val_places_loss" in fit.history


@pytest.mark.slow
def test_fine_tune_with_the_same_seed_is_the_same(small, examples):
    """Another seed gives other losses."""
    first, again, other = (train(examples, config(seed=seed, epochs=2))[2].history["loss"] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.slow
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_fine_tune_resumed_ends_as_if_never_interrupted(small, examples, tmp_path, averaging):
    """Interrupted within its third epoch, it repeats only that one; averaged weights continue, too."""
    choices = config(epochs=4, averaging=averaging, learning_rate=1e-3)
    checkpointer, said = Checkpointer(tmp_path / "checkpoint.npz"), []
    whole, _, expected = train(examples, choices)

    def emit(kind, **values):
        said.append((kind, values.get("epoch")))

    train(examples, choices, emit, lambda: ("epoch", 2) in said, checkpointer)
    assert checkpointer.load().epoch == 2
    gone_on, _, fit = train(examples, choices, emit, checkpointer=checkpointer)
    assert said.count(("resumed", 2)) == 1 and said.count(("epoch", 2)) == 1
    for name, values in expected.history.items():
        assert fit.history[name] == pytest.approx(values, rel=1e-3), name
    assert fit.kept_epoch == expected.kept_epoch
    for mine, theirs in zip(gone_on.whole.get_weights(), whole.whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_entry_of_a_block_is_the_end_of_the_one_below():
    """The first block begins at the end of the stem."""
    backbone = small_backbone(SIZE, None)
    assert entry_of(backbone, "mixed4").name == "mixed3"
    assert isinstance(entry_of(backbone, "mixed0"), layers.MaxPooling2D)
