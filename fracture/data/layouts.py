"""Folder layouts: MURA's tree and class folders, in which the names of folders are labels, patients and splits.

A reader takes a folder and the images below it, and returns rows with columns of
:data:`fracture.data.dataset.TABLE_COLUMNS`; or None where the folder has another layout.
The third layout, a ``dataset.csv``, is read by :mod:`fracture.data.dataset_csv`; the names of splits are listed in
:mod:`fracture.data.splits`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fracture.data.ground_truth import with_truth
from fracture.data.splits import SPLIT_OF_NAME
from fracture.errors import DatasetError

ENDINGS = (".png", ".jpg", ".jpeg", ".dcm")
"""How the names of image files end, in lower case."""

NEGATIVE = {
    *("negative", "normal", "healthy"),
    *("non fractured", "nonfractured", "not fractured", "unfractured", "non fracture"),
    *("no fracture", "without fracture"),
}
"""Names of class folders with label 0, as :func:`class_of` compares them."""

POSITIVE = {"positive", "abnormal", "fractured", "fracture", "with fracture", "broken"}
"""Names of class folders with label 1."""

_MURA = re.compile(
    r"(?:/(?P<split>train|valid))?(?:/(?P<body_part>XR_[A-Z]+))?"
    r"/(?P<patient>patient\d+)/(?P<study>study\d+_(?P<label>positive|negative))/(?P<file>[^/]+)$",
    re.IGNORECASE,
)
_BODY_PART = re.compile(r"(?<![A-Z])XR_[A-Z]+", re.IGNORECASE)
_PATIENT = re.compile(r"patient[ _-]?\d+", re.IGNORECASE)
_STUDY = re.compile(r"study[ _-]?\d+(?P<label>_(?:positive|negative)(?![A-Z]))?", re.IGNORECASE)
_LEVEL = re.compile(rf"{'|'.join(SPLIT_OF_NAME)}|XR_[A-Z]+|patient\d+|study\d+_(?:positive|negative)", re.IGNORECASE)


class Found(NamedTuple):
    """A layout's name, the names of labels 0 and 1, and a row for each image."""

    layout: str
    label_names: tuple[str, str]
    rows: pd.DataFrame
    synthetic: bool = False
    """Whether a truth.csv was found."""


def walk(root: Path) -> list[str]:
    """Every image below a folder, as a sorted posix path relative to it."""
    paths = (file.path for file in files_below(root) if file.name.lower().endswith(ENDINGS))
    above = str(root).rstrip(os.sep) + os.sep
    return sorted(path.removeprefix(above).replace(os.sep, "/") for path in paths)


def files_below(root: Path) -> Iterator["os.DirEntry[str]"]:
    """Every file below a folder, in no order; hidden files, pipes and devices are left out.

    A link counts as a file, wherever it leads. Raises DatasetError where a folder may not be read: its images would
    be missing, and nobody would notice.
    """
    folders = [str(root)]
    while folders:  # no recursion, which Python stops at a thousand nested folders
        for entry in _entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_symlink() or entry.is_file():
                yield entry


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:  # deleted just now
        return []
    except OSError as error:
        raise DatasetError(
            f"All folders of a data set must be readable. Received: {folder}: {error.strerror}; "
            "change its permissions, or move it elsewhere."
        ) from error


def levels(root: Path) -> Iterator[Path]:
    """A folder and those above it, up to the root of the tree of which it seems to be a part; each can be opened.

    For ``MURA-v1.1/train/XR_HUMERUS`` the last one is ``MURA-v1.1``.
    """
    yield root
    while _LEVEL.fullmatch(root.name):
        root = root.parent
        yield root


def class_of(folder: str) -> int | None:
    """The label of a class folder by its name, whatever its case, blanks, underscores and hyphens; None for others."""
    words = " ".join(re.split(r"[\s_-]+", folder.strip().casefold()))
    if words in POSITIVE:
        return 1
    if words in NEGATIVE:
        return 0
    return None


