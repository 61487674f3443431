"""Fine-tuning in 16 bits, on the small network of the tests beside this one."""

import keras
import numpy as np
import pytest

from fracture.training.backbone import network
from fracture.training.checkpoint import Checkpointer
from tests.training.finetune.test_finetune import bright_squares, config, small_backbone, train

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def small(monkeypatch, homes):
    """Undo for later tests what a run changes in its process, which ends with it."""
    monkeypatch.setattr(network, "_load_backbone", small_backbone)
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_fine_tune_in_16_bits_is_nearly_like_in_32_bits(precision):
    """The same losses but for rounding in 16 bits, and weights that stay in 32 bits."""
    exact, _, expected = train(bright_squares(), config(learning_rate=1e-3))
    rounded, _, found = train(bright_squares(), config(learning_rate=1e-3, precision=precision))
    assert expected.history["loss"][-1] < expected.history["loss"][0]
    assert found.history["loss"] == pytest.approx(expected.history["loss"], rel=5e-3)
    assert found.history["loss"] != expected.history["loss"]
    assert {weight.dtype for weight in rounded.whole.get_weights()} == {np.dtype(np.float32)}
    assert not np.array_equal(rounded.dense.get_weights()[0], exact.dense.get_weights()[0])


def test_fine_tune_in_float16_resumed_has_the_loss_scale_before(tmp_path):
    """A loss that overflows in 16 bits is scaled by less and less, and an interruption changes nothing about that."""
    choices = config(epochs=4, precision="float16", box_weight=100.0, learning_rate=1e-3, averaging=0.9)
    checkpointer, done = Checkpointer(tmp_path / "checkpoint.npz"), []

    def emit(kind, **said):
        done.extend([said["epoch"]] if kind == "epoch" else [])

    whole, _, expected = train(bright_squares(), choices)
    train(bright_squares(), choices, emit, lambda: len(done) == 2, checkpointer)
    scalars = [float(each) for each in checkpointer.load().variables if each.shape == () and each.dtype == np.float32]
    assert 0 < max(scalars) < 2**15, "Keras begins with 2 ** 15"
    gone_on, _, fit = train(bright_squares(), choices, emit, checkpointer=checkpointer)
    assert done == [1, 2, 3, 4]
    assert fit.history["loss"] == pytest.approx(expected.history["loss"], rel=1e-3)
    for mine, theirs in zip(gone_on.whole.get_weights(), whole.whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
