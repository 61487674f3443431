"""The learning curve: how good a head becomes with more patients to learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fracture.errors import RunError
from fracture.experiments.workbench import Bench, Rows

MOST_EPOCHS = 1000
"""That a head is trained for, however few patients it learns from."""

SHARES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Of the training groups."""


@dataclass(frozen=True)
class Point:
    """A head that learned from so many groups."""

    groups: int
    images: int
    draw: int
    """Which of several draws of that many groups."""
    auc: float
    """On the validation part, in the best epoch."""


def learning_curve(bench: Bench, draws: int) -> Iterator[Point]:
    """For each of :data:`SHARES` several heads, each on groups drawn anew; all groups can be drawn in one way only.

    Raises:
        RunError: there are too few training groups, or too few of one label.
    """
    total = bench.table.loc[bench.training, "group"].nunique()
    if total < FEWEST:
        raise RunError(f"A learning curve needs at least {FEWEST} training patients. Received: {total}")
    counts = dict.fromkeys(max(FEWEST, round(share * total)) for share in SHARES)
    for groups in (each for each in counts if each <= total):
        for draw in range(draws):
            rows = of_so_many(bench, groups, draw)
            # As many steps for few as for many: else few would also be trained for less.
            epochs = round(bench.config.epochs * bench.training.sum() / rows.sum())
            config = bench.config.changed(seed=bench.config.seed + draw, epochs=min(epochs, MOST_EPOCHS))
            head = bench.fit(rows, bench.validation, config)
            yield Point(groups, int(rows.sum()), draw, head.history["val_auc"][head.kept_epoch - 1])


FEWEST = 4
"""Groups, as far as possible two with and two without a positive image."""


def of_so_many(bench: Bench, groups: int, draw: int = 0) -> Rows:
    """The training images (N,) of so many groups, drawn by lot, as many of them with a positive image as in the whole.

    The first four are two of either kind. Of the same draw, fewer groups are always among the more.
    """
    training = bench.table[bench.training]
    positive = training.groupby("group")["label"].max().sample(frac=1, random_state=draw)
    wanted = min(max(groups, FEWEST), len(positive))
    # Each group's place among those of its kind, 0 to 1: the foremost of either kind are taken.
    number, size = positive.groupby(positive).cumcount(), positive.groupby(positive).transform("size")
    place = ((number + 0.5) / size).where(number >= FEWEST / 2, -1.0)
    chosen = place.sort_values(kind="stable").index[:wanted]
    return bench.training & bench.table["group"].isin(chosen).to_numpy(np.bool_)
