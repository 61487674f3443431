"""What the table alone tells: no pixel is decoded."""

import os
from collections.abc import Iterator

import pandas as pd

from fracture.data.checks.problem import Problem, number

RARE = 0.25
"""Below this share of the rarer class, accuracy misleads: always naming the other class gets 75 %."""

SMALLEST = 75
"""Px; InceptionV3 takes no smaller image, so that these would have to be enlarged."""


def listed(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    """Every problem that the table of a data set shows; ``names``: of labels 0 and 1."""
    there = table["path"].map(os.path.isfile).astype(bool)
    yield from _missing(table[~there])
    yield from _unreadable(table[there])
    yield from _leaks(table)
    yield from _one_class(table, names)
    yield from _validation(table)
    yield from _tiny(table)
    yield from _imbalance(table, names)
    yield from _patients(table)


def _missing(absent: pd.DataFrame) -> Iterator[Problem]:
    if len(absent):
        said = f"{number(absent, 'listed image')} cannot be found on disk; restore the files or take the rows out."
        why = "What is listed and not there is neither learned from nor measured, and nobody notices."
        yield Problem("missing", "error", said, why, tuple(absent["image_id"]))


def _unreadable(table: pd.DataFrame) -> Iterator[Problem]:
    broken = table.loc[(table["width"] <= 0) | (table["height"] <= 0), "image_id"]
    if len(broken):
        said = f"{number(broken, 'file')} cannot be read as PNG, JPEG or DICOM; replace or exclude what is broken."
        why = "Training passes over files that it cannot read, so that the model learns from fewer images than counted."
        yield Problem("unreadable", "error", said, why, tuple(broken))


def _leaks(table: pd.DataFrame) -> Iterator[Problem]:
    torn = table[on_several(table, "group", "split")]
    if len(torn):
        noun = "patient" if (torn["patient"] == torn["group"]).all() else "group"
        said = (
            f"The parts of the split share {number(torn['group'].unique(), noun)} with {number(torn, 'image')}, "
            f"so that results will look too good; split by {noun}."
        )
        why = "A network that has learned what a patient looks like knows the answer before it has seen the image."
        yield Problem("leak", "error", said, why, tuple(torn.sort_values(["group", "split"])["image_id"]))


def _one_class(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    for split, labels in table.groupby("split")["label"]:
        if labels.nunique() < 2:
            here, absent = names[labels.iloc[0]], names[1 - labels.iloc[0]]
            said = f"The {split} part has {number(labels, 'image')}, all {here} and none {absent}; both are needed."
            why = "Two things can be told apart, and how well can be measured, only where both are there."
            yield Problem("one class", "error", said, why)


def _validation(table: pd.DataFrame) -> Iterator[Problem]:
    if not (table["split"] == "valid").any():
        said = (
            f"None of the {len(table):,} images is in a valid part, so that nothing can be measured; "
            "split the data set."
        )
        why = "On the images that it has learned from, any model looks good."
        yield Problem("no validation", "warning", said, why)


def _tiny(table: pd.DataFrame) -> Iterator[Problem]:
    shorter = table[["width", "height"]].min(axis=1)
    small = table.loc[(shorter > 0) & (shorter < SMALLEST), "image_id"]
    if len(small):
        said = (
            f"{number(small, 'image')} {'is' if len(small) == 1 else 'are'} less than {SMALLEST} px wide or high; "
            "look for the originals, or exclude them."
        )
        why = "They are enlarged for the network, which adds no detail: a thin line in the bone is lost."
        yield Problem("tiny", "note", said, why, tuple(small))


def _imbalance(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    labels = table.loc[table["split"] == "train", "label"]
    rarer = int(labels.mean() < 0.5) if len(labels) else 0
    share = (labels == rarer).mean()
    if 0 < share < RARE:
        said = (
            f"Only {share:.0%} of the {len(labels):,} training images are {names[rarer]}: accuracy misleads here; "
            "look at AUC, sensitivity and specificity."
        )
        why = f"A model that always says {names[1 - rarer]} has an accuracy of {1 - share:.0%} and is of no use."
        yield Problem("imbalance", "note", said, why)


def _patients(table: pd.DataFrame) -> Iterator[Problem]:
    if (table["patient"] == "").all() and (table["group"] == table["image_id"]).all():
        said = f"No patient is known for the {len(table):,} images, so that each counts as a patient of its own."
        why = "If two images are of one patient after all, they may be on both sides of the split, and flatter results."
        yield Problem("no patients", "note", said, why)


def on_several(table: pd.DataFrame, what: str, sides: str) -> "pd.Series[bool]":
    """Which rows share their ``what`` with a row of another ``sides``."""
    return table.groupby(what)[sides].transform("nunique") > 1
