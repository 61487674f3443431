"""A folder of radiographs -> one table with a row for each image.

::

    MURA's tree ──┐
    class folders ├── scan ──> Dataset: label names + table ──> checks, training, evaluation, pages
    a table ──────┤
    YOLO, COCO ───┘
"""

import hashlib
import itertools
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fracture import demo
from fracture.data import dataset_csv, ground_truth, layouts
from fracture.data.annotations.coco import coco
from fracture.data.annotations.yolo import yolo
from fracture.data.labels import class_folders
from fracture.data.labels.choice import LabelChoice, LabelMapping
from fracture.data.labels.columns import ColumnsChoice
from fracture.data.labels.labels_file import LABELS_FILE, latest_choice, latest_columns, latest_pattern
from fracture.data.labels.patients import with_patients
from fracture.data.labels.words import class_of
from fracture.data.layouts import Skipped
from fracture.data.provenance import Source, source_of
from fracture.data.splits import split_by_group, split_of
from fracture.data.tables.columns import MIN_SHARE, Table, find_tables, sure_columns, unknown_columns, with_file
from fracture.errors import DatasetError, LabelsError, RadiographError
from fracture.imaging import radiograph
from fracture.paths import data_home, short, typed_path

TABLE_COLUMNS = {
    "image_id": "str",  # the path relative to the scanned folder, or dataset.csv's image_id; unique
    "path": "str",  # absolute
    "split": "str",  # train, valid or test
    "body_part": "str",  # XR_HUMERUS; "" where unknown
    "patient": "str",  # "" where unknown
    "study": "str",  # unique in the data set; an image without a study is its own
    "view": "str",
    "label": "int64",  # 0 or 1; Dataset.label_names says what they mean
    "width": "int64",  # px; 0 where the file cannot be read
    "height": "int64",  # px
    "group": "str",  # must not straddle a split: the patient, where known
    "boxes": "str",  # x y w h in px, ";" between boxes; "" where unknown
    "mask": "str",  # run lengths, see fracture.imaging.annotations; "" where unknown
    "findings": "str",  # fracture, hardware, both with ";" between, or none; "" where unknown
}
"""The columns of every table of images, and their types."""

LAYOUTS = (
    "MURA's tree ({train,valid}/XR_PART/patientN/studyN_{positive,negative}/imageN.png)",
    "class folders ({train,valid}/{negative,positive}/..., also normal/abnormal, not fractured/fractured or any two)",
    "a dataset.csv (image_id, label) beside images/, or any CSV file with a row for each image",
    "YOLO (images/ and labels/ with a text for each image) or COCO (a JSON file with images, annotations, categories)",
)

_COCO_NAME = re.compile(r"coco|instances|annotation")
_LAYOUT_FOLDER = re.compile(r"XR_[A-Z]+|study\d+_(positive|negative)", re.IGNORECASE)


@dataclass(frozen=True)
class Dataset:
    """A scanned folder. ``table`` has :data:`TABLE_COLUMNS`; ``label_names`` are the words for label 0 and label 1.

    ``synthetic``: a truth.csv says what the images show, so they are of no patient.
    """

    root: Path
    name: str
    layout: str
    label_names: tuple[str, str]
    table: pd.DataFrame
    synthetic: bool = False
    sources: tuple[Source, ...] = ()
    """Who made it, and its license, where they are known."""
    excluded: int = 0
    """How many images decisions exclude, see :mod:`fracture.data.decisions`."""
    relabelled: int = 0
    """How many images have another label by decision."""
    label_mappings: tuple[LabelMapping, ...] = ()
    """How the names of its classes were read; of several data sets, one each."""
    patient_pattern: str = ""
    """Where the patients were found in the names of files, see :mod:`fracture.data.labels.patients`."""
    skipped: tuple[Skipped, ...] = ()
    """The files that were left out."""
    columns: ColumnsChoice | None = None
    """Which columns of a table were read, where they were chosen or guessed."""
    version: str = ""
    """Changes with the files that the table depends on; empty where their states are not known."""


