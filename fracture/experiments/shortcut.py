"""Hardware as a shortcut: a head trained with images that show implants, and one trained without."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.estimate import Estimate
from fracture.evaluation.metrics import area, auc_difference, over_groups, ranking
from fracture.experiments.workbench import Bench, Rows

MIN_IMAGES_PER_LABEL = 5
"""With fewer images of a label there is no AUC."""

RANDOM_SUBSETS = 5
"""Heads trained on random subsets of as many images as there are without hardware."""


@dataclass(frozen=True)
class AblationHead:
    """A head, and its AUC on validation images. None where there are too few."""

    images: int
    """That it was trained on."""
    probability: NDArray[np.float64] = field(repr=False)
    """(N,), of all images of the bench."""
    overall: Estimate | None
    """AUC on all validation images."""
    plain: Estimate | None
    """AUC on those without hardware."""
    metal: Estimate | None
    """AUC of the positive ones with hardware against all negative ones."""


def hardware(bench: Bench) -> Rows:
    """Which images (N,) are known to show hardware."""
    return bench.table["findings"].str.contains("hardware").to_numpy(np.bool_)


def known(bench: Bench) -> Rows:
    """Of which images (N,) it is known whether they show hardware: the others are left out."""
    return (bench.table["findings"] != "").to_numpy(np.bool_)


def compare_trainings(bench: Bench) -> Iterator[AblationHead]:
    """A head trained on all images, one on those without hardware, and :data:`RANDOM_SUBSETS` on as few at random.

    All have the same validation images. The random subsets are the control: they show how much of the difference comes
    from fewer images and fewer patients alone.

    Raises:
        RunError: without hardware, one of the labels is missing.
    """
    everything = bench.training & known(bench)
    with_hardware = everything & hardware(bench)
    yield _train(bench, everything)
    yield _train(bench, everything & ~with_hardware)
    for draw in range(RANDOM_SUBSETS):
        left_out = matched_random_subset(bench, with_hardware, draw)
        yield _train(bench, everything & ~left_out)


def due_to_hardware(bench: Bench, without: AblationHead, fewer: list[AblationHead]) -> Estimate | None:
    """The difference in AUC on images without hardware: of the head without it, minus the mean of the random subsets.

    With a 95 % interval over groups of the validation part; None where there are too few images.
    """
    if without.plain is None:
        return None
    rows = bench.validation & known(bench) & ~hardware(bench)
    _, label = bench.part(rows)
    of_subsets = np.stack([each.probability[rows] for each in fewer])  # (RANDOM_SUBSETS, N)
    of_without = without.probability[rows]  # (N,)
    return auc_difference(label, of_subsets, of_without, bench.table["group"][rows])


def hardware_gap(bench: Bench, head: AblationHead) -> Estimate | None:
    """How much better a head finds positive images with hardware than those without, as a difference in AUC.

    Both are ranked against the same negative images. With a 95 % interval over groups of the validation part; None
    where there are too few images.
    """
    if head.plain is None or head.metal is None:
        return None
    rows = bench.validation & known(bench)
    _, label = bench.part(rows)
    probability = head.probability[rows]
    metal = hardware(bench)[rows]
    negative = label == 0
    with_metal = negative | metal
    plain = negative | ~metal

    def difference(times: NDArray[np.float64]) -> NDArray[np.float64]:
        found, _ = ranking(label[with_metal], probability[with_metal], times[:, with_metal])
        without, _ = ranking(label[plain], probability[plain], times[:, plain])
        return found - without

    return over_groups(difference, bench.table["group"][rows])


def matched_random_subset(bench: Bench, shown: Rows, draw: int) -> Rows:
    """Random training images (N,) that match the images ``shown``: as many of each label, of as many groups.

    Hardware comes by the patient: random single images would be of far more patients than the images with hardware.

    Args:
        bench: all images.
        shown: the images with hardware, (N,).
        draw: which of several random subsets.
    """
    rng = np.random.default_rng((bench.config.seed, draw))
    group = bench.table["group"].to_numpy()
    label = bench.table["label"].to_numpy()
    candidates = bench.training & known(bench)
    subset = np.zeros(len(shown), np.bool_)
    # Each label on its own: most images with hardware are positive.
    for value in (0, 1):
        of_label = candidates & (label == value)
        rows = np.flatnonzero(of_label)
        shown_rows = np.flatnonzero(shown & of_label)
        images_per_group = pd.Series(group[shown_rows]).value_counts().tolist()  # the largest first
        subset[_draw_groups(rows, group, images_per_group, rng)] = True
        # Where the groups drawn have too few images, single images of others fill up the rest.
        left = rows[~subset[rows]]
        missing = len(shown_rows) - int(subset[rows].sum())
        subset[rng.choice(left, missing, replace=False)] = True
    return subset


def _draw_groups(
    rows: NDArray[np.int64], group: NDArray[np.object_], images_per_group: list[int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Of a random group for each count, as many random images of these rows, or all where the group has fewer."""
    rows_of_group = pd.Series(rows).groupby(group[rows]).agg(list)
    drawn = rng.permutation(len(rows_of_group))
    chosen: list[int] = []
    for count, number in zip(images_per_group, drawn, strict=False):
        chosen.extend(rng.permutation(rows_of_group.iloc[number])[:count].tolist())
    return np.array(chosen, np.int64)


def _train(bench: Bench, rows: Rows) -> AblationHead:
    valid = bench.validation & known(bench)
    metal = hardware(bench)
    negative = (bench.table["label"] == 0).to_numpy()
    head = bench.fit(rows, valid, bench.config)
    probability = head(bench.features)
    return AblationHead(
        images=int(rows.sum()),
        probability=probability,
        overall=_auc(bench, valid, probability),
        plain=_auc(bench, valid & ~metal, probability),
        metal=_auc(bench, valid & (negative | metal), probability),
    )


def _auc(bench: Bench, rows: Rows, probability: NDArray[np.float64]) -> Estimate | None:
    _, label = bench.part(rows)
    if min(np.bincount(label, minlength=2)) < MIN_IMAGES_PER_LABEL:
        return None
    return area(label, probability[rows], bench.table["group"][rows])
