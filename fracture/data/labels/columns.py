"""A person's choice of which columns of a CSV file hold the images, their labels and more."""

import shlex
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from fracture.documents import Document, Time
from fracture.errors import DatasetError
from fracture.paths import leads_out

ROLES = ("image", "label", "patient", "study", "split", "body_part")
"""What a column can hold; the first two are required."""

FORM = "image=filename label=diagnosis patient=pid"
"""How a choice is written at the command line."""


def _check_place(file: str) -> str:
    if file and leads_out(file):
        raise ValueError("must be a file below the data set's folder")
    return file


class ColumnsChoice(Document):
    """A CSV file, and the names of its columns."""

    time: Time = ""
    """In UTC, when the choice was stored; empty before."""
    file: Annotated[str, AfterValidator(_check_place)] = ""
    """Its path from the folder of the data set; empty for the only one there."""
    image: str = Field(min_length=1)
    """The column with the name of each image's file."""
    label: str = Field(min_length=1)
    patient: str = ""
    study: str = ""
    split: str = ""
    body_part: str = ""

    def column_of(self) -> dict[str, str]:
        """The columns by their roles, without roles that have none."""
        return {role: getattr(self, role) for role in ROLES if getattr(self, role)}

    def named(self) -> dict[str, str]:
        """The file and the columns: all but the time."""
        return {"file": self.file, **self.column_of()}

    def command(self) -> str:
        """As it is written at the command line, quoted for a shell."""
        return shlex.join(f"{key}={value}" for key, value in self.named().items())

    def describe(self) -> str:
        """What is read from where, in a sentence."""
        columns = (f"{role.replace('_', ' ')} from {column!r}" for role, column in self.column_of().items())
        return f"Read from {self.file}: {', '.join(columns)}."


def parse_columns(words: Iterable[str]) -> ColumnsChoice:
    """The choice that ``image=filename label=diagnosis patient=pid file=labels.csv`` states.

    Raises DatasetError for other words, a role that is given twice, and where the image or the label has no column.
    """
    chosen: dict[str, str] = {}
    for word in words:
        role, equals, name = word.partition("=")
        if role not in (*ROLES, "file") or not equals or not name or role in chosen:
            allowed = ", ".join((*ROLES, "file"))
            raise DatasetError(f"Columns are given once each as {FORM}, of {allowed}. Received: {word[:120]!r}")
        chosen[role] = name
    return make_columns(chosen)


def make_columns(chosen: dict[str, str]) -> ColumnsChoice:
    """A choice of a column for each role, and of the file. Raises DatasetError as :func:`parse_columns` does."""
    file = chosen.get("file", "")
    if file and leads_out(file):
        raise DatasetError(f"The table must be a file below the data set's folder. Received: {file[:120]!r}")
    missing = [role for role in ROLES[:2] if not chosen.get(role)]
    if missing:
        raise DatasetError(f"Columns for image and label must be given, as in {FORM}. Received: none for {missing[0]}")
    columns = [chosen[role] for role in ROLES if chosen.get(role)]
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise DatasetError(f"Each column is given for one thing. Received twice: {twice[0][:120]!r}")
    return ColumnsChoice(file=file, **{role: chosen[role] for role in ROLES if chosen.get(role)})
