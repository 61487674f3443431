"""Checks of the table alone: missing files, data leakage, class imbalance, small images. No pixel is decoded."""

import os
from collections.abc import Iterator

import pandas as pd

from fracture.data.checks.problem import Problem, number

MIN_CLASS_SHARE = 0.25
"""Below this share of the rarer class, accuracy misleads: always naming the other class gets 75 %."""

MIN_SIDE = 75
"""px; InceptionV3 takes no smaller image, so that these must be enlarged."""


def check_table(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    """All problems of the table of a data set; ``names``: of labels 0 and 1."""
    exists = table["path"].map(os.path.isfile).astype(bool)
    yield from _missing(table[~exists])
    yield from _unreadable(table[exists])
    yield from _leakage(table)
    yield from _one_class(table, names)
    yield from _validation(table)
    yield from _tiny(table)
    yield from _imbalance(table, names)
    yield from _patients(table)


def _missing(absent: pd.DataFrame) -> Iterator[Problem]:
    if len(absent):
        said = f"{number(absent, 'listed image')} cannot be found on disk; restore the files or delete the rows."
        why = "Training and validation leave out images that are missing, and nobody notices."
        yield Problem("missing", "error", said, why, tuple(absent["image_id"]))


def _unreadable(table: pd.DataFrame) -> Iterator[Problem]:
    unreadable = table.loc[(table["width"] <= 0) | (table["height"] <= 0), "image_id"]
    if len(unreadable):
        said = f"{number(unreadable, 'file')} cannot be read as PNG, JPEG or DICOM; replace or exclude them."
        why = "Training skips files that it cannot read, so that the model learns from fewer images than counted."
        yield Problem("unreadable", "error", said, why, tuple(unreadable))


def _leakage(table: pd.DataFrame) -> Iterator[Problem]:
    shared = table[differ_within(table, "group", "split")]
    if len(shared):
        noun = "patient" if (shared["patient"] == shared["group"]).all() else "group"
        said = (
            f"The splits share {number(shared['group'].unique(), noun)} with {number(shared, 'image')}: "
            f"a data leakage, so that results will look too good; split by {noun}."
        )
        why = "A network that has learned what a patient looks like knows the answer before it has seen the image."
        yield Problem("leak", "error", said, why, tuple(shared.sort_values(["group", "split"])["image_id"]))


def _one_class(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    for split, labels in table.groupby("split")["label"]:
        if labels.nunique() < 2:
            present = names[labels.iloc[0]]
            absent = names[1 - labels.iloc[0]]
            said = f"The {split} split has {number(labels, 'image')}, all {present} and none {absent}; both are needed."
            why = "A model can learn to separate two classes, and be measured on it, only where both are present."
            yield Problem("one class", "error", said, why)


def _validation(table: pd.DataFrame) -> Iterator[Problem]:
    if not (table["split"] == "valid").any():
        said = (
            f"None of the {len(table):,} images is in a valid split, so that nothing can be measured; "
            "split the data set."
        )
        why = "On its training images, any model looks good."
        yield Problem("no validation", "warning", said, why)


def _tiny(table: pd.DataFrame) -> Iterator[Problem]:
    shorter = table[["width", "height"]].min(axis=1)
    small = table.loc[(shorter > 0) & (shorter < MIN_SIDE), "image_id"]
    if len(small):
        verb = "is" if len(small) == 1 else "are"
        said = (
            f"{number(small, 'image')} {verb} less than {MIN_SIDE} px wide or high; "
            "look for the originals, or exclude them."
        )
        why = "They are enlarged for the network, which adds no detail: a thin fracture line is lost."
        yield Problem("tiny", "note", said, why, tuple(small))


def _imbalance(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    labels = table.loc[table["split"] == "train", "label"]
    rarer = int(labels.mean() < 0.5) if len(labels) else 0
    share = (labels == rarer).mean()
    if 0 < share < MIN_CLASS_SHARE:
        said = (
            f"Only {share:.0%} of the {len(labels):,} training images are {names[rarer]}: accuracy misleads here; "
            "look at AUC, sensitivity and specificity."
        )
        why = f"A model that always says {names[1 - rarer]} has an accuracy of {1 - share:.0%} and is of no use."
        yield Problem("imbalance", "note", said, why)


def _patients(table: pd.DataFrame) -> Iterator[Problem]:
    if groups_unknown(table):
        said = f"No patient is known for the {len(table):,} images, so that each counts as a patient of its own; "
        said += "if names of files say whose they are, give a pattern."
        why = "If two images are of one patient, they may be on both sides of the split, and results look too good."
        yield Problem("no patients", "warning", said, why)

    elif (unknown := _without_patient(table)).any():
        said = f"No patient is known for {number(table[unknown], 'image')}, while others have one."
        why = "Each of these images counts as a patient of its own, and may be of one on the other side of the split."
        yield Problem("some patients", "warning", said, why, tuple(table.loc[unknown, "image_id"]))


def _without_patient(table: pd.DataFrame) -> "pd.Series[bool]":
    return (table["patient"] == "") & (table["group"] == table["image_id"])


def groups_unknown(table: pd.DataFrame) -> bool:
    """Whether each image is a group of its own, because no patient is known: a split may then leak."""
    return bool(_without_patient(table).all())


def differ_within(table: pd.DataFrame, key: str, column: str) -> "pd.Series[bool]":
    """Which rows share their ``key`` with a row that has another value in ``column``."""
    return table.groupby(key)[column].transform("nunique") > 1
