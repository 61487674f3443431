"""A phantom as a PNG file that says what it is, and its truth as a row of ``truth.csv``.

The text chunks of the file hold the same columns as the row: a phantom without its data set still says that it is
synthetic and how to generate it again, and a run that was killed loses no truth.
"""

import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from fracture.data.ground_truth import TRUTH_FILE
from fracture.errors import DatasetError
from fracture.files import atomic_write
from fracture.imaging.annotations import boxes_text, encode_mask
from fracture.imaging.png_jpeg import SYNTHETIC
from fracture.phantoms.plan import Plan
from fracture.phantoms.study import Phantom
from fracture.phantoms.truth import Truth

Row = dict[str, str]
"""One image's truth: a text for each of :data:`ROW_COLUMNS`."""

ROW_COLUMNS = (
    "image",  # posix path relative to the folder of truth.csv
    "patient",  # number
    "study",  # number within the patient
    "view",
    "label",  # 0 or 1
    "fracture",
    "hardware",
    "displacement_mm",
    "angulation_deg",
    "traps",  # ";" between them
    "boxes",  # as in fracture.imaging.annotations
    "mask",
    "difficulty",
)

# In the files of people: the words stay as they are.
DESCRIPTION = f"{SYNTHETIC} of a humerus, drawn by the Python package fracture; it shows no person"

_COMPRESSION = 4
"""zlib's level; measured on 512 px: 9 ms and 78 KB, where 1 takes 13 ms and 92 KB and 9 takes 23 ms and 78 KB."""


def row_of(phantom: Phantom, image: str, patient: int, study: int, difficulty: float) -> Row:
    """The row of one phantom; ``image`` is its path relative to the data set."""
    truth = phantom.truth
    values = (
        image,
        patient,
        study,
        phantom.view,
        int(truth.abnormal),
        truth.fracture,
        truth.hardware,
        f"{truth.displacement:.2f}",
        f"{truth.angulation:.2f}",
        ";".join(truth.traps),
        boxes_text(truth.boxes),
        encode_mask(truth.mask),
        f"{difficulty:g}",
    )
    return dict(zip(ROW_COLUMNS, map(str, values), strict=True))


def png(phantom: Phantom, row: Row, plan: Plan) -> bytes:
    """A grayscale PNG file whose text says that it is synthetic, how it was generated, and its truth."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", DESCRIPTION)
    text.add_text("seed", str(plan.seed))
    if plan.hardware_share is not None:
        text.add_text("hardware_share", f"{plan.hardware_share:g}")
    for name in ROW_COLUMNS[1:]:
        text.add_text(name, row[name])
    file = BytesIO()
    Image.fromarray(phantom.pixels).save(file, "PNG", compress_level=_COMPRESSION, pnginfo=text)
    return file.getvalue()


def read_png(path: Path, image: str) -> Row:
    """The row that a PNG file of :func:`png` holds, under the name ``image``; no pixel is decoded.

    Raises OSError, SyntaxError, ValueError or KeyError where the file is none, or is damaged.
    """
    with path.open("rb") as file:
        text = PngImagePlugin.PngImageFile(file).info
    return {"image": image, **{name: str(text[name]) for name in ROW_COLUMNS[1:]}}


def write_truth_rows(file: Path, rows: Iterable[Row]) -> None:
    """Write ``truth.csv``, sorted by image, whole or not at all. Raises OSError."""
    text = StringIO()
    writer = csv.DictWriter(text, ROW_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["image"]))
    atomic_write(file, lambda part: part.write_text(text.getvalue(), encoding="utf-8"))


def read_rows(file: Path) -> list[Row]:
    """The rows of a ``truth.csv``, with whatever columns it has; none where there is no such file.

    Raises DatasetError where it cannot be read.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read as a table: {error}.") from error


def truth_words(paths: Sequence[Path]) -> list[str]:
    """The truth of images of one data set in a few words each; "" where nothing is known.

    Raises DatasetError where their truth.csv cannot be read.
    """
    if not paths:
        return []
    root = next((folder for folder in paths[0].parents if (folder / TRUTH_FILE).is_file()), None)
    if root is None:
        return [""] * len(paths)
    wanted = {path.relative_to(root).as_posix(): "" for path in paths}
    for row in read_rows(root / TRUTH_FILE):
        if row.get("image") in wanted:
            wanted[row["image"]] = _words(row)
    return [wanted[path.relative_to(root).as_posix()] for path in paths]


def _words(row: Row) -> str:
    """A row's truth in words; "" where the table lacks a column for it."""
    try:
        moved = float(row["displacement_mm"])
        turned = float(row["angulation_deg"])
        traps = tuple(filter(None, row["traps"].split(";")))
        return Truth(row["fracture"], moved, turned, row["hardware"], traps, (), np.zeros((0, 0), np.bool_)).words
    except (KeyError, ValueError, TypeError, AttributeError):
        return ""
