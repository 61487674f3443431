"""Several data sets as one, in the words of the first."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from fracture.data.dataset import Dataset
from fracture.errors import DatasetError


def join(first: Dataset, others: Sequence[Dataset]) -> Dataset:
    """The first data set with the images of others, whose labels become its own.

    Others must have the same label names, or say of each image whether it shows a fracture (as synthetic radiographs
    do) where the first asks for that. Then what shows hardware loses its boxes: they hold the hardware as well.

    The table has a further column ``data``, the name of the data set. Image ids, studies and groups of the others begin
    with it, so that they stay unique.

    Raises:
        DatasetError: labels cannot be made to mean the same, or two data sets have one name.
    """
    if len({each.name for each in (first, *others)}) <= len(others):
        raise DatasetError(f"Data sets trained on together must have different names. Received: {first.name} twice.")
    tables = [first.table.assign(data=first.name), *(_renamed(_relabelled(each, first)) for each in others)]
    return replace(
        first,
        name=" + ".join(each.name for each in (first, *others)),
        table=pd.concat(tables, ignore_index=True),
        synthetic=all(each.synthetic for each in (first, *others)),
        sources=tuple(dict.fromkeys(source for each in (first, *others) for source in each.sources)),
    )


def _relabelled(other: Dataset, first: Dataset) -> Dataset:
    if other.label_names == first.label_names:
        return other
    table = other.table
    if first.label_names[1] != "fractured" or (table["findings"] == "").any():
        raise DatasetError(
            f"{other.name} says {' or '.join(other.label_names)}, {first.name} {' or '.join(first.label_names)}: that "
            "is not the same. Data sets trained on together must have the same labels."
        )
    hardware = table["findings"].str.contains("hardware")
    label = table["findings"].str.contains("fracture").astype("int64")
    return replace(other, table=table.assign(label=label, boxes=table["boxes"].mask(hardware, "")))


def _renamed(other: Dataset) -> pd.DataFrame:
    names = {column: other.name + "/" + other.table[column] for column in ("image_id", "study", "group")}
    return other.table.assign(**names, data=other.name)
