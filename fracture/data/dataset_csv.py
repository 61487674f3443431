"""The layout ``dataset.csv`` beside ``images/``: FracAtlas's table, or that of your own data.

====================  =============================================================================
column                meaning
====================  =============================================================================
image_id              the file below ``images/``; must be there, once each
label or fractured    0 or 1; one of the two must be there
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
from pathlib import Path

import numpy as np
import pandas as pd

from fracture.data.ground_truth import findings
from fracture.data.layouts import Found, walk
from fracture.data.splits import SPLIT_OF_NAME
from fracture.errors import DatasetError
from fracture.paths import leads_out, sanitize_name

BLOCK = 25
"""Images of FracAtlas that stay together: it names no patients, but neighboring numbers are often one patient's."""

BODY_PARTS = ["hand", "leg", "hip", "shoulder"]
VIEWS = ["frontal", "lateral", "oblique"]


def dataset_csv(root: Path) -> Found | None:
    """Read ``dataset.csv`` in a folder; None where there is none.

    A listed image that is not on disk stays in the table. Raises DatasetError for a table that cannot be used.
    """
    file = root / "dataset.csv"
    if not file.is_file():
        return None
    listed = _read(file)
    ids = listed["image_id"]
    patient = _column(listed, "patient")
    study = _studies(listed, patient)
    rows = pd.DataFrame(
        {
            "image_id": ids,
            "path": _paths(root, ids),
            "split": _splits(listed),
            "body_part": _body_parts(listed),
            "patient": patient,
            "study": study,
            "view": _views(listed),
            "label": _labels(listed),
            "width": _pixels(listed, "width"),
            "height": _pixels(listed, "height"),
            "group": _groups(listed, patient, study),
            "boxes": _column(listed, "boxes"),
            "findings": _findings(listed),
        }
    )
    label_names = ("negative", "positive") if "label" in listed else ("not fractured", "fractured")
    return Found("dataset.csv", label_names, rows)


def _read(file: Path) -> pd.DataFrame:
    try:
        listed = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    if "image_id" not in listed or not {"label", "fractured"} & set(listed):
        received = sanitize_name(", ".join(map(str, listed.columns)))
        raise DatasetError(f"{file} must have the columns image_id and label (or fractured). Received: {received}")
    if listed.empty:
        raise DatasetError(f"{file} lists no image; it needs a row for each.")
    ids = listed["image_id"]
    twice = sorted(ids[ids.duplicated()])
    if twice:
        raise DatasetError(f"{file} must list each image_id once. Received twice: {twice[0]}")
    outside = [name for name in ids if leads_out(name)]
    if outside:
        raise DatasetError(f"{file} must name files below images/ by image_id. Received: {outside[0][:120]!r}")
    return listed


def _column(listed: pd.DataFrame, name: str) -> "pd.Series[str]":
    """The texts of a column without blanks around them; empty ones where there is no such column."""
    return listed[name].str.strip() if name in listed else pd.Series("", index=listed.index, dtype=str)


def _paths(root: Path, ids: "pd.Series[str]") -> "pd.Series[str]":
    """The path of each image: in ``images/``, or in a folder of it (FracAtlas comes sorted into two)."""
    images = root / "images" if (root / "images").is_dir() else root
    files = walk(images)
    names = pd.Series([file.rsplit("/", 1)[-1] for file in files], dtype=str)
    ambiguous = sorted(set(names[names.duplicated()]) & set(ids) - set(files))
    if ambiguous:
        raise DatasetError(
            f"{images} holds several files called {ambiguous[0]}; name it in dataset.csv with its folder."
        )
    # A path with its folder goes before a bare name: at the top of images/ the two are the same.
    by_name = dict(zip(names, files, strict=True)) | {file: file for file in files}
    return ids.map(lambda name: f"{images}{os.sep}{by_name.get(name, name)}")


def _labels(listed: pd.DataFrame) -> "pd.Series[int]":
    name = "label" if "label" in listed else "fractured"
    words = _column(listed, name)
    wrong = sorted(set(words) - {"0", "1"})
    if wrong:
        raise DatasetError(f"{name} in dataset.csv must be 0 or 1. Received: {wrong[0]!r}")
    return words.astype("int64")


def _splits(listed: pd.DataFrame) -> "pd.Series[str]":
    words = _column(listed, "split").str.lower()
    wrong = sorted(set(words) - {"", *SPLIT_OF_NAME})
    if wrong:
        raise DatasetError(f"split in dataset.csv must be train, valid or test. Received: {wrong[0]!r}")
    return words.replace(SPLIT_OF_NAME)


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
        named = _connected_blocks(listed)
    else:
        named = patient
    return named.where(named != "", study)


def _connected_blocks(listed: pd.DataFrame) -> "pd.Series[str]":
    """Blocks of consecutive image numbers, joined where near-duplicates span several; named after their first block."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = pd.to_numeric(listed["image_id"].str.extract(r"(\d+)\D*$", expand=False), errors="coerce")
    block = (number // BLOCK).map("block {:05.0f}".format, na_action="ignore").fillna(listed["image_id"])
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
