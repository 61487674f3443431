"""A data set as class folders, ``prep/{train,valid}/{negative,positive}/``, the way many examples of Keras expect one.

What :mod:`fracture.data.curation` excluded is not there, what it relabelled lies in the folder of the new label.
A name is the image's whole path in one word, ``train_XR_HUMERUS_patient00001_study1_positive_image1.png``: it says
where the image came from, and :func:`fracture.data.dataset.scan` finds patients and studies in it again.
"""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from fracture.data.dataset import Dataset
from fracture.errors import DatasetError
from fracture.files import write_beside

FOLDERS = ("negative", "positive")

Say = Callable[[int, int], None]
"""Hears how many images of how many are done."""

_PUT: dict[str, Callable[[str, Path], object]] = {"copy": shutil.copyfile, "link": os.link}


def _nothing(done: int, total: int) -> None:
    """Say nothing."""


def places(table: pd.DataFrame) -> "pd.Series[str]":
    """Where each image of a table goes, relative to ``prep``: part, class, and a name that no other image there has."""
    folder = table["split"] + "/" + table["label"].map(dict(enumerate(FOLDERS))) + "/"
    name = table["image_id"].str.replace("/", "_")
    number = name.groupby(folder + name).cumcount().astype(str) + "_"  # a_b/c and a/b_c would share a name
    return folder + number.where(number != "0_", "") + name


def write_prep(dataset: Dataset, out: Path, how: str = "copy", say: Say = _nothing) -> None:
    """Make the folder, whole or not at all.

    Args:
        dataset: as it is to be, see :func:`fracture.data.curation.curate`.
        out: a folder that is not there yet, or an empty one.
        how: ``copy``; or ``link``, the same file under a second name: it takes no room, and what changes one changes
            the other.
        say: hears how far it is.

    Raises:
        DatasetError: there is something in the folder already, an image cannot be read, or the disk refuses.
    """
    if how not in _PUT:
        raise DatasetError(f"how must be {' or '.join(_PUT)}. Received: {how}")
    with _words_for_disk(out):
        if out.is_dir() and any(out.iterdir()):
            raise DatasetError(f"{out} must be empty, or not there yet. Choose another folder, or delete it first.")
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".prep", dir=out.parent) as beside:
            part = Path(beside) / "prep"
            for source, place in _each(dataset.table, say):
                (part / place).parent.mkdir(parents=True, exist_ok=True)
                _PUT[how](source, part / place)
            part.replace(out)


def zip_prep(dataset: Dataset, file: Path, say: Say = _nothing) -> None:
    """The same as a new zip file. Radiographs are compressed already, and stored as they are.

    Raises DatasetError where there is such a file already, an image cannot be read, or the disk refuses.
    """

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for source, place in _each(dataset.table, say):
                archive.write(source, f"prep/{place}")

    with _words_for_disk(file):
        if file.exists():
            raise DatasetError(f"{file} must not be there yet. Choose another name, or delete it first.")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_beside(file, fill)


def _each(table: pd.DataFrame, say: Say) -> Iterator[tuple[str, str]]:
    """The path of each image, and where it goes."""
    for done, pair in enumerate(zip(table["path"], places(table), strict=True), start=1):
        yield pair
        say(done, len(table))


@contextmanager
def _words_for_disk(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f" ({error.filename})" if error.filename else ""
        raise DatasetError(f"{out} cannot be made: {error.strerror or error}{what}. Nothing was changed.") from error
