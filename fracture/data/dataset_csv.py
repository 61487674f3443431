"""The layout ``dataset.csv`` beside ``images/``: FracAtlas's table, or that of your own data.

====================  =============================================================================
column                meaning
====================  =============================================================================
image_id              the file below ``images/``, with or without ending; must be there, once each
label or fractured    0 or 1, or words for them; one of the two must be there
split                 train, valid or test
patient, study, view  as in :data:`fracture.data.dataset.TABLE_COLUMNS`
body_part             or FracAtlas's 0/1 columns ``hand, leg, hip, shoulder, mixed``
group, dup_group      must not straddle a split; near-duplicates share a ``dup_group``
boxes                 ``x y w h`` in pixels, ``;`` between boxes
hardware              0 or 1, of FracAtlas; with ``fractured`` it gives the findings
width, height         in pixels
====================  =============================================================================
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fracture.data.ground_truth import findings
from fracture.data.labels.choice import (
    ANSWERS,
    CHOSEN,
    KNOWN,
    LabelChoice,
    label_names,
    mapping_of,
    unknown_labels,
)
from fracture.data.labels.columns import FORM as COLUMNS_FORM
from fracture.data.labels.columns import ColumnsChoice
from fracture.data.labels.words import class_of, weak_class_of
from fracture.data.layouts import Found, Skipped, walk
from fracture.data.splits import split_of
from fracture.data.tables.csv_file import path_below, read_csv
from fracture.errors import ColumnsError, DatasetError
from fracture.paths import leads_out, sanitize_name

BLOCK = 25
"""Images of FracAtlas that stay together: it names no patients, but neighboring numbers are often one patient's."""

LABEL_COLUMNS = ("label", "fractured", "fracture_visible", "fracture")
ABOUT_FRACTURES = LABEL_COLUMNS[1:]

ALSO_CALLED = {
    "image_id": ("filestem", "image", "filename", "file_name", "image_name", "image_path", "file", "path", "id"),
    "label": ("class", "target", "diagnosis", "category", "class_name", "labels"),
    "patient": ("patient_id", "patientid"),
    "study": ("study_number", "study_id"),
}
"""Other names of columns, where the usual one is missing; some are those of GRAZPEDWRI-DX (Nagy et al., 2022)."""

_USUAL = {
    "image": "image_id",
    "label": "label",
    "patient": "patient",
    "study": "study",
    "split": "split",
    "body_part": "body_part",
}
"""The names of columns for :data:`fracture.data.labels.columns.ROLES`."""

EMPTY = "(empty)"
"""Stands for the value of an empty cell."""

BODY_PARTS = ["hand", "leg", "hip", "shoulder"]
VIEWS = ["frontal", "lateral", "oblique"]


USUAL_FILE = "dataset.csv"


def dataset_csv(root: Path, choice: LabelChoice | None = None) -> Found | None:
    """Read ``dataset.csv`` in a folder; None where there is none.

    A listed image that is not on disk stays in the table. ``choice``: which values of the label are which, where they
    are no digits and no words of :mod:`fracture.data.labels.words`.

    Raises:
        ColumnsError: the table lacks the columns for images and labels.
        LabelsError: the values of the label are not known, or those of a choice are not there.
        DatasetError: the table cannot be used.
    """
    file = root / USUAL_FILE
    if not file.is_file():
        return None
    return _found(root, file, _read(file), choice)


def chosen_table(root: Path, columns: ColumnsChoice, choice: LabelChoice | None = None) -> Found:
    """Read the table and the columns that somebody chose; raises as :func:`dataset_csv` does.

    Other columns count only in a dataset.csv: in another table, one called ``boxes`` may hold anything.
    """
    file = root / columns.file
    if not file.is_file():
        raise ColumnsError(
            f"There must be a table {columns.file} in {root}, of which columns were chosen. Received: no such file; "
            f"restore it, or choose again with --columns {COLUMNS_FORM}, or on the page Data."
        )
    found = _found(root, file, _read_chosen(file, columns), choice)
    layout = USUAL_FILE if columns.file == USUAL_FILE else "table"
    return found._replace(layout=layout, columns=columns, files_read=frozenset({columns.file}))


