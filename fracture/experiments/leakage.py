"""Data leakage by a split by image: the same images split by image and by group, and a head trained on either."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from fracture.data.splits import split_by_group
from fracture.estimate import Estimate
from fracture.experiments.workbench import Bench

Way = Literal["image", "group"]
SPLIT_KINDS: tuple[Way, Way] = ("image", "group")
"""The ways to split."""

HELD_OUT_SHARE = 0.2
"""Share of the images that are held out for testing."""


@dataclass(frozen=True)
class Outcome:
    """A head after the last epoch, trained on one part of a split and tested on the other, which chooses nothing."""

    way: Way
    seed: int
    history: dict[str, list[float]]
    """By epoch; see :class:`fracture.training.head.numpy_head.Head`."""
    shared: float
    """Share of the held-out images whose group has images in the training part, too."""

    @property
    def auc(self) -> float:
        """On the held-out images, after the last epoch."""
        return self.history["val_auc"][-1]


def compare_splits(bench: Bench, seeds: int, *, shuffle_labels: bool = False) -> Iterator[Outcome]:
    """A head for each seed and each way to split, the ways in turn.

    Args:
        bench: its two parts are put together and split again.
        seeds: how many splits of either way.
        shuffle_labels: first shuffle the labels between groups. Then bones tell nothing, and a head that is right about
            held-out images recognizes others of their group (after the randomization test of Zhang et al.,
            "Understanding deep learning requires rethinking generalization", ICLR 2017, section 2.1).

    Raises:
        DatasetError: there are too few groups to split.
        RunError: one of the labels is missing in a part.
    """
    for seed in range(seeds):
        labeled = bench
        if shuffle_labels:
            labeled = replace(bench, table=_shuffle_labels(bench.table, seed))
        for way in SPLIT_KINDS:
            yield _train(labeled, way, seed)


def gap(outcomes: Sequence[Outcome]) -> Estimate:
    """The difference in AUC, split by image minus split by group, with a 95 % interval.

    Splits of the same images are not independent: the variance is corrected as in Nadeau and Bengio, "Inference for the
    Generalization Error", Machine Learning 52:239 (2003), section 3.
    """
    from scipy import stats

    # Outcomes are paired by their seed: both heads begin with the same weights.
    by_image = {each.seed: each.auc for each in outcomes if each.way == "image"}
    by_group = {each.seed: each.auc for each in outcomes if each.way == "group"}
    differences = np.array([auc - by_group[seed] for seed, auc in by_image.items()])
    count = len(differences)
    value = float(differences.mean())
    if count < 2:
        return {"value": value, "low": None, "high": None}
    # The correction for training parts that overlap: the ratio of their sizes.
    test_to_training = HELD_OUT_SHARE / (1 - HELD_OUT_SHARE)
    spread = differences.std(ddof=1) * np.sqrt(1 / count + test_to_training)
    reach = float(stats.t.ppf(0.975, count - 1) * spread)
    return {"value": value, "low": value - reach, "high": value + reach}


def _train(bench: Bench, way: Way, seed: int) -> Outcome:
    table = bench.table
    # A split by image is a split by group in which each image is a group of its own.
    to_split = table.assign(group=table["image_id"]) if way == "image" else table
    held_out = (split_by_group(to_split, HELD_OUT_SHARE, seed)["split"] == "valid").to_numpy()
    head = bench.fit(~held_out, held_out, replace(bench.config, seed=seed), keep_last_epoch=True)
    group = table["group"]
    shared = group[held_out].isin(group[~held_out]).mean()
    return Outcome(way, seed, head.history, float(shared))


def _shuffle_labels(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give each group the label of a random other one."""
    # Each group gets one label, so that a head that recognizes the group knows the label.
    label = table.groupby("group")["label"].max()
    shuffled = np.random.default_rng(seed).permutation(label.to_numpy())
    label_of_group = pd.Series(shuffled, label.index)
    return table.assign(label=table["group"].map(label_of_group))
