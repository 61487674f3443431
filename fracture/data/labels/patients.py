"""The patient in the name of a file: a pattern that somebody chose, stored in ``labels.json`` beside the labels.

A pattern is either a template, such as ``{patient}_*`` for ``0123_hand_2.png``, where ``*`` stands for any letters and
the ending of the file is left out; or a regular expression whose first group is the patient, which is searched in the
path of the image: ``p(\\d+)/``.
"""

import re

import pandas as pd

from fracture.errors import DatasetError

PLACE = "{patient}"

MAX_PATTERN_CHARACTERS = 200

_PART_OF_TEMPLATE = re.compile(r"(\{patient\}|\*)")
_MEANING = {PLACE: "([^/]+?)", "*": "[^/]*?"}


def compile_pattern(text: str) -> "re.Pattern[str]":
    """The regular expression of a pattern, to be searched in an image_id; its first group is the patient.

    Raises DatasetError for a text that is neither a template nor such an expression.
    """
    allowed = f"A pattern for patients is a template such as {PLACE}_*, or a regular expression with a group"
    if not 0 < len(text) <= MAX_PATTERN_CHARACTERS:
        raise DatasetError(f"{allowed}, of at most {MAX_PATTERN_CHARACTERS} characters. Received: {len(text)}")
    if PLACE in text:
        parts = [_MEANING.get(part, re.escape(part)) for part in _PART_OF_TEMPLATE.split(text)]
        return re.compile(rf"(?:^|/){''.join(parts)}(?:\.[^./]*)?$")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise DatasetError(f"{allowed}. Received: {text!r}: {error}") from error
    if not pattern.groups:
        raise DatasetError(f"{allowed}. Received: {text!r}, which has no group")
    return pattern


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
