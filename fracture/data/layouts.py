"""Radiographs in folders, and what the folders' names say: MURA's tree and class folders.

A reader takes a folder and the images below it, and returns rows with columns of
:data:`fracture.data.dataset.COLUMNS`; or None where the folder is not of its layout.
The third layout, a ``dataset.csv``, is read by :mod:`fracture.data.dataset_csv`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fracture.data.ground_truth import with_truth
from fracture.errors import DatasetError

ENDINGS = (".png", ".jpg", ".jpeg", ".dcm")
SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
NEGATIVE = {"negative", "normal", "healthy", "non fractured", "nonfractured", "not fractured", "unfractured",
            "non fracture", "no fracture", "without fracture"}  # fmt: skip
POSITIVE = {"positive", "abnormal", "fractured", "fracture", "with fracture", "broken"}

_MURA = re.compile(
    r"(?:/(?P<split>train|valid))?(?:/(?P<body_part>XR_[A-Z]+))?"
    r"/(?P<patient>patient\d+)/(?P<study>study\d+_(?P<label>positive|negative))/(?P<file>[^/]+)$",
    re.IGNORECASE,
)
_BODY_PART = re.compile(r"(?<![A-Z])XR_[A-Z]+", re.IGNORECASE)
_PATIENT = re.compile(r"patient[ _-]?\d+", re.IGNORECASE)
_STUDY = re.compile(r"study[ _-]?\d+(?P<label>_(?:positive|negative)(?![A-Z]))?", re.IGNORECASE)
_LEVEL = re.compile(rf"{'|'.join(SPLITS)}|XR_[A-Z]+|patient\d+|study\d+_(?:positive|negative)", re.IGNORECASE)


class Found(NamedTuple):
    """A layout's name, the names of labels 0 and 1, and a row for each image."""

    layout: str
    label_names: tuple[str, str]
    rows: pd.DataFrame
    synthetic: bool = False
    """Whether a truth.csv was found."""


def walk(root: Path) -> list[str]:
    """Every image below a folder as a sorted posix path relative to it, of the :func:`files_below`."""
    paths = (file.path for file in files_below(root) if file.name.lower().endswith(ENDINGS))
    above = str(root).rstrip(os.sep) + os.sep
    return sorted(path.removeprefix(above).replace(os.sep, "/") for path in paths)


def files_below(root: Path) -> Iterator["os.DirEntry[str]"]:
    """Every file below a folder, in no order; what is hidden, and pipes and devices, are passed over.

    A link counts as a file, wherever it leads. Raises DatasetError where a folder may not be read: what is in it would
    be missing, and nobody would notice.
    """
    folders = [str(root)]
    while folders:  # no recursion, which ends at a thousand folders within each other
        for entry in _entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_symlink() or entry.is_file():
                yield entry


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:  # it went just now
        return []
    except OSError as error:
        raise DatasetError(
            f"All folders of a data set must be readable. Received: {folder}: {error.strerror}; "
            "change its permissions, or take it out."
        ) from error


def levels(root: Path) -> Iterator[Path]:
    """A folder and those above it, up to where the tree begins that it seems to be a part of: any of them can be read.

    What lies above ``MURA-v1.1/train/XR_HUMERUS`` ends with ``MURA-v1.1``.
    """
    yield root
    while _LEVEL.fullmatch(root.name):
        root = root.parent
        yield root


def class_of(folder: str) -> int | None:
    """0 or 1 where a folder's name is that of a class, whatever its case, blanks, underscores and hyphens."""
    words = " ".join(re.split(r"[\s_-]+", folder.strip().casefold()))
    return 1 if words in POSITIVE else 0 if words in NEGATIVE else None


def mura(root: Path, files: list[str]) -> Found | None:
    """MURA's tree: ``{train,valid}/XR_PART/patientN/studyN_{positive,negative}/imageN.png``, from any level.

    What lies above ``root`` is taken from its own path. MURA's positive means abnormal: a fracture, hardware,
    degeneration or a lesion (Rajpurkar et al., arXiv:1712.06957). A ``truth.csv`` beside the split folders, or whatever
    else the tree begins with, is read by :mod:`fracture.data.ground_truth`.
    """
    matches = [(file, match) for file in files if (match := _MURA.search(f"{root.as_posix()}/{file}"))]
    if not matches:
        return None
    trees = {match.string[: match.start()] for _, match in matches}
    rows, synthetic = with_truth(pd.DataFrame([_mura_row(root, file, match) for file, match in matches]), trees)
    return Found("MURA", ("normal", "abnormal"), rows, synthetic)


def class_folders(root: Path, files: list[str]) -> Found | None:
    """Class folders at any depth, with or without split folders: ``{train,valid}/{negative,positive}/...``.

    The innermost class folder counts. ``patientN`` and ``studyN`` anywhere in a path are taken for what they say.
    Raises DatasetError where one class has no folder.
    """
    rows = [row for file in files if (row := _class_row(root, file))]
    if not rows:
        return None
    table = pd.DataFrame(rows)
    names = {label: str(folders.mode().iloc[0]) for label, folders in table.groupby("label")["folder"]}
    if len(names) < 2:
        raise DatasetError(
            f"{root} must hold a folder for each of two classes, such as negative and positive. "
            f"Received: only {next(iter(names.values()))}; choose the folder above both."
        )
    if "valid" not in set(table["split"]):  # a set in two parts calls the second one what it likes
        table["split"] = table["split"].replace("test", "valid")
    return Found("class folders", (names[0], names[1]), table)


def _mura_row(root: Path, file: str, match: re.Match[str]) -> dict[str, object]:
    body_part, patient = (match["body_part"] or "").upper(), match["patient"]
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
    folders = file.split("/")[:-1]
    folder = next((name for name in reversed(folders) if class_of(name) is not None), None)
    if folder is None:
        return None
    split = next((SPLITS[name.lower()] for name in (root.name, *folders) if name.lower() in SPLITS), "")
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
    """(patient, study) by what a path says; without a patient, each image is a study of its own.

    MURA numbers the studies of each body part anew, and a study has its label in its name: it stays one when one of its
    images was given another label. Where a name says no label, the class folder does.
    """
    patient, study = _PATIENT.search(file), _STUDY.search(file)
    if patient is None:
        return "", file
    if study is None:
        return patient[0], file
    return patient[0], "/".join(filter(None, ("" if study["label"] else folder, body_part, patient[0], study[0])))
