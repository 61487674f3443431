"""The learning curve: the AUC of a head by the number of patients that it is trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fracture.errors import RunError
from fracture.estimate import Estimate
from fracture.evaluation.metrics import auc_difference
from fracture.experiments.heads import HeadTask, fit_heads
from fracture.experiments.workbench import Bench, Rows

MAX_EPOCHS = 1000
"""Of a head, however few patients it is trained on."""

GROUP_SHARES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Points of the curve, as shares of the training groups."""

MIN_GROUPS = 4
"""As far as possible two with and two without a positive image."""


@dataclass(frozen=True)
class Point:
    """A head trained on so many groups."""

    groups: int
    images: int
    draw: int
    """Which of several random subsets of that many groups."""
    auc: float
    """On the validation part, in the best epoch."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), of the validation images."""


def learning_curve(bench: Bench, draws: int) -> Iterator[Point]:
    """For each of :data:`GROUP_SHARES` several heads, each trained on another random subset of groups.

    The workers of a cluster train them where there is one.

    Raises:
        RunError: there are too few training groups, or too few of one label.
    """
    total = bench.table.loc[bench.training, "group"].nunique()
    if total < MIN_GROUPS:
        raise RunError(f"A learning curve needs at least {MIN_GROUPS} training patients. Received: {total}")
    # With few patients, several shares give the same number.
    counts = sorted({max(MIN_GROUPS, round(share * total)) for share in GROUP_SHARES})
    subsets = list(product(counts, range(draws)))
    tasks = [_task(bench, groups, draw) for groups, draw in subsets]
    features, _ = bench.part(bench.validation)
    for (groups, draw), task, head in zip(subsets, tasks, fit_heads(bench, tasks), strict=True):
        auc = head.history["val_auc"][head.kept_epoch - 1]
        yield Point(groups, int(task.training.sum()), draw, auc, head(features))


def _task(bench: Bench, groups: int, draw: int) -> HeadTask:
    """A head on a random subset of so many groups."""
    rows = random_group_subset(bench, groups, draw)
    # As many steps for few images as for many: else few would also be trained for less time.
    epochs = round(bench.config.epochs * bench.training.sum() / rows.sum())
    config = bench.config.changed(seed=bench.config.seed + draw, epochs=min(epochs, MAX_EPOCHS))
    return HeadTask(rows, bench.validation, config)


def gain_from_more(bench: Bench, points: Sequence[Point]) -> Estimate:
    """The AUC of the heads on all groups minus that of the heads on the fewest, with a 95 % interval."""
    counts = sorted({point.groups for point in points})
    fewest = np.stack([point.probability for point in points if point.groups == counts[0]])
    most = np.stack([point.probability for point in points if point.groups == counts[-1]])
    _, label = bench.part(bench.validation)
    # Heads on all groups differ by their seed alone: their mean is one of them, only steadier.
    return auc_difference(label, fewest, most.mean(axis=0), bench.table["group"][bench.validation])


def random_group_subset(bench: Bench, groups: int, draw: int = 0) -> Rows:
    """The training images (N,) of a random subset of groups, stratified by whether a group has a positive image.

    The first four groups are two of either kind. Subsets of the same draw are nested: a smaller one is within a larger.
    """
    training = bench.table[bench.training]
    positive = training.groupby("group")["label"].max().sample(frac=1, random_state=draw)
    wanted = min(max(groups, MIN_GROUPS), len(positive))
    # The position of each group among those of its kind, 0 to 1: the first of either kind are chosen.
    number = positive.groupby(positive).cumcount()
    size = positive.groupby(positive).transform("size")
    position = ((number + 0.5) / size).where(number >= MIN_GROUPS / 2, -1.0)
    chosen = position.sort_values(kind="stable").index[:wanted]
    return bench.training & bench.table["group"].isin(chosen).to_numpy(np.bool_)
