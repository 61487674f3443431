"""Splits by group: no patient is on both sides."""

import hashlib

import pandas as pd

from fracture.errors import DatasetError


def split_by_group(table: pd.DataFrame, valid_fraction: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """A copy of the table with ``split`` drawn anew: whole groups go to ``train`` or to ``valid``.

    Groups with and without a positive image are drawn from separately, so that both parts have like shares, and from
    two groups on each side both parts have some. Groups are drawn in the order of a hash of their names: the same seed
    draws the same split in whatever order the rows come, and a new image moves hardly any other. ``valid_fraction`` of
    the images, above 0 and below 0.5. (scikit-learn's StratifiedGroupKFold takes seconds for 40,000 groups; this takes
    a tenth.)
    Raises DatasetError for fewer than two groups.
    """
    if not 0 < valid_fraction < 0.5:
        raise DatasetError(f"valid_fraction must be above 0 and below 0.5. Received: {valid_fraction}")
    groups = table.groupby("group").agg(positive=("label", "max"), images=("label", "size"))
    if len(groups) < 2:
        raise DatasetError(
            f"A split needs at least 2 groups (patients). Received: {len(groups)}; add images of other patients."
        )
    order = [hashlib.sha256(f"{seed} {name}".encode()).digest() for name in groups.index]
    groups = groups.assign(order=order).sort_values("order")
    strata = groups.groupby("positive")["images"]
    place = (strata.cumsum() - groups["images"] / 2) / strata.transform("sum")  # of each group's middle, 0 to 1
    first_of_several = (strata.cumcount() == 0) & (strata.transform("size") > 1)
    held_out = (place <= valid_fraction) | first_of_several
    if not held_out.any():
        held_out.iloc[0] = True
    return table.assign(split=table["group"].map(held_out).map({True: "valid", False: "train"}))
