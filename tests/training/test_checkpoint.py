"""Checkpoints of a run, in one file."""

import numpy as np
import pytest

from fracture.errors import RunError
from fracture.training.checkpoint import NO_CHECKPOINTS, Checkpoint, Checkpointer, restore_state

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)]
CHECKPOINT = Checkpoint(2, {"loss": [0.5, 0.25]}, 1, -0.25, ARRAYS, [*ARRAYS, np.zeros(3)])


def test_checkpointer_load_gives_what_was_saved(tmp_path):
    """Values, and arrays to the last bit in their order."""
    Checkpointer(tmp_path / "checkpoint.npz").save(CHECKPOINT)
    found = Checkpointer(tmp_path / "checkpoint.npz").load()
    assert (found.epoch, found.history, found.kept_epoch, found.best) == (2, {"loss": [0.5, 0.25]}, 1, -0.25)
    for name in ("best_weights", "variables"):
        pairs = zip(getattr(found, name), getattr(CHECKPOINT, name), strict=True)
        assert all(np.array_equal(mine, theirs) and mine.dtype == theirs.dtype for mine, theirs in pairs)


def test_checkpointer_load_after_delete_gives_none(tmp_path):
    """So it is before the first epoch, too; deleting twice is no error."""
    checkpointer = Checkpointer(tmp_path / "checkpoint.npz")
    assert checkpointer.load() is None
    checkpointer.save(CHECKPOINT)
    checkpointer.delete()
    checkpointer.delete()
    assert checkpointer.load() is None


def test_checkpointer_without_a_path_saves_nothing():
    """For a run that is never resumed."""
    NO_CHECKPOINTS.save(CHECKPOINT)
    assert NO_CHECKPOINTS.load() is None


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_checkpointer_load_of_a_damaged_file_is_one_sentence(tmp_path, content):
    """Empty, of another format, or cut off."""
    path = tmp_path / "checkpoint.npz"
    Checkpointer(path).save(CHECKPOINT)
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    with pytest.raises(RunError, match=r"checkpoint\.npz of this run is damaged; start a new run"):
        Checkpointer(path).load()


def test_checkpointer_load_with_other_data_is_refused(tmp_path):
    """The error names what has changed."""
    path = tmp_path / "checkpoint.npz"
    Checkpointer(path, {"data set": "a", "weights": "b"}).save(CHECKPOINT)
    assert Checkpointer(path, {"data set": "a", "weights": "b"}).load() is not None
    with pytest.raises(RunError, match="its data set changed"):
        Checkpointer(path, {"data set": "other", "weights": "b"}).load()


def test_restore_state_of_another_network_is_refused():
    """Variables of other shapes are not touched."""
    with pytest.raises(RunError, match="of another network"):
        restore_state([np.zeros(3)], [np.zeros(4)])
