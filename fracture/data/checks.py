"""What is wrong with a data set, or should be known before a number from it is believed.

A split by image leaves the same patient on both sides and flatters every result; so do copies of a file.
Each check is a function that yields problems; :func:`check` runs them all.
"""

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fracture.data.dataset import Dataset, file_sha256

RARE = 0.25
"""Below this share of the rarer class, accuracy misleads: always naming the other class gets 75 %."""


@dataclass(frozen=True)
class Problem:
    """Something found. ``kind``: one word for programs; ``message``: one sentence with numbers, for people.

    ``severity``: ``error`` (results would be wrong, or training fails), ``warning`` (look at it) or
    ``note`` (bear it in mind). ``images``: the image_ids that it is about; none where it is about all.
    """

    kind: str
    severity: str
    message: str
    images: tuple[str, ...] = ()


def check(dataset: Dataset, read_files: bool = True) -> list[Problem]:
    """All problems of a data set, errors first; an empty list where nothing was found.

    ``read_files``: also read every file's bytes, to find identical ones. Pixels are decoded in neither case: a file
    whose header is good and whose pixels are damaged shows only when it is loaded.
    """
    table = dataset.table.assign(
        there=dataset.table["path"].map(lambda path: Path(path).is_file()),
        digest=dataset.table["path"].map(_digest) if read_files else "",
    )
    problems = [
        *_missing(table),
        *_unreadable(table, read_files),
        *_leaks(table),
        *_copies(table),
        *_one_class(table, dataset.label_names),
        *_validation(table),
        *_imbalance(table, dataset.label_names),
        *_patients(table),
    ]
    return sorted(problems, key=lambda problem: ("error", "warning", "note").index(problem.severity))


def _missing(table: pd.DataFrame) -> Iterator[Problem]:
    absent = table.loc[~table["there"], "image_id"]
    if len(absent):
        said = f"{_number(absent, 'listed image')} cannot be found on disk; restore the files or take the rows out."
        yield Problem("missing", "error", said, tuple(absent))


def _unreadable(table: pd.DataFrame, read_files: bool) -> Iterator[Problem]:
    bad = (table["width"] <= 0) | (table["height"] <= 0) | ((table["digest"] == "") & read_files)
    broken = table.loc[table["there"] & bad, "image_id"]
    if len(broken):
        said = f"{_number(broken, 'file')} cannot be read as PNG, JPEG or DICOM; replace or exclude what is broken."
        yield Problem("unreadable", "error", said, tuple(broken))


def _leaks(table: pd.DataFrame) -> Iterator[Problem]:
    torn = table[_on_several(table, "group", "split")]
    if len(torn):
        noun = "patient" if (torn["patient"] == torn["group"]).all() else "group"
        shared = _number(torn["group"].unique(), noun)
        said = (
            f"The parts of the split share {shared} with {_number(torn, 'image')}, "
            f"so that results will look too good; split by {noun}."
        )
        yield Problem("leak", "error", said, tuple(torn["image_id"]))


def _copies(table: pd.DataFrame) -> Iterator[Problem]:
    """Files that are identical byte by byte; near-duplicates are not looked for."""
    known = table[table["digest"] != ""]
    across = known.loc[_on_several(known, "digest", "split"), "image_id"]
    if len(across):
        said = f"{len(across)} images in different parts of the split are copies of each other; keep one of each."
        yield Problem("copies", "error", said, tuple(across))
    contradicting = known.loc[_on_several(known, "digest", "label"), "image_id"]
    if len(contradicting):
        said = (
            f"{len(contradicting)} images are identical files with contradicting labels; decide which label is right."
        )
        yield Problem("contradiction", "error", said, tuple(contradicting))


def _one_class(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    for split, labels in table.groupby("split")["label"]:
        if labels.nunique() < 2:
            here, absent = names[labels.iloc[0]], names[1 - labels.iloc[0]]
            said = f"The {split} part has {_number(labels, 'image')}, all {here} and none {absent}; both are needed."
            yield Problem("one class", "error", said)


def _validation(table: pd.DataFrame) -> Iterator[Problem]:
    if not (table["split"] == "valid").any():
        said = (
            f"None of the {len(table)} images is in a valid part, so that nothing can be measured; split the data set."
        )
        yield Problem("no validation", "warning", said)


def _imbalance(table: pd.DataFrame, names: tuple[str, str]) -> Iterator[Problem]:
    labels = table.loc[table["split"] == "train", "label"]
    rarer = int(labels.mean() < 0.5) if len(labels) else 0
    share = (labels == rarer).mean()
    if 0 < share < RARE:
        said = (
            f"Only {share:.0%} of the {len(labels)} training images are {names[rarer]}: accuracy misleads here; "
            "look at AUC, sensitivity and specificity."
        )
        yield Problem("imbalance", "note", said)


def _patients(table: pd.DataFrame) -> Iterator[Problem]:
    if (table["patient"] == "").all() and (table["group"] == table["image_id"]).all():
        said = f"No patient is known for the {len(table)} images, so that each counts as a patient of its own."
        yield Problem("no patients", "note", said)


def _on_several(table: pd.DataFrame, what: str, sides: str) -> "pd.Series[bool]":
    """Which rows share their ``what`` with a row of another ``sides``."""
    return table.groupby(what)[sides].transform("nunique") > 1


def _number(things: Sized, noun: str) -> str:
    count = len(things)
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _digest(path: str) -> str:
    """The sha256 of a file's bytes; "" where it cannot be read."""
    try:
        return file_sha256(Path(path))
    except OSError:
        return ""
