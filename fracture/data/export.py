"""A data set as class folders, ``prep/{train,valid}/{negative,positive}/``, the way many examples of Keras expect one.

What :mod:`fracture.data.decisions` excluded is not there, what it relabelled lies in the folder of the new label.
A name is the image's whole path in one word, ``train_XR_HUMERUS_patient00001_study1_positive_image1.png``: it says
where the image came from, and :func:`fracture.data.dataset.scan` finds patients and studies in it again.
"""

import itertools
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd

from fracture import demo
from fracture.data.dataset import Dataset
from fracture.errors import DatasetError
from fracture.files import atomic_write

FOLDERS = ("negative", "positive")

STALE = 24 * 3600.0
"""Seconds after which an export that is not done was killed: what it left is removed by the next one beside it."""

_PART = ".fracture-prep-"

Say = Callable[[int, int], None]
"""Hears how many images of how many are done."""

_PUT: dict[str, Callable[[str, Path], object]] = {"copy": shutil.copyfile, "link": os.link}


def _nothing(done: int, total: int) -> None:
    """Say nothing."""


def places(table: pd.DataFrame) -> "pd.Series[str]":
    """Where each image of a table goes, relative to ``prep``: part, class, and a name that no other image there has.

    It is the same in whichever order the rows come.
    """
    folder = table["split"] + "/" + table["label"].map(dict(enumerate(FOLDERS))) + "/"
    order, taken = table["image_id"].sort_values().index, set[str]()
    rows = zip(folder[order], table["image_id"][order], strict=True)
    return pd.Series([_free(*row, taken) for row in rows], order, dtype=str).reindex(table.index)


def _free(folder: str, image_id: str, taken: set[str]) -> str:
    """A place that is not taken yet, and now is: ``a_b/c`` and ``a/b_c`` would share a name."""
    name = image_id.replace("/", "_")
    names = itertools.chain([name], (f"{number}_{name}" for number in itertools.count(1)))
    place = next(place for each in names if (place := folder + each) not in taken)
    taken.add(place)
    return place


def write_prep(dataset: Dataset, out: Path, how: str = "copy", say: Say = _nothing) -> None:
    """Make the folder, whole or not at all.

    Args:
        dataset: as it is to be, see :func:`fracture.data.decisions.apply_decisions`.
        out: a folder that is not there yet, or an empty one.
        how: ``copy``; or ``link``, the same file under a second name: it takes no room, and what changes one changes
            the other.
        say: hears how far it is.

    Raises:
        DatasetError: there is something in the folder already, it would be a part of the data set itself, an image
            cannot be read, or the disk refuses.
        PublicError: this is a public demo.
    """
    demo.refuse("export")
    if how not in _PUT:
        raise DatasetError(f"how must be {' or '.join(_PUT)}. Received: {how}")
    with _words_for_disk(out):
        if out.is_dir() and any(out.iterdir()):
            raise DatasetError(f"{out} must be empty, or not there yet. Choose another folder, or delete it first.")
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(dataset.root)):
            raise DatasetError(f"{out} must not lie in the data set itself, which would hold each image twice then.")
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(out.parent)
        with tempfile.TemporaryDirectory(prefix=_PART, dir=out.parent) as beside:
            part = Path(beside) / "prep"
            for source, place in _each(dataset.table, say):
                (part / place).parent.mkdir(parents=True, exist_ok=True)
                _PUT[how](source, part / place)
            part.replace(out)


def zip_prep(dataset: Dataset, file: Path, say: Say = _nothing) -> None:
    """The same as a new zip file. Radiographs are compressed already, and stored as they are.

    Raises DatasetError where there is such a file already, an image cannot be read, or the disk refuses; PublicError in
    a public demo.
    """
    demo.refuse("export")

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for source, place in _each(dataset.table, say):
                archive.write(source, f"prep/{place}")

    with _words_for_disk(file):
        if file.exists():
            raise DatasetError(f"{file} must not be there yet. Choose another name, or delete it first.")
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, fill)


def _remove_stale(folder: Path) -> None:
    with suppress(OSError):  # another one may do the same
        for left in folder.glob(f"{_PART}*"):
            if abs(time.time() - left.stat().st_mtime) > STALE:  # or of a clock that was far ahead
                shutil.rmtree(left)


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
