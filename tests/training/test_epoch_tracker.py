"""A run followed epoch by epoch."""

import numpy as np
import pytest

from fracture.errors import Cancelled
from fracture.training.checkpoint import Checkpointer
from fracture.training.epoch_tracker import EpochTracker


def follow(losses, checkpointer=None, stop_before=None, said=None, **how):
    """Follow a run whose epochs have these validation losses; the weights of an epoch are its number."""
    said = [] if said is None else said
    done = [0]
    tracker = EpochTracker(
        len(losses),
        lambda kind, **values: said.append((kind, values)),
        lambda: done[0] == stop_before,
        checkpointer or Checkpointer(),
        monitor="val_loss",
        **how,
    )
    checkpoint = tracker.resume()
    with tracker.keep_best_when_stopped():
        for epoch in range(checkpoint.epoch if checkpoint else 0, len(losses)):
            done[0] = epoch
            tracker.begin_epoch(epoch, lambda: [np.array(done[0])])
            weights = [np.array(epoch + 1)]
            tracker.end_epoch(epoch + 1, {"val_loss": losses[epoch]}, 0.1, lambda weights=weights: weights)
    return tracker


@pytest.mark.parametrize(("largest", "best"), [(False, 2), (True, 3)])
def test_epoch_tracker_keeps_the_weights_of_the_best_epoch(largest, best):
    """The lowest or the largest value of the metric; of equal ones the first."""
    tracker = follow([0.5, 0.2, 0.9, 0.2, 0.9], largest=largest)
    assert (tracker.kept_epoch, tracker.best_weights) == (best, [best])


def test_epoch_tracker_keeps_the_lowest_loss_of_equal_epochs(tmp_path):
    """A perfect AUC on few images comes long before right probabilities; also where the run was resumed."""
    epochs = [{"val_auc": auc, "val_loss": loss} for auc, loss in ((0.9, 0.1), (1.0, 0.8), (1.0, 0.2), (1.0, 0.3))]
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz")
    for begin, end in ((0, 2), (2, 4)):
        tracker = EpochTracker(4, lambda *_, **__: None, lambda: False, checkpointer, monitor="val_auc", largest=True)
        tracker.resume()
        for epoch in range(begin, end + 1):
            tracker.begin_epoch(epoch, lambda: [np.array(0)])
            if epoch < end:
                tracker.end_epoch(epoch + 1, epochs[epoch], 0.1, lambda weights=epoch: [np.array(weights + 1)])
    assert (tracker.kept_epoch, tracker.best_weights) == (3, [3])


def test_epoch_tracker_with_nan_keeps_the_first_epoch():
    """No score is better than NaN, and a model needs weights."""
    assert follow([float("nan"), float("nan")]).kept_epoch == 1


def test_epoch_tracker_stopped_before_the_first_epoch_is_cancelled():
    """There is nothing to keep."""
    with pytest.raises(Cancelled):
        follow([0.5, 0.2], stop_before=0)


def test_epoch_tracker_stopped_and_resumed_continues_behind_its_checkpoint(tmp_path):
    """Epochs that are done are not repeated, and the best of them still counts."""
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz")
    losses = [0.5, 0.1, 0.4, 0.3]
    stopped = follow(losses, checkpointer, stop_before=3)
    assert stopped.stopped and len(stopped.history["val_loss"]) == 3
    said = []
    resumed = follow(losses, checkpointer, said=said)
    assert said[0] == ("resumed", {"epoch": 3})
    assert [values["epoch"] for kind, values in said if kind == "epoch"] == [4]
    assert resumed.history["val_loss"] == losses and resumed.kept_epoch == 2
    assert resumed.result().kept_epoch == 2 and said[-1] == ("kept", {"epoch": 2})
