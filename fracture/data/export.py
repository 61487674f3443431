"""A data set as class folders, ``prep/{train,valid}/{negative,positive}/``, the way many examples of Keras expect one.

Images that :mod:`fracture.data.decisions` exclude are left out; relabeled ones are in the folder of the new label.
The name of a file is the whole path of the image in one word,
``train_XR_HUMERUS_patient00001_study1_positive_image1.png``: it says where the image came from, and
:func:`fracture.data.dataset.scan` finds patients and studies in it again.
"""

import itertools
import logging
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from fracture import demo
from fracture.data.dataset import Dataset
from fracture.errors import DatasetError
from fracture.files import atomic_write

_log = logging.getLogger(__name__)

CLASS_FOLDERS = ("negative", "positive")
"""The folders of labels 0 and 1."""

STALE_SECONDS = 24 * 3600.0
"""After which an unfinished export counts as killed: the next one beside it removes its files."""

_PART_PREFIX = ".fracture-prep-"

OnExported = Callable[[int, int], None]
"""Called with the number of images that are done, and of all."""

_WRITE: dict[str, Callable[[str, Path], object]] = {"copy": shutil.copyfile, "link": os.link}


def _no_progress(done: int, total: int) -> None:
    """Report nothing."""


def export_paths(table: pd.DataFrame) -> "pd.Series[str]":
    """The path of each exported image, relative to ``prep``: split, class, and a name that is unique there.

    It does not depend on the order of the rows.
    """
    folder = table["split"] + "/" + table["label"].map(dict(enumerate(CLASS_FOLDERS))) + "/"
    order = table["image_id"].sort_values().index
    taken: set[str] = set()
    paths = []
    for each, image_id in zip(folder[order], table["image_id"][order], strict=True):
        path = _unique_path(each, image_id, taken)
        taken.add(path)
        paths.append(path)
    return pd.Series(paths, order, dtype=str).reindex(table.index)


def _unique_path(folder: str, image_id: str, taken: set[str]) -> str:
    """A path that is not taken: ``a_b/c`` and ``a/b_c`` would share one, so the second gets a number in front."""
    name = image_id.replace("/", "_")
    path = folder + name
    numbers = itertools.count(1)
    while path in taken:
        path = f"{folder}{next(numbers)}_{name}"
    return path


def write_prep(dataset: Dataset, out: Path, how: str = "copy", on_progress: OnExported = _no_progress) -> None:
    """Write the class folders, all or none.

    Args:
        dataset: with its decisions applied, see :func:`fracture.data.decisions.apply_decisions`.
        out: a folder that does not exist yet, or an empty one.
        how: ``copy``; or ``link``, the same file under a second name: it takes no space, and a change of one file is a
            change of the other.
        on_progress: called after each image.

    Raises:
        DatasetError: the folder is not empty, it would be a part of the data set itself, an image cannot be read, or
            the disk refuses.
        PublicError: this is the public demo.
    """
    demo.refuse("export")
    if how not in _WRITE:
        raise DatasetError(f"how must be {' or '.join(_WRITE)}. Received: {how}")
    with _explain_disk_errors(out):
        if out.is_dir() and any(out.iterdir()):
            raise DatasetError(f"{out} must be empty, or not there yet. Choose another folder, or delete it first.")
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(dataset.root)):
            raise DatasetError(f"{out} must not lie in the data set itself, which would hold each image twice then.")
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(out.parent)
        with tempfile.TemporaryDirectory(prefix=_PART_PREFIX, dir=out.parent) as temporary:
            part = Path(temporary) / "prep"
            for source, target in _images(dataset.table, on_progress):
                (part / target).parent.mkdir(parents=True, exist_ok=True)
                _WRITE[how](source, part / target)
            part.replace(out)


def zip_prep(dataset: Dataset, file: Path, on_progress: OnExported = _no_progress) -> None:
    """Write the class folders into a new zip file. Radiographs are compressed already, and stored as they are.

    Raises DatasetError where the file exists, an image cannot be read, or the disk refuses; PublicError in the public
    demo.
    """
    demo.refuse("export")

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for source, target in _images(dataset.table, on_progress):
                archive.write(source, f"prep/{target}")

    with _explain_disk_errors(file):
        if file.exists():
            raise DatasetError(f"{file} must not be there yet. Choose another name, or delete it first.")
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, fill)


def _remove_stale(folder: Path) -> None:
    try:
        for part in folder.glob(f"{_PART_PREFIX}*"):
            # The time may lie in the future, too, where a clock was far ahead.
            age = abs(time.time() - part.stat().st_mtime)
            if age > STALE_SECONDS:
                shutil.rmtree(part)
    except OSError as error:  # another export may do the same
        _log.warning("Files of a killed export are left in %s: %s", folder, error)


def _images(table: pd.DataFrame, on_progress: OnExported) -> Iterator[tuple[str, str]]:
    """The path of each image, and its path in the export."""
    for done, pair in enumerate(zip(table["path"], export_paths(table), strict=True), start=1):
        yield pair
        on_progress(done, len(table))


@contextmanager
def _explain_disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f" ({error.filename})" if error.filename else ""
        raise DatasetError(f"{out} cannot be written: {error.strerror or error}{what}. Nothing was changed.") from error