def scan(
    root: str | Path,
    body_part: str | None = None,
    choice: LabelChoice | None = None,
    patient_pattern: str = "",
    columns: ColumnsChoice | None = None,
) -> Dataset:
    """Read a folder in any of the :data:`LAYOUTS`, or only one body part of it. No pixel is decoded.

    A data set without a split gets that of :func:`split_by_group`; a split that is there is kept. Where the only
    dataset.csv is in a folder of ``root``, as in FracAtlas's own zip, that folder is read.

    Args:
        root: the folder, or the name of one in the data home.
        body_part: ``XR_HUMERUS``, ``humerus`` or ``hand``, in any case.
        choice: which classes are which; otherwise the stored one, see :mod:`fracture.data.labels.choice`.
        patient_pattern: for the patient in names of files; otherwise the stored one, if any.
        columns: which columns of a table hold what; otherwise the stored ones, or those that only one guess is
            possible for, see :mod:`fracture.data.tables.columns`.

    Raises:
        ColumnsError: it has a table, of which nobody has said which columns hold what.
        LabelsError: it has classes whose names are not known, and nobody has said which is which.
        DatasetError: there is no such folder, layout or body part, or a part of it may not be read.
    """
    folder = folder_of_table(existing_folder(root))
    tree = layouts.tree(folder)
    files = tree.images
    _check_names([str(folder), *files])
    choice = choice or latest_choice(layouts.levels(folder))
    found = _find(folder, tree, choice, columns or latest_columns(folder))
    if found is None:
        raise _unknown_layout(folder, files)
    # Split before filtering: the split of an image must not depend on the body part that is asked for.
    pattern = patient_pattern or latest_pattern(layouts.levels(folder))
    named = with_patients(found.rows, pattern) if pattern else found.rows
    rows = _with_split(named, folder)
    table = _complete(_filter_body_part(rows, body_part, folder))
    ground_truth.check_regions(table)  # here, and not after hours of training
    source = source_of(found.layout, found.synthetic, table["image_id"])
    return Dataset(
        folder,
        folder.name,
        found.layout,
        found.label_names,
        table,
        found.synthetic,
        sources=() if source is None else (source,),
        label_mappings=() if found.mapping is None else (found.mapping,),
        patient_pattern=pattern,
        skipped=(*found.skipped, *layouts.strays(tree, found.files_read)),
        columns=found.columns,
    )


def _find(
    folder: Path, tree: layouts.Tree, choice: LabelChoice | None, columns: ColumnsChoice | None
) -> layouts.Found | None:
    """What the first layout that fits makes of a folder; None where none does. Raises as :func:`scan` does."""
    if columns is not None:
        return _chosen_table(folder, with_file(columns, tables_in(folder, tree)), choice)
    of_table = choice
    choice = choice if choice is not None and choice.fits("") else None
    found = dataset_csv.dataset_csv(folder, choice) or layouts.mura(folder, tree.images)
    if found is not None:
        return found
    try:
        found = class_folders.class_folders(folder, tree.images, choice)
    except DatasetError as error:
        # Folders that nobody knows the meaning of, or of one class: annotations or a table may say more.
        if isinstance(error, LabelsError) and not _may_list_labels(folder, tree):
            raise
        found = _find_listed(folder, tree, of_table)
        if found is None:
            raise
        return found
    return found or _find_listed(folder, tree, of_table)


def _may_list_labels(folder: Path, tree: layouts.Tree) -> bool:
    """Whether there are annotations or a table with a column that may be the label."""
    if any(path.lower().endswith(layouts.ANNOTATIONS) for path in tree.others):
        return True
    return any(table.share >= MIN_SHARE and table.candidates["label"] for table in tables_in(folder, tree))


def _chosen_table(folder: Path, columns: ColumnsChoice, choice: LabelChoice | None) -> layouts.Found:
    fitting = choice if choice is not None and choice.fits(columns.label) else None
    return dataset_csv.chosen_table(folder, columns, fitting)


