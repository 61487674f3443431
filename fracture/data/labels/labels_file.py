"""The file ``labels.json`` in the folder of a data set: what people chose about its labels, columns and patients.

It follows the rules of ``curation.csv``: images are never moved, the latest choice wins, and one at a level of a tree
applies to those below (see :mod:`fracture.data.decisions`)::

    {"choices": [{"time": "2026-11-29T09:15:02.311Z", "negative": ["A", "B"], "positive": ["C"], "ignore": ["D"]}],
     "patient_patterns": [{"time": "2026-11-29T09:16:12.520Z", "pattern": "{patient}_*"}],
     "columns": [{"time": "2026-11-29T09:14:40.003Z", "file": "labels.csv", "image": "filename", "label": "diagnosis"}]}
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from fracture.data.labels.choice import KINDS, LabelChoice, make_choice
from fracture.data.labels.columns import ROLES, ColumnsChoice, make_columns
from fracture.documents import Document, Time, sentence
from fracture.errors import DatasetError
from fracture.files import read_json

LABELS_FILE = "labels.json"


class PatientPattern(Document):
    """A pattern for the patient in the name of a file, see :mod:`fracture.data.labels.patients`."""

    time: Time
    pattern: str


class LabelsFile(Document):
    """The file :data:`LABELS_FILE`. Each list has the latest last."""

    choices: list[LabelChoice] = Field(default_factory=list)
    patient_patterns: list[PatientPattern] = Field(default_factory=list)
    columns: list[ColumnsChoice] = Field(default_factory=list)

    @property
    def times(self) -> list[str]:
        """When anything was chosen."""
        lists = (self.choices, self.patient_patterns, self.columns)
        return [each.time for entries in lists for each in entries]


Entry = TypeVar("Entry", LabelChoice, PatientPattern, ColumnsChoice)


def read_labels(root: Path) -> LabelsFile:
    """All that a folder's own file holds, the latest last; nothing where there is no file.

    Raises DatasetError for a file that cannot be read: other labels than the chosen ones are worse than none.
    """
    file = root / LABELS_FILE
    if not file.exists():
        return LabelsFile()
    try:
        stored = LabelsFile.model_validate(read_json(file))
        # Both names for one label, or none, would pass the document's own check.
        for choice in stored.choices:
            make_choice(choice.model_dump(include=set(KINDS)))
        for columns in stored.columns:
            make_columns(columns.model_dump(include={"file", *ROLES}))
    except ValidationError as error:
        raise DatasetError(f"{file} is damaged: {sentence(error)}. Correct it or delete it.") from error
    except (OSError, ValueError, DatasetError) as error:
        raise DatasetError(f"{file} cannot be read: {error}. Correct it or delete it.") from error
    return LabelsFile(
        choices=_by_time(stored.choices),
        patient_patterns=_by_time(stored.patient_patterns),
        columns=_by_time(stored.columns),
    )


def read_choices(root: Path) -> list[LabelChoice]:
    """Every choice of labels in a folder's own file, the latest last. Raises as :func:`read_labels` does."""
    return read_labels(root).choices


def latest_choice(levels: Iterable[Path]) -> LabelChoice | None:
    """The latest choice in the files of a folder and the levels above it; None where there is none."""
    return _latest(choice for level in levels for choice in read_choices(level))


def latest_pattern(levels: Iterable[Path]) -> str:
    """The latest pattern for patients in the files of a folder and the levels above it; "" where there is none."""
    latest = _latest(pattern for level in levels for pattern in read_labels(level).patient_patterns)
    return latest.pattern if latest else ""


def latest_columns(root: Path) -> ColumnsChoice | None:
    """The latest choice of columns in a folder's own file: a table names images below its own folder alone."""
    return _latest(read_labels(root).columns)


def _by_time(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.time)


def _latest(entries: Iterable[Entry]) -> Entry | None:
    return max(entries, key=lambda entry: entry.time, default=None)