def _found(root: Path, file: Path, listed: pd.DataFrame, choice: LabelChoice | None) -> Found:
    column = next(name for name in LABEL_COLUMNS if name in listed)
    values = _column(listed, column).replace("", EMPTY)
    label_of, origin = _labels_of_values(root, column, values, choice)
    label = values.map(label_of)
    kept = label.notna()
    if not kept.any():
        raise DatasetError(f"{file} must have an image with a label. Received: {column} says nothing of any.")
    every = _rows(root, listed, file.name).assign(label=label)
    rows = every[kept]
    words = {int(number): str(of.mode().iloc[0]) for number, of in values[kept].groupby(label[kept])}
    names = ("not fractured", "fractured") if column in ABOUT_FRACTURES else label_names(words, origin)
    mapping = mapping_of(root, label_of, origin, choice)
    skipped = (*_left_out(listed, values, kept), *_unlisted(root, every, file.name))
    return Found(USUAL_FILE, names, rows.astype({"label": "int64"}), mapping=mapping, skipped=skipped)


def _rows(root: Path, listed: pd.DataFrame, table: str) -> pd.DataFrame:
    """All columns of the table but the label; ``table``: its name."""
    ids = listed["image_id"]
    patient = _column(listed, "patient")
    study = _studies(listed, patient)
    return pd.DataFrame(
        {
            "image_id": ids,
            "path": _paths(root, ids, table),
            "split": _splits(listed, table),
            "body_part": _body_parts(listed),
            "patient": patient,
            "study": study,
            "view": _views(listed),
            "width": _pixels(listed, "width"),
            "height": _pixels(listed, "height"),
            "group": _groups(listed, patient, study),
            "boxes": _column(listed, "boxes"),
            "findings": _findings(listed),
        }
    )


def _labels_of_values(
    root: Path, column: str, values: "pd.Series[str]", choice: LabelChoice | None
) -> tuple[dict[str, int | None], str]:
    """The label of each value that has one, and on whose word."""
    counts = {str(value): int(count) for value, count in values.value_counts().items()}
    if choice:
        chosen = {name: label for name, label in choice.label_of().items() if name in counts}
        if not {0, 1} <= set(chosen.values()):
            raise unknown_labels(root, "values", counts, choice)
        return chosen, CHOSEN
    answers: dict[str, int | None] = {value: weak_class_of(value) for value in counts}
    if column == "fracture_visible" and EMPTY in answers:  # of GRAZPEDWRI-DX: 1 or nothing
        answers[EMPTY] = 0
    if None not in answers.values():
        return answers, KNOWN if column in ABOUT_FRACTURES else ANSWERS
    known: dict[str, int | None] = {value: label for value in counts if (label := class_of(value)) is not None}
    if {0, 1} <= set(known.values()):
        return known, KNOWN
    raise unknown_labels(root, "values", counts)


def _left_out(listed: pd.DataFrame, values: "pd.Series[str]", kept: "pd.Series[bool]") -> Iterator[Skipped]:
    """The listed images whose value has no label."""
    for value, ids in listed["image_id"][~kept].groupby(values[~kept]):
        yield Skipped("class", str(value), len(ids), ids.iloc[0])


def _unlisted(root: Path, rows: pd.DataFrame, table: str) -> Iterator[Skipped]:
    """The images that the table does not name."""
    images = _images_folder(root)
    named = set(rows["path"])
    unlisted = [file for file in walk(images) if f"{images}{os.sep}{file}" not in named]
    if unlisted:
        yield Skipped("unlisted", table, len(unlisted), unlisted[0])


def _read(file: Path) -> pd.DataFrame:
    """The table, with the names of columns that this module uses."""
    listed = read_csv(file)
    received = sanitize_name(", ".join(map(str, listed.columns)))
    listed = _with_usual_names(listed)
    if "image_id" not in listed or not set(LABEL_COLUMNS) & set(listed):
        raise ColumnsError(
            f"{file} must have the columns image_id and label (or fractured). Received: {received}; say which ones "
            f"they are with --columns {COLUMNS_FORM}, or on the page Data."
        )
    return _checked(file, listed)


