"""The patient in the name of a file: a pattern that somebody chose, stored in ``labels.json`` beside the labels.

A pattern is a template such as ``{patient}_*`` for ``0123_hand_2.png``, or ``case-{patient}/*`` with folders, where
``*`` stands for any letters but a slash, and the ending of the file is left out. Regular expressions are not taken: one
can keep a server busy for hours, and ``labels.json`` may come with somebody else's data.
"""

import re

import pandas as pd

from fracture.errors import DatasetError

PLACE = "{patient}"

MAX_PATTERN_CHARACTERS = 200

MAX_WILDCARDS = 3
"""With more, a long name that does not match takes seconds."""

_PART_OF_TEMPLATE = re.compile(r"(\{patient\}|\*)")
_MEANING = {PLACE: "([^/]+?)", "*": "[^/]*?"}


def compile_pattern(text: str) -> "re.Pattern[str]":
    """The regular expression of a template, to be searched in an image_id; its group is the patient.

    Raises DatasetError for a text that is no template.
    """
    if len(text) > MAX_PATTERN_CHARACTERS or text.count(PLACE) != 1 or text.count("*") > MAX_WILDCARDS:
        raise DatasetError(
            f"A pattern for patients is a template such as {PLACE}_*, with one {PLACE}, at most {MAX_WILDCARDS} * and "
            f"{MAX_PATTERN_CHARACTERS} characters. Received: {text[:MAX_PATTERN_CHARACTERS]!r}"
        )
    parts = [_MEANING.get(part, re.escape(part)) for part in _PART_OF_TEMPLATE.split(text)]
    return re.compile(rf"(?:^|/){''.join(parts)}(?:\.[^./]*)?$")


def find_patients(image_ids: "pd.Series[str]", text: str) -> "pd.Series[str]":
    """The patient in each image's path by a pattern; "" where it does not match. Raises as :func:`compile_pattern`."""
    pattern = compile_pattern(text)

    def find(image_id: str) -> str:
        found = pattern.search(image_id)
        return (found[1] or "") if found else ""

    return image_ids.map(find).astype(str)


def with_patients(rows: pd.DataFrame, text: str) -> pd.DataFrame:
    """A copy of a data set's rows where images without a patient have the one in their path, also as their group."""
    found = find_patients(rows["image_id"], text)
    missing = (rows["patient"] == "") & (found != "")
    return rows.assign(
        patient=rows["patient"].mask(missing, found),
        group=rows["group"].mask(missing, found),
    )
