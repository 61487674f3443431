"""The ground truth of synthetic radiographs: a ``truth.csv`` at the root of MURA's tree.

Its columns are ``image`` (the file, relative to the folder of truth.csv), ``view``, ``boxes`` and ``mask``
(see :mod:`fracture.imaging.annotations`), and, where present, ``fracture`` and ``hardware`` (the kind, or empty).
Others are ignored. An image that is not listed yet has no truth.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from fracture.errors import DatasetError
from fracture.imaging.annotations import parse_boxes, run_gaps

TRUTH_FILE = "truth.csv"
TRUTH_COLUMNS = ("view", "boxes", "mask")


def with_truth(rows: pd.DataFrame, trees: Iterable[str]) -> tuple[pd.DataFrame, bool]:
    """Rows with the :data:`TRUTH_COLUMNS` and the findings of truth.csv, and whether there is one.

    ``trees``: the folders in which it may lie. Raises DatasetError where it cannot be used.
    """
    folders = [Path(name or "/") for name in sorted(trees)]
    tables = [_read(folder) for folder in folders if (folder / TRUTH_FILE).is_file()]
    if not tables:
        return rows, False
    # Windows writes paths with other separators than truth.csv.
    paths = [Path(path).as_posix() for path in rows["path"]]
    by_path = pd.concat(tables)
    truth = by_path.reindex(paths).set_axis(rows.index).fillna("")  # an image that is not listed yet has no truth
    view = truth["view"].where(truth["view"] != "", rows["view"])
    return rows.assign(boxes=truth["boxes"], mask=truth["mask"], findings=truth["findings"], view=view), True


def check_regions(table: pd.DataFrame) -> None:
    """Raise DatasetError, naming the image, where boxes or a mask are damaged or do not fit their image's size."""
    marked = table[(table["boxes"] != "") | (table["mask"] != "")]
    columns = (marked[name].tolist() for name in ("image_id", "boxes", "mask", "width", "height"))
    for image, boxes, mask, width, height in zip(*columns, strict=True):
        try:
            parse_boxes(boxes)
            if width:  # else the file cannot be read either
                run_gaps(mask, width, height)
        except DatasetError as error:
            raise DatasetError(f"The annotation of {image} is damaged. {error}") from error


def _read(tree: Path) -> pd.DataFrame:
    """The truth of one tree, by the absolute posix path of the image."""
    file = tree / TRUTH_FILE
    try:
        truth = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    if not {"image", *TRUTH_COLUMNS} <= set(truth):
        received = ", ".join(map(str, truth.columns))
        raise DatasetError(f"{file} must have the columns image, view, boxes and mask. Received: {received}")
    images = truth["image"]
    twice = sorted(images[images.duplicated()])
    if twice:
        raise DatasetError(f"{file} must list each image once. Received twice: {twice[0]}")
    has_findings = {"fracture", "hardware"} <= set(truth)
    shown = findings(truth["fracture"] != "", truth["hardware"] != "") if has_findings else ""
    by_path = truth.assign(findings=shown).set_index(images.map(lambda name: (tree / name).as_posix()))
    return by_path[[*TRUTH_COLUMNS, "findings"]]


def findings(fracture: "pd.Series[bool]", hardware: "pd.Series[bool]") -> "pd.Series[str]":
    """The column ``findings``: none, fracture, hardware or fracture;hardware."""
    words = fracture.map({True: "fracture;", False: ""}) + hardware.map({True: "hardware;", False: ""})
    return words.str.rstrip(";").replace("", "none")
