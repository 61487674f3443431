"""The network, and training its head on features; with ``network`` and ``keras_features``."""

import numpy as np
import pytest

from fracture.training.config import TrainConfig

pytestmark = pytest.mark.full

SIZE = 75


def config(**chosen) -> TrainConfig:
    return TrainConfig(**{"data": "x", "name": "m", "weights": "none", "image_size": SIZE, "batch_size": 4, **chosen})


def build(chosen: TrainConfig):
    from fracture.training.backbone.network import build_network
    from fracture.training.weights import find_weights

    return build_network(chosen, find_weights(chosen))


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (22, SIZE, SIZE, 3)).astype(np.float32), rng.integers(0, 2, 22)


@pytest.mark.slow
def test_fit_head_on_features_equals_training_on_images(images):
    """With the same seed and order, losses and head are those of the plain Keras loop on a frozen backbone."""
    import keras

    from fracture.training.head.keras_head import batches, train_keras_head

    pixels, label = images
    chosen = config(epochs=3, learning_rate=1e-2, seed=5)
    split = slice(0, 14), slice(14, 22)

    plain = build(chosen)
    plain.whole.compile(
        optimizer=keras.optimizers.Adam(chosen.learning_rate), loss="binary_crossentropy", metrics=["accuracy"]
    )
    expected = plain.whole.fit(
        batches((pixels[split[0]], label[split[0]]), chosen),
        steps_per_epoch=4,
        validation_data=(pixels[split[1]], label[split[1]][:, None]),
        epochs=chosen.epochs,
        verbose=0,
    ).history

    network = build(chosen)
    pooled = keras.Model(network.backbone.input, network.whole.get_layer("features").output)
    features = pooled.predict(pixels, verbose=0)
    said = []
    found = train_keras_head(
        network.head,
        (features[split[0]], label[split[0]]),
        (features[split[1]], label[split[1]]),
        chosen,
        emit=lambda kind, **values: said.append((kind, values)),
        should_stop=lambda: False,
    )
    for name, values in expected.items():
        assert found.history[name] == pytest.approx(values, abs=2e-5), name
    assert len(set(found.history["loss"])) == 3, "the head must have learned something"
    assert [values["epoch"] for kind, values in said if kind == "epoch"] == [1, 2, 3]
    assert found.kept_epoch == int(np.argmin(expected["val_loss"])) + 1


@pytest.mark.slow
def test_fit_head_leaves_the_best_epoch_in_the_whole_network(images):
    """After training the whole network answers with the weights of the lowest validation loss."""
    from fracture.training.head.keras_head import train_keras_head

    network = build(config(epochs=6, learning_rate=0.3))
    rng = np.random.default_rng(1)
    features, label = rng.standard_normal((40, 2048)).astype(np.float32), rng.integers(0, 2, 40)
    trained = train_keras_head(
        network.head,
        (features[:30], label[:30]),
        (features[30:], label[30:]),
        config(epochs=6, learning_rate=0.3),
        emit=lambda *_, **__: None,
        should_stop=lambda: False,
    )
    lowest = min(trained.history["val_loss"])
    assert network.head.evaluate(features[30:], label[30:, None], verbose=0)[0] == pytest.approx(lowest, rel=1e-4)
    pixels = images[0][:2]
    pooled = network.backbone.predict(pixels, verbose=0).mean(axis=(1, 2))
    expected = network.head.predict(pooled, verbose=0)
    assert network.whole.predict(pixels, verbose=0) == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_fit_head_stopped_ends_with_its_epoch(images):
    """The best epoch so far is kept."""
    from fracture.training.head.keras_head import train_keras_head

    network = build(config(epochs=50))
    features, label = np.zeros((8, 2048), np.float32), np.arange(8) % 2
    asked = iter([False, False, True])
    trained = train_keras_head(
        network.head,
        (features, label),
        (features, label),
        config(epochs=50),
        emit=lambda *_, **__: None,
        should_stop=lambda: next(asked),
    )
    assert len(trained.history["loss"]) == 2


@pytest.mark.slow
def test_fit_head_resumed_ends_as_if_never_interrupted(tmp_path):
    """To the last bit: losses, best epoch and weights."""
    from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer
    from fracture.training.head.keras_head import train_keras_head

    rng = np.random.default_rng(1)
    features, label = rng.standard_normal((40, 2048)).astype(np.float32), rng.integers(0, 2, 40)

    def train(checkpointer=NO_CHECKPOINTS, epochs_wanted=6):
        network, done = build(config(epochs=6)), []
        fit = train_keras_head(
            network.head,
            (features[:30], label[:30]),
            (features[30:], label[30:]),
            config(epochs=6),
            emit=lambda kind, **values: done.append(values["epoch"]) if kind == "epoch" else None,
            should_stop=lambda: len(done) == epochs_wanted,
            checkpointer=checkpointer,
        )
        return fit, network.head.get_weights(), done

    expected, weights, _ = train()
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz", {"data": "a"})
    train(checkpointer, epochs_wanted=4)
    fit, found, done = train(checkpointer)
    assert done == [5, 6]
    assert (fit.history, fit.kept_epoch) == (expected.history, expected.kept_epoch)
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(found, weights, strict=True))


@pytest.mark.slow
def test_describe_frozen_network_has_a_trainable_head_alone():
    """A frozen backbone leaves the 2,049 parameters of one unit over 2,048 features."""
    from fracture.training.backbone.network import describe_network

    said = describe_network(build(config()))
    assert (said["layers"], said["parameters"], said["trainable"]) == (315, 21_804_833, 2_049)
    assert sum(row["parameters"] for row in said["rows"]) == said["parameters"]
    assert [row["name"] for row in said["rows"] if row["trainable"]] == ["head"]


@pytest.mark.slow
def test_build_network_with_the_same_seed_is_the_same():
    """Random weights follow from the seed, so that their features may be cached."""
    first, second, other = build(config(seed=3)), build(config(seed=3)), build(config(seed=4))
    kernels = [network.backbone.get_weights()[0] for network in (first, second, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])
