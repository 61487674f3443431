"""A run as it stood after an earlier epoch."""

import pytest

from fracture.training.runs.progress import RunProgress
from fracture.training.runs.replay import replay


@pytest.fixture
def progress():
    """A run of three epochs, whose second one is kept."""
    found = RunProgress({"epochs": 3})
    for number, loss in ((1, 0.9), (2, 0.5), (3, 0.7)):
        epoch = {"kind": "epoch", "epoch": number, "epochs": 3, "seconds": 1.0, "loss": loss, "val_loss": loss}
        look = {"kind": "look", "epoch": number, "confusion": [1, 0, 0, 1], "probabilities": [loss]}
        found.add([epoch, look])
    found.add([{"kind": "kept", "epoch": 2}])
    return found


def test_replay_of_an_earlier_epoch_knows_nothing_of_later_ones(progress):
    """Curves and followed images end at the epoch; which one is kept isn't known yet."""
    earlier = replay(progress, 1)
    assert earlier.history == {"loss": [0.9], "val_loss": [0.9]}
    assert (earlier.epoch, earlier.epochs, earlier.kept_epoch) == (1, 3, None)
    assert earlier.look == progress.looks[0]


def test_replay_of_the_last_epoch_is_the_run(progress):
    """Its progress is unchanged by the replay of earlier epochs."""
    replay(progress, 1)
    assert replay(progress, 3) is progress
    assert (progress.epoch, progress.kept_epoch, len(progress.looks)) == (3, 2, 3)