def _read_chosen(file: Path, columns: ColumnsChoice) -> pd.DataFrame:
    """The table, with the chosen columns under the names that this module uses."""
    listed = read_csv(file)
    there = {str(name).strip(): name for name in listed.columns}
    missing = [name for name in columns.column_of().values() if name.strip() not in there]
    if missing:
        received = sanitize_name(", ".join(there))
        raise ColumnsError(f"{file} must have the chosen column {missing[0][:120]!r}. Received: {received}")
    chosen = {_USUAL[role]: there[name.strip()] for role, name in columns.column_of().items()}
    # What a column says about fractures, its name tells.
    if columns.label.strip().lower() in ABOUT_FRACTURES:
        chosen[columns.label.strip().lower()] = chosen.pop("label")
    usual = listed[list(chosen.values())].set_axis(list(chosen), axis="columns")
    filled = (usual.apply(lambda column: column.str.strip()) != "").any(axis="columns")
    usual = usual.assign(image_id=usual["image_id"].map(path_below))
    if columns.file == USUAL_FILE:
        others = _with_usual_names(listed.drop(columns=list(chosen.values())))
        usual = usual.join(others.drop(columns=[*chosen, *LABEL_COLUMNS], errors="ignore"))
    return _checked(file, usual[filled].drop_duplicates())


def _checked(file: Path, listed: pd.DataFrame) -> pd.DataFrame:
    """The table. Raises DatasetError where an image is there twice, or leads out of the folder, or there is none."""
    if listed.empty:
        raise DatasetError(f"{file} lists no image; it needs a row for each.")
    ids = listed["image_id"]
    twice = sorted(ids[ids.duplicated()])
    if twice:
        raise DatasetError(f"{file} must list each image_id once. Received twice: {twice[0][:120]}")
    outside = [name for name in ids if leads_out(name)]
    if outside:
        raise DatasetError(f"{file} must name files below images/ by image_id. Received: {outside[0][:120]!r}")
    return listed


def _with_usual_names(listed: pd.DataFrame) -> pd.DataFrame:
    """The table with lower-case names of columns, and those of :data:`ALSO_CALLED` under the usual ones."""
    lower = [str(name).strip().lower() for name in listed.columns]
    if len(set(lower)) < len(lower):
        return listed
    listed = listed.set_axis(lower, axis="columns")
    renamed = {}
    for usual, others in ALSO_CALLED.items():
        other = next((name for name in others if name in listed), None)
        if usual not in listed and other is not None:
            renamed[other] = usual
    return listed.rename(columns=renamed)


def _column(listed: pd.DataFrame, name: str) -> "pd.Series[str]":
    """The texts of a column without blanks around them; empty ones where there is no such column."""
    return listed[name].str.strip() if name in listed else pd.Series("", index=listed.index, dtype=str)


def _images_folder(root: Path) -> Path:
    return root / "images" if (root / "images").is_dir() else root


def _paths(root: Path, ids: "pd.Series[str]", table: str) -> "pd.Series[str]":
    """The path of each image: in ``images/``, or in a folder of it (FracAtlas comes sorted into two).

    An id may lack the file's ending, or name other folders than those on disk, such as ``images/`` itself.
    """
    images = _images_folder(root)
    files = walk(images)
    by_name: dict[str, list[str]] = {}
    for file in files:
        name = file.rsplit("/", 1)[-1]
        for each in (name, name.rsplit(".", 1)[0]):
            by_name.setdefault(each, []).append(file)
    exact = set(files)

    def find(name: str) -> str:
        # A path with its folder goes before a bare name: at the top of images/ the two are the same.
        for path in (name, name.removeprefix("images/")):
            if path in exact:
                return path
        found = _in_folder(name, by_name.get(name.rsplit("/", 1)[-1], []))
        if len(found) > 1:
            raise DatasetError(f"{images} holds several files called {name}; name it in {table} with its folder.")
        return found[0] if found else name

    found = ids.map(find)
    # Where two ids come to one file, it is that of the id that names its folder; the other's file is missing.
    wrong = found.duplicated(keep=False) & (found != ids) & (found != ids.str.removeprefix("images/"))
    placed = found.mask(wrong, ids)
    if placed[placed.isin(exact)].duplicated().any():
        twice = placed[placed.duplicated()].iloc[0]
        raise DatasetError(f"{table} must list each image once. Received twice: {twice[:120]}")
    return f"{images}{os.sep}" + placed


