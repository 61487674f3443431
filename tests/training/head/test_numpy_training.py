"""The head in NumPy as a run: events, stop and resume; with ``checkpoint`` and ``epoch_tracker``."""

import numpy as np
import pytest

from fracture.errors import Cancelled, RunError
from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpointer
from fracture.training.config import TrainConfig
from fracture.training.head.numpy_head import train_head
from fracture.training.head.numpy_training import train_numpy_head
from tests.training.head.test_numpy_head import clouds

CONFIG = TrainConfig(data="any", name="any", weights="bundled-8bit", epochs=6, learning_rate=0.01)
TRAINING, VALIDATION = clouds(60), clouds(40, seed=1)


def train(checkpointer=NO_CHECKPOINTS, epochs=6, training=TRAINING):
    """Train until so many epochs have been said: how it went, the weights, and what was said."""
    said = []
    fit, weights = train_numpy_head(
        training, VALIDATION, CONFIG,
        emit=lambda kind, **values: said.append((kind, values)),
        should_stop=lambda: sum(kind == "epoch" for kind, _ in said) == epochs,
        checkpointer=checkpointer, followed=np.array([3, 5]),
    )  # fmt: skip
    return fit, weights, said


def test_fit_head_equals_train_head():
    """The same curves, kept epoch and weights; only the AUC is not computed."""
    fit, weights, _ = train()
    expected = train_head(TRAINING, VALIDATION, CONFIG)
    assert fit.history == {name: expected.history[name] for name in fit.history}
    assert set(fit.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert fit.kept_epoch == expected.kept_epoch and not fit.stopped
    assert np.array_equal(weights, expected.weights)


def test_fit_head_emits_the_events_of_a_keras_run():
    """After each epoch its metrics and a look at the validation images, at the end which epoch is kept."""
    fit, _, said = train()
    assert [kind for kind, _ in said] == ["epoch", "look"] * 6 + ["kept"]
    assert said[0][1] == {
        "epoch": 1, "epochs": 6, "seconds": said[0][1]["seconds"], "learning_rate": 0.01,
        **{name: values[0] for name, values in fit.history.items()},
    }  # fmt: skip
    right = sum(said[1][1]["confusion"][place] for place in (0, 3))
    assert right / len(VALIDATION[1]) == pytest.approx(fit.history["val_accuracy"][0])
    assert sum(said[1][1]["confusion"][2:]) == VALIDATION[1].sum()
    assert len(said[1][1]["probabilities"]) == 2


def test_fit_head_resumed_ends_as_if_never_interrupted(tmp_path):
    """Stopped after four epochs and resumed: the same curves and weights to the last bit."""
    expected, weights, _ = train()
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz")
    assert train(checkpointer, epochs=4)[0].stopped
    fit, found, said = train(checkpointer)
    assert [values["epoch"] for kind, values in said if kind == "epoch"] == [5, 6]
    assert (fit.history, fit.kept_epoch) == (expected.history, expected.kept_epoch)
    assert np.array_equal(found, weights)


def test_fit_head_stopped_before_the_first_epoch_is_cancelled():
    """There is no head yet."""
    with pytest.raises(Cancelled):
        train(epochs=0)


def test_fit_head_with_the_checkpoint_of_another_head_is_refused(tmp_path):
    """For example of another number of features."""
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz")
    train(checkpointer, epochs=2)
    features, label = TRAINING
    with pytest.raises(RunError, match="of another network"):
        train(checkpointer, training=(features[:, :12], label))
