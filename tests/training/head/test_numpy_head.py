"""The head in NumPy against the same one in Keras."""

import numpy as np
import pytest

from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import train_head


def clouds(images, features=24, seed=0):
    """Features of two overlapping clouds, two thirds of them label 0."""
    rng = np.random.default_rng(seed)
    label = (rng.random(images) < 1 / 3).astype(np.int64)
    return (rng.random((images, features)) + 0.15 * label[:, None]).astype(np.float32), label


def config(**choices):
    return TrainConfig(data="any", name="any", **{"epochs": 6, "batch_size": 16, "learning_rate": 0.01, **choices})


@pytest.fixture(scope="module")
def keras_fit():
    """The same training by Keras: from given weights, in the order of its own pipeline."""
    import keras

    from fracture.training.head.keras_head import shuffled_batches, train_keras_head

    def fit(training, validation, choices, start):
        head = keras.Sequential(
            [
                keras.Input((training[0].shape[1],)),
                keras.layers.Dropout(choices.dropout, seed=choices.seed),
                keras.layers.Dense(1, "sigmoid", kernel_regularizer=keras.regularizers.L2(choices.l2)),
            ]
        )
        head.layers[-1].set_weights([start[:-1, None], start[-1:]])
        done = train_keras_head(
            head, training, validation, choices, emit=lambda *_, **__: None, should_stop=lambda: False
        )
        size, rows = len(training[1]), np.arange(len(training[1]))
        steps = -(-size // choices.batch_size)
        batches = list(
            shuffled_batches(rows, choices.batch_size, choices.seed).take(steps * choices.epochs).as_numpy_iterator()
        )
        order = np.concatenate(batches).reshape(choices.epochs, size)
        return done, np.append(*map(np.ravel, head.layers[-1].get_weights())), lambda epoch: order[epoch]

    return fit


@pytest.mark.slow
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_train_head_equals_keras(keras_fit, l2, class_weight):
    """From the same weights, in the same order, all curves, the kept epoch and its weights are Keras's."""
    training, validation = clouds(101), clouds(40, seed=1)  # the last batch of an epoch is smaller
    choices = config(dropout=0.0, l2=l2, class_weight=class_weight)
    start = np.random.default_rng(2).normal(0, 0.3, 25).astype(np.float32)
    expected, weights, order = keras_fit(training, validation, choices, start)
    head = train_head(training, validation, choices, start=start, order=order)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert head.history[name] == pytest.approx(expected.history[name], abs=2e-5), name
    assert head.kept_epoch == expected.kept_epoch
    assert head.weights == pytest.approx(weights, abs=2e-4)


@pytest.mark.slow
def test_train_head_with_dropout_is_like_keras(keras_fit):
    """Masks come from another generator, so only on average: the training losses of several seeds agree."""
    training, validation = clouds(400), clouds(40, seed=1)
    start = np.zeros(25, np.float32)
    theirs, ours = [], []
    for seed in range(4):
        choices = config(dropout=0.5, seed=seed, epochs=4)
        theirs.append(keras_fit(training, validation, choices, start)[0].history["loss"])
        ours.append(train_head(training, validation, choices, start=start).history["loss"])
    assert np.mean(ours, axis=0) == pytest.approx(np.mean(theirs, axis=0), rel=0.02)


def test_train_head_with_the_same_seed_is_the_same():
    """Another seed gives another head."""
    training, validation = clouds(60), clouds(40, seed=1)
    first, again, other = (train_head(training, validation, config(seed=seed)) for seed in (3, 3, 4))
    assert first.history == again.history
    assert (first.weights == again.weights).all()
    assert first.history != other.history


def test_train_head_keeps_the_epoch_of_the_lowest_validation_loss():
    """With its weights: where the loss rises from the first epoch on, those of the first."""
    training, validation = clouds(60), clouds(40, seed=1)
    flipped = validation[0], 1 - validation[1]
    head = train_head(training, flipped, config(learning_rate=0.1, epochs=10))
    assert head.kept_epoch == int(np.argmin(head.history["val_loss"])) + 1
    once = train_head(training, flipped, config(learning_rate=0.1, epochs=head.kept_epoch))
    assert (head.weights == once.weights).all()


def test_train_head_leaves_the_features_unchanged():
    """Dropout works on a copy."""
    training, validation = clouds(60), clouds(40, seed=1)
    before = training[0].copy()
    train_head(training, validation, config(dropout=0.5))
    assert (training[0] == before).all()
