"""Store a choice of labels or columns, or a pattern for patients, beside the data, and take one back."""

from pathlib import Path
from typing import Literal

from fracture.data.dataset import Dataset, existing_folder, folder_of_table, scan
from fracture.data.decisions import locked, next_time
from fracture.data.labels.choice import CHOSEN, KINDS, LabelChoice
from fracture.data.labels.columns import ColumnsChoice
from fracture.data.labels.labels_file import (
    LABELS_FILE,
    LabelsFile,
    PatientPattern,
    latest_choice,
    latest_columns,
    latest_pattern,
    read_choices,
    read_labels,
)
from fracture.data.labels.patients import compile_pattern, find_patients
from fracture.data.layouts import levels
from fracture.errors import DatasetError
from fracture.files import write_json

Kind = Literal["choices", "patient_patterns", "columns"]
"""What is chosen, as the lists of :class:`LabelsFile` are called."""


def choose_labels(root: str | Path, choice: LabelChoice) -> Dataset:
    """Store which classes of a data set are which, and read it so; a choice that counts already is not stored again.

    Raises:
        LabelsError: the data set has no classes of these names.
        DatasetError: it needs no choice, cannot be read, or its folder cannot be written to.
        PublicError: this is the public demo.
    """
    dataset = scan(root, choice=choice)
    if not any(mapping.origin == CHOSEN for mapping in dataset.label_mappings):
        raise DatasetError(
            f"Labels are chosen for class folders, tables and boxes. Received: {dataset.root} in the layout "
            f"{dataset.layout}, which says itself what its labels are; leave the choice out."
        )
    _add_choice(dataset.root, choice, dataset.columns.label if dataset.columns else "")
    return dataset


def choose_columns(root: str | Path, columns: ColumnsChoice, choice: LabelChoice | None = None) -> Dataset:
    """Store which columns of a table hold what, perhaps with the meaning of its labels, and read the data set so.

    Raises:
        LabelsError: the values of the label are not known, or those of the choice are not there.
        DatasetError: there is no such table or column, or the folder cannot be written to.
        PublicError: this is the public demo.
    """
    dataset = scan(root, choice=choice, columns=columns)
    folder = dataset.root
    # That of the data set names the file, too.
    chosen = dataset.columns or columns
    before = latest_columns(folder)
    if before is None or before.named() != chosen.named():
        _add(folder, "columns", chosen)
    if choice is not None:
        _add_choice(folder, choice, chosen.label)
    return dataset


def choose_patients(root: str | Path, pattern: str) -> Dataset:
    """Store a pattern for the patient in names of files, and read the data set so.

    Raises:
        DatasetError: it is no pattern, it finds no patient, or the folder cannot be written to.
        PublicError: this is the public demo.
    """
    compile_pattern(pattern)
    dataset = scan(root, patient_pattern=pattern)
    if not (find_patients(dataset.table["image_id"], pattern) != "").any():
        raise DatasetError(
            f"A pattern for patients must match names of files in {dataset.root}, such as "
            f"{dataset.table['image_id'].iloc[0]}. Received: {pattern!r}, which matches none."
        )
    if latest_pattern(levels(dataset.root)) != pattern:
        _add(dataset.root, "patient_patterns", PatientPattern(time="", pattern=pattern))
    return dataset


def last_labels(root: str | Path) -> LabelChoice | None:
    """The choice that :func:`undo_labels` can take back; None where the folder's own file holds none."""
    choices = read_choices(folder_of_table(existing_folder(root)))
    return choices[-1] if choices else None


def last_columns(root: str | Path) -> ColumnsChoice | None:
    """The choice that :func:`undo_columns` can take back; None where the folder's own file holds none."""
    return latest_columns(folder_of_table(existing_folder(root)))


def undo_labels(root: str | Path, time: str) -> None:
    """Delete the choice of a time; the one before it counts again, or the names themselves. Raises as the others do."""
    _remove(root, "choices", time)


def undo_columns(root: str | Path, time: str) -> None:
    """Delete the choice of columns of a time; the one before it counts again. Raises as the others do."""
    _remove(root, "columns", time)


def undo_patients(root: str | Path, time: str) -> None:
    """Delete the pattern of a time; the one before it counts again. Raises as the others do."""
    _remove(root, "patient_patterns", time)


def _add_choice(folder: Path, choice: LabelChoice, column: str) -> None:
    """``column``: whose values the names are; another column's choice does not count for it."""
    before = latest_choice(levels(folder))
    if before is None or before.column != column or _names(before) != _names(choice):
        _add(folder, "choices", choice.model_copy(update={"column": column}))


def _add(folder: Path, kind: Kind, entry: LabelChoice | PatientPattern | ColumnsChoice) -> None:
    """Add an entry to the folder's own file, at the present time."""
    with locked(folder, LABELS_FILE):
        stored = read_labels(folder)
        timed = entry.model_copy(update={"time": _time_of_next(folder)})
        _write(folder, stored.model_copy(update={kind: [*getattr(stored, kind), timed]}))


def _remove(root: str | Path, kind: Kind, time: str) -> None:
    folder = folder_of_table(existing_folder(root))
    with locked(folder, LABELS_FILE):
        stored = read_labels(folder)
        kept = [entry for entry in getattr(stored, kind) if entry.time != time]
        _write(folder, stored.model_copy(update={kind: kept}))


def _time_of_next(folder: Path) -> str:
    """The present time, or just after the latest choice at any level: the new one must win."""
    times = [time for level in levels(folder) for time in read_labels(level).times]
    return next_time(max(times, default=""))


def _names(choice: LabelChoice) -> list[set[str]]:
    return [set(getattr(choice, kind)) for kind in KINDS]


def _write(folder: Path, content: LabelsFile) -> None:
    file = folder / LABELS_FILE
    if content.times:
        write_json(file, content.model_dump())
    else:
        file.unlink(missing_ok=True)
