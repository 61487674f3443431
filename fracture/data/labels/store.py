"""Store a choice of labels, or a pattern for patients, beside the data, and take one back."""

from pathlib import Path

from fracture.data.dataset import Dataset, existing_folder, folder_of_table, scan
from fracture.data.decisions import locked, next_time
from fracture.data.labels.choice import (
    CHOSEN,
    KINDS,
    LABELS_FILE,
    LabelChoice,
    LabelsFile,
    PatientPattern,
    latest_choice,
    latest_pattern,
    read_choices,
    read_labels,
)
from fracture.data.labels.patients import compile_pattern, find_patients
from fracture.data.layouts import levels
from fracture.errors import DatasetError
from fracture.files import write_json


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
            f"Labels are chosen for class folders and for a dataset.csv. Received: {dataset.root} in the layout "
            f"{dataset.layout}, which says itself what its labels are; leave the choice out."
        )
    folder = dataset.root
    before = latest_choice(levels(folder))
    if before is None or _names(before) != _names(choice):
        with locked(folder, LABELS_FILE):
            stored = read_labels(folder)
            timed = choice.model_copy(update={"time": _time_of_next(folder)})
            _write(folder, LabelsFile(choices=[*stored.choices, timed], patient_patterns=stored.patient_patterns))
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
    folder = dataset.root
    if latest_pattern(levels(folder)) != pattern:
        with locked(folder, LABELS_FILE):
            stored = read_labels(folder)
            timed = PatientPattern(time=_time_of_next(folder), pattern=pattern)
            _write(folder, LabelsFile(choices=stored.choices, patient_patterns=[*stored.patient_patterns, timed]))
    return dataset


def undo_patients(root: str | Path, time: str) -> None:
    """Delete the pattern of a time; the one before it counts again. Raises as the others do."""
    folder = folder_of_table(existing_folder(root))
    with locked(folder, LABELS_FILE):
        stored = read_labels(folder)
        kept = [pattern for pattern in stored.patient_patterns if pattern.time != time]
        _write(folder, LabelsFile(choices=stored.choices, patient_patterns=kept))


def last_labels(root: str | Path) -> LabelChoice | None:
    """The choice that :func:`undo_labels` can take back; None where the folder's own file holds none."""
    choices = read_choices(folder_of_table(existing_folder(root)))
    return choices[-1] if choices else None


def undo_labels(root: str | Path, time: str) -> None:
    """Delete the choice of a time; the one before it counts again, or the names themselves. Raises as the others do."""
    folder = folder_of_table(existing_folder(root))
    with locked(folder, LABELS_FILE):
        stored = read_labels(folder)
        kept = [choice for choice in stored.choices if choice.time != time]
        _write(folder, LabelsFile(choices=kept, patient_patterns=stored.patient_patterns))


def _time_of_next(folder: Path) -> str:
    """The present time, or just after the latest choice at any level: the new one must win."""
    stored = [read_labels(level) for level in levels(folder)]
    choices = [choice.time for file in stored for choice in file.choices]
    patterns = [pattern.time for file in stored for pattern in file.patient_patterns]
    return next_time(max([*choices, *patterns], default=""))


def _names(choice: LabelChoice) -> list[set[str]]:
    return [set(getattr(choice, kind)) for kind in KINDS]


def _write(folder: Path, content: LabelsFile) -> None:
    file = folder / LABELS_FILE
    if content.choices or content.patient_patterns:
        write_json(file, content.model_dump())
    else:
        file.unlink(missing_ok=True)
