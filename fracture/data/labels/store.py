"""Store a choice of labels beside the data, take one back, and swap the two labels."""

from pathlib import Path

from fracture.data.dataset import Dataset, existing_folder, folder_of_table, scan
from fracture.data.decisions import locked, next_time
from fracture.data.labels.choice import CHOSEN, KINDS, LABELS_FILE, LabelChoice, latest_choice, read_choices
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
            last = latest_choice(levels(folder))
            time = next_time(last.time if last else "")
            _write(folder, [*read_choices(folder), choice.model_copy(update={"time": time})])
    return dataset


def last_labels(root: str | Path) -> LabelChoice | None:
    """The choice that :func:`undo_labels` can take back; None where the folder's own file holds none."""
    choices = read_choices(folder_of_table(existing_folder(root)))
    return choices[-1] if choices else None


def undo_labels(root: str | Path, time: str) -> None:
    """Delete the choice of a time; the one before it counts again, or the names themselves. Raises as the others do."""
    folder = folder_of_table(existing_folder(root))
    with locked(folder, LABELS_FILE):
        kept = [choice for choice in read_choices(folder) if choice.time != time]
        if kept:
            _write(folder, kept)
        else:
            (folder / LABELS_FILE).unlink(missing_ok=True)


def _names(choice: LabelChoice) -> list[set[str]]:
    return [set(getattr(choice, kind)) for kind in KINDS]


def _write(folder: Path, choices: list[LabelChoice]) -> None:
    write_json(folder / LABELS_FILE, {"choices": [choice.model_dump() for choice in choices]})