def mura(root: Path, files: list[str]) -> Found | None:
    """MURA's tree: ``{train,valid}/XR_PART/patientN/studyN_{positive,negative}/imageN.png``, from any level.

    The levels above ``root`` are taken from its own path. MURA's positive means abnormal: a fracture, hardware,
    degeneration or a lesion (Rajpurkar et al., arXiv:1712.06957). A ``truth.csv`` at the root of
    the tree is read by :mod:`fracture.data.ground_truth`.
    """
    above = root.as_posix()
    found = []
    trees = set()
    for file in files:
        match = _MURA.search(f"{above}/{file}")
        if match:
            found.append(_mura_row(root, file, match))
            trees.add(match.string[: match.start()])  # what stands before the split is the root of the tree
    if not found:
        return None
    rows, synthetic = with_truth(pd.DataFrame(found), trees)
    return Found("MURA", ("normal", "abnormal"), rows, synthetic)


def class_folders(root: Path, files: list[str]) -> Found | None:
    """Class folders at any depth, with or without split folders: ``{train,valid}/{negative,positive}/...``.

    The innermost class folder counts. ``patientN`` and ``studyN`` anywhere in a path are patient and study.
    Raises DatasetError where one class has no folder.
    """
    found = [_class_row(root, file) for file in files]
    rows = [row for row in found if row is not None]
    if not rows:
        return None
    table = pd.DataFrame(rows)
    names = {label: str(folders.mode().iloc[0]) for label, folders in table.groupby("label")["folder"]}
    if len(names) < 2:
        raise DatasetError(
            f"{root} must hold a folder for each of two classes, such as negative and positive. "
            f"Received: only {next(iter(names.values()))}; choose the folder above both."
        )
    if "valid" not in set(table["split"]):  # train and test alone: the second one is for validation
        table["split"] = table["split"].replace("test", "valid")
    return Found("class folders", (names[0], names[1]), table)


def _mura_row(root: Path, file: str, match: re.Match[str]) -> dict[str, object]:
    body_part = (match["body_part"] or "").upper()
    patient = match["patient"]
    return {
        "image_id": file,
        "path": f"{root}{os.sep}{file}",
        "split": (match["split"] or "").lower(),
        "body_part": body_part,
        "patient": patient,
        "study": "/".join(filter(None, (body_part, patient, match["study"]))),
        "view": Path(file).stem,
        "label": int(match["label"].lower() == "positive"),
        "group": patient,
    }


def _class_row(root: Path, file: str) -> dict[str, object] | None:
    """The row of an image below a class folder; None for another file."""
    folders = file.split("/")[:-1]
    folder = next((name for name in reversed(folders) if class_of(name) is not None), None)
    if folder is None:
        return None
    names = [name.lower() for name in (root.name, *folders)]
    split = next((SPLIT_OF_NAME[name] for name in names if name in SPLIT_OF_NAME), "")
    body_part = _BODY_PART.search(file) or _BODY_PART.search(root.name)
    part = body_part[0].upper() if body_part else ""
    patient, study = _patient_and_study(file, folder, part)
    return {
        "image_id": file,
        "path": f"{root}{os.sep}{file}",
        "split": split,
        "body_part": part,
        "patient": patient,
        "study": study,
        "view": Path(file).stem,
        "label": class_of(folder),
        "group": patient or study,
        "folder": folder,
    }


def _patient_and_study(file: str, folder: str, body_part: str) -> tuple[str, str]:
    """(patient, study) from a path; without a patient, each image is a study of its own.

    MURA numbers the studies of each body part from 1, so that the body part belongs to the name. Its names end with the
    label of the study, which keeps it together when one of its images was given another label; where the name has no
    label, the class folder is a part of it.
    """
    patient = _PATIENT.search(file)
    study = _STUDY.search(file)
    if patient is None:
        return "", file
    if study is None:
        return patient[0], file
    label = "" if study["label"] else folder
    return patient[0], "/".join(filter(None, (label, body_part, patient[0], study[0])))
