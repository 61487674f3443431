"""The layout of class folders, in which the names of folders are labels, and of others splits, patients and studies."""

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from fracture.data.labels.choice import (
    ANSWERS,
    CHOSEN,
    KNOWN,
    LabelChoice,
    label_names,
    mapping_of,
    unknown_labels,
)
from fracture.data.labels.words import class_of, weak_classes
from fracture.data.layouts import Found, Skipped
from fracture.data.splits import SPLIT_OF_NAME, split_of
from fracture.errors import DatasetError

_BODY_PART = re.compile(r"(?<![A-Z])XR_[A-Z]+", re.IGNORECASE)
_PATIENT = re.compile(r"patient[ _-]?\d+", re.IGNORECASE)
_STUDY = re.compile(r"study[ _-]?\d+(?P<label>_(?:positive|negative)(?![A-Z]))?", re.IGNORECASE)


def class_folders(root: Path, files: list[str], choice: LabelChoice | None = None) -> Found | None:
    """Class folders at any depth, with or without split folders: ``{train,valid}/{negative,positive}/...``.

    The innermost class folder counts. ``patientN`` and ``studyN`` anywhere in a path are patient and study.

    Args:
        root: the folder.
        files: its images.
        choice: which folders are which; otherwise their names say so, see :mod:`fracture.data.labels.words`.

    Raises:
        LabelsError: there seem to be classes, but their names are not known, or those of a choice are not there.
        DatasetError: only one class has a folder.
    """
    every = {name for file in files for name in file.split("/")[:-1]}
    label_of, origin = _labels_of_folders(every, files, choice)
    level = 0 if origin == KNOWN else candidate_level(files)
    found = [_class_row(root, file, _class_folder(file, label_of, level, origin), label_of) for file in files]
    rows = [row for row in found if row is not None and row["label"] is not None]
    table = pd.DataFrame(rows)
    names = {} if table.empty else _most_used(table)
    if len(names) < 2:
        if choice or len(candidates(files)) > 1:
            raise unknown_labels(root, "folders", candidates(files), choice)
        if not names:
            return None
        raise DatasetError(
            f"{root} must hold a folder for each of two classes, such as negative and positive. "
            f"Received: only {next(iter(names.values()))}; choose the folder above both."
        )
    table["label"] = table["label"].astype("int64")
    if "valid" not in set(table["split"]):  # train and test alone: the second one is for validation
        table["split"] = table["split"].replace("test", "valid")
    read = set(table["folder"])
    mapping = mapping_of(root, {name: label for name, label in label_of.items() if name in read}, origin, choice)
    skipped = _left_out(files, found)
    return Found("class folders", label_names(names, origin), table, mapping=mapping, skipped=skipped)


def _labels_of_folders(
    names: Collection[str], files: list[str], choice: LabelChoice | None
) -> tuple[dict[str, int | None], str]:
    """The label of each folder that has one, and who decided; None for a folder that a choice leaves out."""
    if choice:
        return choice.label_of(), CHOSEN
    known = {name: label for name in names if (label := class_of(name)) is not None}
    if set(known.values()) == {0, 1}:
        return dict(known), KNOWN
    answers = weak_classes(candidates(files))
    return (dict(answers), ANSWERS) if answers else (dict(known), KNOWN)


def _most_used(table: pd.DataFrame) -> dict[int, str]:
    """For each label the folder that has the most images."""
    return {int(str(label)): str(folders.mode().iloc[0]) for label, folders in table.groupby("label")["folder"]}


def candidates(files: list[str]) -> dict[str, int]:
    """The folders that may be classes, with their numbers of images, the largest first.

    They are those at the first level with several folders whose names say nothing else: no split, body part, patient or
    study.
    """
    level = candidate_level(files)
    named = [names[level] for names in map(_unexplained, files) if len(names) > level]
    counts = Counter(named)
    return dict(counts.most_common()) if len(counts) > 1 else {}


def candidate_level(files: list[str]) -> int:
    """At which place among the unexplained folders of a path the first ones differ; 0 where none do."""
    unexplained = list(map(_unexplained, files))
    deepest = max(map(len, unexplained), default=0)
    for level in range(deepest):
        if len({names[level] for names in unexplained if len(names) > level}) > 1:
            return level
    return 0


def _unexplained(file: str) -> list[str]:
    """The folders of a path whose names say nothing but, perhaps, a class."""
    return [name for name in file.split("/")[:-1] if not _says_else(name)]


def _says_else(folder: str) -> bool:
    part = _BODY_PART.fullmatch(folder) or _PATIENT.fullmatch(folder) or _STUDY.fullmatch(folder)
    return bool(part) or split_of(folder) != ""


def _left_out(files: list[str], found: Sequence[Mapping[str, object] | None]) -> tuple[Skipped, ...]:
    """The images in a class that is left out, and those in no class, by the folder that holds them."""
    folders: dict[str, list[str]] = {}
    for file, row in zip(files, found, strict=True):
        if row is None or row["label"] is None:
            names = _unexplained(file) or ["."]
            folders.setdefault(names[-1], []).append(file)
    return tuple(Skipped("class", name, len(held), held[0]) for name, held in sorted(folders.items()))


def _class_folder(file: str, label_of: Mapping[str, int | None], level: int, origin: str) -> str | None:
    """The name of the folder that is an image's class.

    Of known words, the innermost counts. A digit, or a name that somebody chose, may also be that of a patient's folder
    further down, so that the one at the level of the classes comes first.
    """
    names = _unexplained(file)
    if origin != KNOWN and len(names) > level and names[level] in label_of:
        return names[level]
    return next((name for name in reversed(file.split("/")[:-1]) if name in label_of), None)


def _class_row(
    root: Path, file: str, folder: str | None, label_of: Mapping[str, int | None]
) -> dict[str, object] | None:
    """The row of an image of a class; None for another file. The label is None for a class that is left out."""
    if folder is None:
        return None
    return {**path_row(root, file, folder), "label": label_of[folder], "folder": folder}


def path_row(root: Path, file: str, folder: str = "") -> dict[str, object]:
    """What the path of an image says, without its label; ``folder``: that of its class, which says nothing else."""
    folders = file.split("/")[:-1]
    # A data set may itself be called "Test data": of its own name, only the plain word of a split is taken for one.
    own = SPLIT_OF_NAME.get(root.name.lower(), "")
    splits = (own, *(split_of(name) for name in folders if name != folder))
    split = next(filter(None, splits), "")
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
        "group": patient or study,
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