def _in_folder(name: str, files: list[str]) -> list[str]:
    """Of several files of one name, those in the folders that the id names; all, where there is no such."""
    folder = name.rpartition("/")[0].removeprefix("images/")
    if len(files) < 2 or not folder:
        return files
    return [file for file in files if f"/{file.rpartition('/')[0]}".endswith(f"/{folder}")] or files


def _splits(listed: pd.DataFrame, table: str) -> "pd.Series[str]":
    words = _column(listed, "split")
    splits = words.map(split_of)
    wrong = sorted(words[(splits == "") & (words != "")])
    if wrong:
        raise DatasetError(f"split in {table} must be train, valid or test. Received: {wrong[0]!r}")
    return splits


def _body_parts(listed: pd.DataFrame) -> "pd.Series[str]":
    if "body_part" in listed:
        return _column(listed, "body_part")
    shown = _joined(listed, BODY_PARTS)
    several = shown.str.contains("+", regex=False) | (_column(listed, "mixed") == "1")
    return shown.mask(several, "mixed")


def _findings(listed: pd.DataFrame) -> "pd.Series[str]":
    if not {"fractured", "hardware"} <= set(listed):
        return pd.Series("", listed.index)
    return findings(listed["fractured"] == "1", listed["hardware"] == "1")


def _views(listed: pd.DataFrame) -> "pd.Series[str]":
    if "view" in listed:
        return _column(listed, "view")
    return _joined(listed, VIEWS)


def _joined(listed: pd.DataFrame, names: list[str]) -> "pd.Series[str]":
    """The names of the columns that are marked 1, joined by "+"."""
    marked = zip(*(_column(listed, name) == "1" for name in names), strict=True)
    words = ["+".join(itertools.compress(names, row)) for row in marked]
    return pd.Series(words, index=listed.index, dtype=str)


def _studies(listed: pd.DataFrame, patient: "pd.Series[str]") -> "pd.Series[str]":
    """Study names made unique by the patient's; an image without one is a study of its own."""
    study = _column(listed, "study")
    named = (patient + "/" + study).where(patient != "", study)
    return named.where(study != "", listed["image_id"])


def _pixels(listed: pd.DataFrame, name: str) -> "pd.Series[int]":
    """A column of numbers; 0 where there is none, or none that is finite."""
    numbers = pd.to_numeric(_column(listed, name), errors="coerce")
    return numbers.replace([np.inf, -np.inf], 0).fillna(0).astype("int64")


def _groups(listed: pd.DataFrame, patient: "pd.Series[str]", study: "pd.Series[str]") -> "pd.Series[str]":
    if "group" in listed:
        named = _column(listed, "group")
    elif "fractured" in listed or "dup_group" in listed:
        named = _connected_blocks(listed, patient)
    else:
        named = patient
    return named.where(named != "", study)


def _connected_blocks(listed: pd.DataFrame, patient: "pd.Series[str]") -> "pd.Series[str]":
    """Patients or, where they are not known, blocks of consecutive image numbers; named after the first one.

    They are joined where near-duplicates span several.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = pd.to_numeric(listed["image_id"].str.extract(r"(\d+)\D*$", expand=False), errors="coerce")
    block = (number // BLOCK).map("block {:05.0f}".format, na_action="ignore").fillna(listed["image_id"])
    block = patient.where(patient != "", block)
    duplicates = _column(listed, "dup_group")
    twins = ("near-duplicates " + duplicates).where(duplicates != "", block)
    # Blocks and groups of near-duplicates are the nodes of a graph; each image is an edge from its block to its group.
    nodes, names = pd.factorize(pd.concat([block, twins]))
    starts = nodes[: len(block)]
    ends = nodes[len(block) :]
    graph = coo_array((np.ones(len(block)), (starts, ends)), shape=(len(names), len(names)))
    component_of_node = connected_components(graph, directed=False)[1]
    component = pd.Series(component_of_node[starts], index=block.index)
    return block.groupby(component).transform("min")