def _find_listed(folder: Path, tree: layouts.Tree, of_table: LabelChoice | None) -> layouts.Found | None:
    """What annotations or a table make of a folder whose own folders say nothing.

    ``of_table``: a choice of labels, perhaps for the values of one column.
    """
    choice = of_table if of_table is not None and of_table.fits("") else None
    found = coco(folder, tree, choice) or yolo(folder, tree, choice)
    if found is not None:
        return found
    tables = tables_in(folder, tree)
    columns = sure_columns(tables)
    if columns is not None:
        return _chosen_table(folder, columns, of_table)
    if any(table.share >= MIN_SHARE for table in tables):
        raise unknown_columns(folder, tables)
    return None


def tables_in(folder: Path, tree: layouts.Tree | None = None) -> list[Table]:
    """The CSV files of a data set, see :func:`fracture.data.tables.columns.find_tables`."""
    tree = tree or layouts.tree(folder)
    usual = [dataset_csv.USUAL_FILE] if (folder / dataset_csv.USUAL_FILE).is_file() else []
    return find_tables(folder, tree.images, [*usual, *tree.others])


def folder_of_table(folder: Path) -> Path:
    """The folder that holds the data set's dataset.csv: this one, or the only one in it that does."""
    if not os.access(folder, os.R_OK | os.X_OK) or (folder / "dataset.csv").is_file():
        return folder
    below = [path.parent for path in folder.glob("*/dataset.csv") if not path.parent.name.startswith(".")]
    below = [path for path in below if not path.is_symlink()]
    return below[0] if len(below) == 1 else folder


