"""A run as it stood after an earlier epoch, so that a class can watch it learn again, slower."""

from dataclasses import replace

from fracture.training.runs.progress import RunProgress


def replay(progress: RunProgress, epoch: int) -> RunProgress:
    """The progress of a run as it was after an epoch (1-based), without the points within epochs.

    The kept epoch is known only at the end: until then the best one so far is the charts' to mark. After the last epoch
    it is the progress itself.
    """
    if epoch >= progress.epoch:
        return progress
    return replace(
        progress,
        history={name: values[:epoch] for name, values in progress.history.items()},
        epoch_seconds=progress.epoch_seconds[:epoch],
        looks=[look for look in progress.looks if look["epoch"] <= epoch],
        step_losses=[],
        kept_epoch=None,
    )
