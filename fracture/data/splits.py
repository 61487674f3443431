"""Training, validation and test split: the names that folders and tables may use, and a split by group.

No group is on both sides of a split: neither a patient, nor a set of near-duplicates.
"""

import hashlib

import pandas as pd

from fracture.errors import DatasetError

SPLIT_OF_NAME = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
"""The split for each name, in lower case, that a folder or the column ``split`` of a dataset.csv may give. MURA's own
folders are ``train`` and ``valid``."""


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
