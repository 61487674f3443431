"""What a split by image does: the same images, split by image and split by group, and a head trained on either."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from fracture.data.splits import split_by_group
from fracture.estimate import Estimate
from fracture.experiments.workbench import Bench

Way = Literal["image", "group"]
WAYS: tuple[Way, Way] = ("image", "group")

HELD_OUT = 0.2
"""Share of the images by which a head is judged."""


@dataclass(frozen=True)
class Outcome:
    """A head that learned from one part of a split to the end, judged by the other: which has no say in it."""

    way: Way
    seed: int
    history: dict[str, list[float]]
    """By epoch; see :class:`fracture.training.head.numpy_head.Head`."""
    shared: float
    """Share of the held-out images of whose group there are images in the training part, too."""

    @property
    def auc(self) -> float:
        """On the held-out images, after the last epoch."""
        return self.history["val_auc"][-1]


def compare_splits(bench: Bench, seeds: int, *, by_lot: bool = False) -> Iterator[Outcome]:
    """A head for each seed and each way to split, the ways by turns.

    Args:
        bench: its parts are thrown together and split anew.
        seeds: how many splits of either way.
        by_lot: first deal the groups' labels out anew, by lot. Then nothing can be learned of bones, and whatever a
            head still tells of held-out images it knows from others of their group (after the randomisation test of
            Zhang et al., "Understanding deep learning requires rethinking generalization", ICLR 2017, section 2.1).

    Raises:
        DatasetError: there are too few groups to split.
        RunError: one of the labels is missing in a part.
    """
    for seed in range(seeds):
        dealt = replace(bench, table=_by_lot(bench.table, seed)) if by_lot else bench
        for way in WAYS:
            yield _try(dealt, way, seed)


def gap(outcomes: Sequence[Outcome]) -> Estimate:
    """By how much the AUC is higher where images were split than where groups were, with a 95 % interval.

    Splits of the same images are no independent draws: the variance is corrected for that as in Nadeau and Bengio,
    "Inference for the Generalization Error", Machine Learning 52:239 (2003), section 3.
    """
    from scipy import stats

    by_way = {way: {each.seed: each.auc for each in outcomes if each.way == way} for way in WAYS}
    differences = np.array([auc - by_way["group"][seed] for seed, auc in by_way["image"].items()])
    if len(differences) < 2:
        return {"value": float(differences.mean()), "low": None, "high": None}
    spread = differences.std(ddof=1) * np.sqrt(1 / len(differences) + HELD_OUT / (1 - HELD_OUT))
    reach = float(stats.t.ppf(0.975, len(differences) - 1) * spread)
    value = float(differences.mean())
    return {"value": value, "low": value - reach, "high": value + reach}


def _try(bench: Bench, way: Way, seed: int) -> Outcome:
    table = bench.table
    apart = table.assign(group=table["image_id"]) if way == "image" else table  # as if each were of another patient
    valid = (split_by_group(apart, HELD_OUT, seed)["split"] == "valid").to_numpy()
    head = bench.fit(~valid, valid, replace(bench.config, seed=seed), to_the_end=True)
    group = table["group"]
    return Outcome(way, seed, head.history, float(group[valid].isin(group[~valid]).mean()))


def _by_lot(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each group gets the label of another one."""
    label = table.groupby("group")["label"].max()
    dealt = pd.Series(np.random.default_rng(seed).permutation(label.to_numpy()), label.index)
    return table.assign(label=table["group"].map(dealt))
