"""Several data sets as one, in the words of the first."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from fracture.data.dataset import Dataset, scan
from fracture.data.decisions import apply_decisions
from fracture.errors import DatasetError


def load_combined(folder: str, others: Sequence[str] = (), body_part: str | None = None) -> Dataset:
    """The data sets in several folders as one, each as it was decided to be; ``body_part``: only this of the first.

    Raises:
        DatasetError: one of them cannot be read, or :func:`join` refuses.
    """
    return join(apply_decisions(scan(folder, body_part)), [apply_decisions(scan(each)) for each in others])


def join(first: Dataset, others: Sequence[Dataset]) -> Dataset:
    """The first data set with the images of others, whose labels become its own by :func:`with_labels`.

    The table has a further column ``data``, the name of the data set. Image ids, studies and groups of the others begin
    with it, so that they stay unique.

    Raises:
        DatasetError: labels cannot be made to mean the same, or two data sets have one name.
    """
    names = [each.name for each in (first, *others)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DatasetError(f"Data sets trained on together must have different names. Received: {twice[0]} twice.")
    renamed = [_renamed(with_labels(each, first.label_names)) for each in others]
    tables = [first.table.assign(data=first.name), *renamed]
    return replace(
        first,
        name=" + ".join(each.name for each in (first, *others)),
        table=pd.concat(tables, ignore_index=True),
        synthetic=all(each.synthetic for each in (first, *others)),
        excluded=sum(each.excluded for each in (first, *others)),
        relabelled=sum(each.relabelled for each in (first, *others)),
        sources=tuple(dict.fromkeys(source for each in (first, *others) for source in each.sources)),
    )


def with_labels(dataset: Dataset, label_names: tuple[str, str]) -> Dataset:
    """The same images, labelled as others are.

    They must have these labels, or say of each image whether it shows a fracture (as synthetic radiographs do) where
    that is what is asked for. Then what shows hardware loses its boxes: they hold the hardware as well.

    Raises:
        DatasetError: the labels cannot be made to mean the same.
    """
    if dataset.label_names == label_names:
        return dataset
    table = dataset.table
    if label_names[1] != "fractured" or (table["findings"] == "").any():
        raise DatasetError(
            f"{dataset.name} says {' or '.join(dataset.label_names)}, where {' or '.join(label_names)} is asked for: "
            "that is not the same."
        )
    hardware = table["findings"].str.contains("hardware")
    label = table["findings"].str.contains("fracture").astype("int64")
    boxes = table["boxes"].mask(hardware, "")
    return replace(dataset, label_names=label_names, table=table.assign(label=label, boxes=boxes))


def _renamed(other: Dataset) -> pd.DataFrame:
    names = {column: other.name + "/" + other.table[column] for column in ("image_id", "study", "group")}
    return other.table.assign(**names, data=other.name)