def fingerprint(dataset: Dataset) -> str:
    """16 hex digits over each image's id, split, label and file size: the same wherever the data lie."""
    table = dataset.table
    rows = sorted(zip(table["image_id"], table["split"], table["label"], table["path"], strict=True))
    lines = (f"{image}\t{split}\t{label}\t{_file_bytes(path)}\n" for image, split, label, path in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many images, studies and groups there are for each split, body part and label."""
    parts = table.groupby(["split", "body_part", "label"], as_index=False)
    return parts.agg(images=("image_id", "size"), studies=("study", "nunique"), groups=("group", "nunique"))


def existing_folder(given: str | Path) -> Path:
    """The absolute path of a folder; a name that is not in the working folder is looked for in the data home.

    Raises DatasetError where there is none; in a public demo also for one that is not in the data home.
    """
    try:
        root = typed_path(str(given))
        is_name = Path(given).name == str(given)
        if not root.exists() and is_name and (data_home() / given).exists():
            root = (data_home() / given).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"A data set is a folder. {error}") from error
    # Before the folder is looked at: a visitor must not learn which folders there are.
    if demo.is_public() and short(str(root)) == str(root):
        raise DatasetError(
            f"{demo.NOT_OFFERED['paths']} Received: {str(given)[:80]!r}; choose one of those that are listed."
        )
    if not root.exists():
        raise DatasetError(f"There is no folder {root}; give the path of a data set.")
    if not root.is_dir():
        raise DatasetError(f"{root} is a file; give the folder that holds the data set.")
    return root


def _check_names(paths: list[str]) -> None:
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:  # bytes that are no UTF-8 are surrogates in a path
            raise DatasetError(f"Names of files must be UTF-8. Received: {path!a}; rename it.") from error


def _unknown_layout(root: Path, files: list[str]) -> DatasetError:
    entries = sorted(f"{path.name}/" if path.is_dir() else path.name for path in root.iterdir())
    folders = sum(name.endswith("/") for name in entries)
    more = ["..."] if len(entries) > 5 else []
    shown = ", ".join([*entries[:5], *more]) or "an empty folder"
    shown = shown.encode(errors="backslashreplace").decode()  # names of other files need not be UTF-8
    return DatasetError(
        f"{root} must be one of: {'; '.join(LAYOUTS)}. Received: {shown} "
        f"(folders: {folders}, files: {len(entries) - folders}, images at any depth: {len(files)})"
    )


def _filter_body_part(rows: pd.DataFrame, body_part: str | None, root: Path) -> pd.DataFrame:
    if body_part is None:
        return rows
    wanted = body_part.strip().casefold().removeprefix("xr_")
    kept = rows[rows["body_part"].str.casefold().str.removeprefix("xr_") == wanted]
    if kept.empty:
        there = ", ".join(sorted(set(rows["body_part"]) - {""})) or "none is named"
        raise DatasetError(f"body_part must be one of those in {root} ({there}). Received: {body_part}")
    return kept


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """All columns, in order and of their types; sizes that no list gives are read from the files.

    Those of images with boxes are, too: the size in a list may be that before EXIF turns the image.
    """
    rows = rows.reset_index(drop=True)
    for name in ("boxes", "mask", "findings"):
        if name not in rows:
            rows = rows.assign(**{name: ""})
    if "width" not in rows:
        rows = rows.assign(width=0, height=0)
    unknown = (rows["width"] <= 0) | (rows["height"] <= 0) | (rows["boxes"] != "")
    # One after the other: a header takes 30 µs in Python, and threads made it three times slower.
    sizes = [_image_size(path) for path in rows.loc[unknown, "path"]]
    rows.loc[unknown, ["width", "height"]] = pd.DataFrame(
        sizes, rows.index[unknown], ["width", "height"], dtype="int64"
    )
    return rows[list(TABLE_COLUMNS)].astype(TABLE_COLUMNS)


def _with_split(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    without = table.loc[table["split"] == "", "image_id"]
    if 0 < len(without) < len(table):
        raise DatasetError(
            f"All images of {root} must have a split, or none. "
            f"Received: {len(without)} of {len(table)} without one, such as {without.iloc[0]}"
        )
    if without.empty:
        return table
    if table["group"].nunique() < 2:  # it can be looked at; a run on it says what is missing, and so do the checks
        return table.assign(split="train")
    return split_by_group(table)


def _image_size(path: str) -> tuple[int, int]:
    try:
        return radiograph.header_size(Path(path))
    except RadiographError:
        return 0, 0


def _file_bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return -1


def looks_like_data(folder: Path) -> bool:
    """Whether a folder has a dataset.csv, or folders or lists of a layout within three levels and an image below them.

    Two folders with images side by side may be classes of any name. Only files without ending are opened. A folder that
    may not be read is no data set.
    """
    with suppress(PermissionError):
        if any((folder / name).is_file() for name in ("dataset.csv", LABELS_FILE)):
            return True
    for place, folders, files in os.walk(folder, followlinks=not demo.is_public()):
        is_mura = any(_LAYOUT_FOLDER.fullmatch(name) for name in folders)
        has_both_classes = {0, 1} <= {class_of(name) for name in folders}
        if (is_mura or has_both_classes) and _has_image(place):
            return True
        # COCO's files may be in a folder of their own.
        if _may_be_annotated(folders, files) and _has_image(str(folder)):
            return True
        if len(_may_be_classes(place, folders)) > 1:
            return True
        if len(Path(place).relative_to(folder).parts) >= 3:
            folders.clear()  # os.walk then goes no deeper
    return False


def _may_be_annotated(folders: list[str], files: list[str]) -> bool:
    """Whether there are labels of YOLO, or a file by whose name it may be a table or annotations."""
    lower = [name.lower() for name in files]
    has_table = any(name.endswith(layouts.TABLES) and name not in layouts.READ_BESIDE for name in lower)
    has_annotations = any(name.endswith(".json") and _COCO_NAME.search(name) for name in lower)
    return has_table or has_annotations or "data.yaml" in lower or {"images", "labels"} <= set(folders)


def _may_be_classes(place: str, folders: list[str]) -> list[str]:
    """Two of the folders at a place that hold an image themselves, if there are so many."""
    named = (name for name in folders if not name.startswith(".") and not split_of(name))
    return list(itertools.islice((name for name in named if _holds_image(f"{place}{os.sep}{name}")), 2))


def _holds_image(folder: str) -> bool:
    with suppress(OSError), os.scandir(folder) as entries:
        return any(entry.name.lower().endswith(layouts.ENDINGS) for entry in entries)
    return False


def _has_image(folder: str) -> bool:
    for place, _, files in os.walk(folder, followlinks=not demo.is_public()):
        if any(name.lower().endswith(layouts.ENDINGS) for name in files):
            return True
        unnamed = [str(Path(place, name)) for name in sorted(files) if layouts.may_be_dicom(name)]
        if layouts.choose_dicom(unnamed, layouts.begins_as_dicom):
            return True
    return False
