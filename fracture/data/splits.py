"""Training, validation and test split: the names that folders and tables may use, and a split by group.

No group is on both sides of a split: neither a patient, nor a set of near-duplicates.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.labels.words import stated_words
from fracture.errors import DatasetError

SPLIT_OF_NAME = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "validate": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
    "entrenamiento": "train",
    "entrainement": "train",
    "treino": "train",
    "treinamento": "train",
    "addestramento": "train",
    "validierung": "valid",
    "validacion": "valid",
    "validacao": "valid",
    "validazione": "valid",
    "teste": "test",
    "prueba": "test",
}
"""The split for each name, in lower case and without accents, that a folder or the column ``split`` of a
dataset.csv may give. MURA's own folders are ``train`` and ``valid``."""

SELECTION = "selection"
"""The split of the training images that a run holds out: they choose the epoch, the temperature and the thresholds. No
data set has it on disk."""


DRAWS = 20
"""Of which :func:`hold_out` takes the best balanced one: with a few dozen groups of very different sizes, as FracAtlas
has, the share of positives of a single draw can be a third below that of the training part."""


def split_of(name: str) -> str:
    """train, valid or test by the name of a folder, such as ``Training`` or ``val_images``; empty for other names."""
    stated = stated_words(name)
    return SPLIT_OF_NAME.get(stated[0], "") if len(stated) == 1 else ""


def split_by_group(table: pd.DataFrame, valid_fraction: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """A copy of the table with a new random ``split``, stratified by label: a group is whole in ``train`` or ``valid``.

    Groups with and without a positive image are split separately, so that the shares of labels are nearly equal; where
    there are two or more of a kind, both splits have some. Groups come in the order of a hash of their names: one seed
    gives one split in whatever order the rows are, and a new image moves hardly any other. (scikit-learn's
    StratifiedGroupKFold takes seconds for 40,000 groups; this takes a tenth.)

    Args:
        table: of images, with ``group`` and ``label``.
        valid_fraction: share of the images for validation, above 0 and below 0.5.
        seed: of the random order.

    Raises:
        DatasetError: there are fewer than two groups.
    """
    if not 0 < valid_fraction < 0.5:
        raise DatasetError(f"valid_fraction must be above 0 and below 0.5. Received: {valid_fraction}")
    groups = table.groupby("group").agg(positive=("label", "max"), images=("label", "size"))
    if len(groups) < 2:
        raise DatasetError(
            f"A split needs at least 2 groups (patients). Received: {len(groups)}; add images of other patients."
        )
    # Not Python's hash(), which differs from process to process.
    order = [hashlib.sha256(f"{seed} {name}".encode()).digest() for name in groups.index]
    groups = groups.assign(order=order).sort_values("order")
    strata = groups.groupby("positive")["images"]
    # Where the middle of each group lies among the images of its stratum, 0 to 1.
    place = (strata.cumsum() - groups["images"] / 2) / strata.transform("sum")
    first_of_several = (strata.cumcount() == 0) & (strata.transform("size") > 1)
    held_out = (place <= valid_fraction) | first_of_several
    # One group of each kind, both with their middle beyond the share: something must validate.
    if not held_out.any():
        held_out.iloc[0] = True
    return table.assign(split=table["group"].map(held_out).map({True: "valid", False: "train"}))


def hold_out(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """A copy of the table in which a share of the training images has the split :data:`SELECTION`.

    They are drawn by :func:`split_by_group`, :data:`DRAWS` times: whole groups, the same for the same seed. The draw
    whose counts of both labels are nearest to the share is taken. Of several data sets they are drawn from the first
    one, whose validation part they replace in choosing. A group that is not in the training part alone is never drawn.

    Args:
        table: of images, as :func:`fracture.data.combine.load_combined` has them, numbered from 0.
        share: of the training images of the first data set; 0 holds out none.
        seed: of the random order.

    Raises:
        DatasetError: there are fewer than two groups to draw from.
    """
    if not share:
        return table
    in_training = table["split"] == "train"
    in_first = table["data"] == table["data"].iloc[0]
    elsewhere = table["group"].isin(table.loc[~in_training, "group"])
    candidates = table[in_training & in_first & ~elsewhere]
    groups = candidates["group"].nunique()
    if groups < 2:
        raise DatasetError(
            "A selection share holds out whole groups (patients) of the training part, and needs at least 2 that are "
            f"in no other part. Received: {groups}; set selection to 0, or add images of other patients."
        )
    draws = [_draw(candidates, share, seed * DRAWS + number) for number in range(DRAWS)]
    wanted = share * candidates["label"].value_counts()

    def imbalance(held_out: pd.DataFrame) -> float:
        counts = held_out["label"].value_counts()
        return float(wanted.sub(counts, fill_value=0).abs().sum())

    # Of equally balanced draws, min() takes the first.
    best = min(draws, key=imbalance)
    return table.assign(split=table["split"].mask(table.index.isin(best.index), SELECTION))


def _draw(candidates: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """The images of the groups that one draw holds out."""
    split = split_by_group(candidates[["group", "label"]], share, seed)
    return split[split["split"] == "valid"]


def without_hold_out(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of the table with the splits from before :func:`hold_out`."""
    return table.assign(split=table["split"].replace(SELECTION, "train"))


def choosing_rows(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows (N,) choose the epoch, the temperature and the thresholds of a model.

    Those of the split :data:`SELECTION`; where there are none, the validation part of the first data set.
    """
    split = table["split"].to_numpy()
    held_out: NDArray[np.bool_] = split == SELECTION
    if held_out.any():
        return held_out
    in_first = (table["data"] == table["data"].iloc[0]).to_numpy()
    rows: NDArray[np.bool_] = (split == "valid") & in_first
    return rows
