"""Parsing and describing a choice of columns."""

import pytest
from pydantic import ValidationError

from fracture.data.labels.columns import ColumnsChoice, parse_columns
from fracture.errors import DatasetError


def test_parse_columns_reads_roles_and_the_file():
    """Each role has a column, which may have blanks and equals signs in its name; the rest have none."""
    columns = parse_columns(["image=File name", "label=a=b", "file=lists/all.csv"])
    assert columns.column_of() == {"image": "File name", "label": "a=b"}
    assert columns.command() == "file=lists/all.csv 'image=File name' label=a=b"
    assert columns.describe() == "Read from lists/all.csv: image from 'File name', label from 'a=b'."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["image"], "of image, label, patient, study, split, body_part, file. Received: 'image'"),
        (["age=a"], "Received: 'age=a'"),
        (["image=a", "image=b"], "Received: 'image=b'"),
        (["image=a"], "none for label"),
        (["image=a", "label=a"], "Received twice: 'a'"),
        (["image=a", "label=b", "file=../c.csv"], r"below the data set's folder. Received: '\.\./c\.csv'"),
    ],
)
def test_parse_columns_of_other_words_is_refused(words, message):
    """A choice that says less or more than one column a role is refused."""
    with pytest.raises(DatasetError, match=message):
        parse_columns(words)


def test_stored_choice_cannot_lead_out_of_the_folder():
    """A labels.json may come with somebody else's data."""
    with pytest.raises(ValidationError):
        ColumnsChoice(file="/etc/passwd", image="a", label="b")
