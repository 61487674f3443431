"""The names of the classes of a YOLO data set: ``names`` in data.yaml, or the lines of classes.txt.

The number of a class is its place in the list, so that no entry may be dropped before the others are numbered.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fracture.errors import DatasetError
from fracture.files import open_file
from fracture.formatting import format_bytes

MAX_NAMES_BYTES = 64_000
"""Objects365, the largest common set of classes, takes 8 kB. PyYAML reads this much in under a second."""

MAX_NAMES = 5_000

MAX_NAME_LENGTH = 200
"""An alias can repeat a long name thousands of times."""

_LISTS = re.compile(r"classes\.txt|_darknet\.labels|obj\.names|.*\.names", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}")
_ADVICE = "correct it, or move it out of the data set"


def class_names(root: Path, others: Iterable[str]) -> tuple[dict[int, str], str]:
    """The name of each class by its number, and the file that says so; nothing where none does.

    Args:
        root: the folder of the data set.
        others: the paths of its files that are no images. Of several files, the outermost counts.

    Raises:
        DatasetError: such a file is too large, cannot be read, or holds no names.
    """
    for path in sorted(others, key=lambda path: (path.count("/"), path)):
        name = path.rpartition("/")[2]
        try:
            if name.lower().endswith((".yaml", ".yml")):
                names = names_in_yaml(_read(root / path))
            elif _LISTS.fullmatch(name):
                names = _checked(dict(enumerate(_read(root / path).splitlines())))
            else:
                continue
        except ValueError as error:
            raise DatasetError(f"{root / path}, which may name the classes of boxes, {error}; {_ADVICE}.") from error
        if names:
            return names, path
    return {}, ""


def names_in_yaml(text: str) -> dict[int, str]:
    """The entry ``names`` of a data.yaml, a list or a table of numbers and names; empty where there is none.

    Raises ValueError, with what is wrong, where the text is no YAML or ``names`` is something else.
    """
    document = _parse(text)
    if not isinstance(document, dict):
        raise ValueError("must be a table in YAML, with an entry 'names'. Received: something else")
    names = document.get("names", "")
    if names == "":
        return {}
    if isinstance(names, list):
        return _checked(dict(enumerate(names)))
    if not isinstance(names, dict) or not all(isinstance(key, str) and _NUMBER.fullmatch(key) for key in names):
        raise ValueError("must have a list, or a table of numbers and names, as 'names'. Received: something else")
    return _checked({int(number): name for number, name in names.items()})


def _parse(text: str) -> Any:
    """The document, in which all values are texts: YAML's own types would turn a class ``no`` into false."""
    try:
        # It builds texts, lists and tables alone, even less than the safe loader.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except RecursionError as error:
        raise ValueError("must be YAML. Received: too many nested lists") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"must be YAML. Received, in line {line}: {str(error.problem)[:200]}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"must be YAML. Received: {str(error).splitlines()[0]}") from error


def _checked(names: Mapping[int, Any]) -> dict[int, str]:
    """The names that are not empty. Raises ValueError where one is no text or too long, or there are too many."""
    if len(names) > MAX_NAMES:
        raise ValueError(f"may have {MAX_NAMES:,} names. Received: {len(names):,}")
    if not all(isinstance(name, str) and len(name) <= MAX_NAME_LENGTH for name in names.values()):
        raise ValueError(f"must have texts of at most {MAX_NAME_LENGTH} letters as names. Received: something else")
    stripped = {number: name.strip() for number, name in names.items()}
    return {number: name for number, name in stripped.items() if name}


def _read(file: Path) -> str:
    """The text of a file. Raises ValueError where it is none, or too large."""
    try:
        with open_file(file) as opened:
            content = opened.read(MAX_NAMES_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_NAMES_BYTES:
        raise ValueError(f"may have {format_bytes(MAX_NAMES_BYTES)}. Received: more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("must be text in UTF-8. Received: something else") from error
