"""Several data sets as one, with the label names of the first."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from fracture.data.dataset import Dataset, scan
from fracture.data.decisions import apply_decisions
from fracture.errors import DatasetError


def load_combined(folder: str, others: Sequence[str] = (), body_part: str | None = None) -> Dataset:
    """The data sets in several folders as one, with the decisions of each applied.

    ``body_part``: only this one of the first data set.

    Raises:
        DatasetError: one of them cannot be read, or :func:`join` refuses.
    """
    return join(apply_decisions(scan(folder, body_part)), [apply_decisions(scan(each)) for each in others])


def join(first: Dataset, others: Sequence[Dataset]) -> Dataset:
    """The first data set with the images of others, whose labels become those of the first by :func:`with_labels`.

    The table has a further column ``data``, the name of the data set. Image ids, studies and groups of the others begin
    with it, so that they stay unique.

    Raises:
        DatasetError: labels cannot be made to mean the same, or two data sets have one name.
    """
    joined = (first, *others)
    names = [each.name for each in joined]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"Data sets trained on together must have different names. Received: {twice[0]} twice.")
    renamed = [_with_unique_names(with_labels(each, first.label_names)) for each in others]
    tables = [first.table.assign(data=first.name), *renamed]
    sources = itertools.chain.from_iterable(each.sources for each in joined)
    return replace(
        first,
        name=" + ".join(names),
        table=pd.concat(tables, ignore_index=True),
        synthetic=all(each.synthetic for each in joined),
        patient_pattern=next((each.patient_pattern for each in joined if each.patient_pattern), ""),
        columns=next((each.columns for each in joined if each.columns), None),
        excluded=sum(each.excluded for each in joined),
        relabelled=sum(each.relabelled for each in joined),
        label_mappings=tuple(itertools.chain.from_iterable(each.label_mappings for each in joined)),
        skipped=tuple(itertools.chain.from_iterable(each.skipped for each in joined)),
        sources=tuple(dict.fromkeys(sources)),
    )


def with_labels(dataset: Dataset, label_names: tuple[str, str]) -> Dataset:
    """The same images, labeled with the words of another data set.

    The data set must have these labels already. Or the words are about fractures, and its column ``findings`` says of
    each image whether it shows one, as that of synthetic radiographs does. Images with hardware then lose their boxes,
    which are around the hardware as well.

    Raises:
        DatasetError: the labels cannot be made to mean the same.
    """
    if dataset.label_names == label_names:
        return dataset
    table = dataset.table
    if label_names[1] != "fractured" or (table["findings"] == "").any():
        raise DatasetError(
            f"{dataset.name} says {' or '.join(dataset.label_names)}, where {' or '.join(label_names)} is asked for; "
            "choose data sets with the same labels."
        )
    hardware = table["findings"].str.contains("hardware")
    label = table["findings"].str.contains("fracture").astype("int64")
    boxes = table["boxes"].mask(hardware, "")
    return replace(dataset, label_names=label_names, table=table.assign(label=label, boxes=boxes))


def _with_unique_names(other: Dataset) -> pd.DataFrame:
    names = {column: other.name + "/" + other.table[column] for column in ("image_id", "study", "group")}
    return other.table.assign(**names, data=other.name)
