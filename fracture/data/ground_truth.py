"""A ``truth.csv`` at the root of MURA's tree: what a synthetic radiograph shows, known exactly.

Read are its columns ``image`` (the file, relative to the folder of truth.csv), ``view``, ``boxes`` and ``mask``
(see :mod:`fracture.imaging.annotations`), and, where present, ``fracture`` and ``hardware`` (the kind, or empty).
An image that is not listed yet has no truth.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from fracture.errors import DatasetError
from fracture.imaging.annotations import parse_boxes, run_gaps

NAME = "truth.csv"
COLUMNS = ("view", "boxes", "mask")
KINDS = ("fracture", "hardware")


def with_truth(rows: pd.DataFrame, trees: Iterable[str]) -> tuple[pd.DataFrame, bool]:
    """Rows with their :data:`COLUMNS` as truth.csv has them, and whether there is one.

    ``trees``: the folders in which to look for it. Raises DatasetError where it cannot be used.
    """
    read = [_read(tree) for name in sorted(trees) if ((tree := Path(name or "/")) / NAME).is_file()]
    if not read:
        return rows, False
    truth = pd.concat(read).reindex([Path(path).as_posix() for path in rows["path"]]).set_axis(rows.index)
    known = {name: truth[name].fillna("") for name in (*COLUMNS, "findings")}
    view = known["view"].where(known["view"] != "", rows["view"])
    return rows.assign(**{**known, "view": view}), True


def check_regions(table: pd.DataFrame) -> None:
    """Raise DatasetError, naming the image, where boxes or a mask are damaged or do not fit their image's size."""
    marked = table[(table["boxes"] != "") | (table["mask"] != "")]
    columns = (marked[name].tolist() for name in ("image_id", "boxes", "mask", "width", "height"))
    for image, boxes, mask, width, height in zip(*columns, strict=True):
        try:
            parse_boxes(boxes)
            if width:  # without a size the file cannot be read either
                run_gaps(mask, width, height)
        except DatasetError as error:
            raise DatasetError(f"What is known of {image} is damaged. {error}") from error


def _read(tree: Path) -> pd.DataFrame:
    """The truth of one tree, by the absolute posix path of the image."""
    file = tree / NAME
    try:
        truth = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error
    if not {"image", *COLUMNS} <= set(truth):
        received = ", ".join(map(str, truth.columns))
        raise DatasetError(f"{file} must have the columns image, view, boxes and mask. Received: {received}")
    images = truth["image"]
    if twice := sorted(images[images.duplicated()]):
        raise DatasetError(f"{file} must list each image once. Received twice: {twice[0]}")
    told = findings(*(truth[kind] != "" for kind in KINDS)) if set(KINDS) <= set(truth) else ""
    by_path = truth.assign(findings=told).set_index(images.map(lambda name: (tree / name).as_posix()))
    return by_path[[*COLUMNS, "findings"]]


def findings(fracture: "pd.Series[bool]", hardware: "pd.Series[bool]") -> "pd.Series[str]":
    """What is there, in words: none, fracture, hardware or fracture;hardware."""
    words = fracture.map({True: "fracture;", False: ""}) + hardware.map({True: "hardware;", False: ""})
    return words.str.rstrip(";").replace("", "none")
