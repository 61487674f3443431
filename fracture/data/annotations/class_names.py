"""The names of the classes of a YOLO data set: ``names`` in data.yaml, or the lines of classes.txt.

The part of YAML that such files use is read by hand: a list or a table of names, in one line or several.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from fracture.errors import DatasetError
from fracture.files import open_file

MAX_NAMES_BYTES = 2**20

MAX_NAMES = 1_000
"""Objects365, the largest common set of classes, has 365."""

_LISTS = re.compile(r"classes\.txt|_darknet\.labels|obj\.names|.*\.names", re.IGNORECASE)
_NAMES = re.compile(r"^names\s*:[ \t]*(?P<here>.*(?:\n(?:[ \t]+\S|-[ \t]|[\]}]|[ \t]*(?:#|$)).*)*)", re.MULTILINE)
_ITEM = re.compile(
    r"""\s*(?:(?P<number>\d+)\s*:\s*)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s,'"\[\]{}#][^,\n#]*))"""
)
_LINE = re.compile(r"^\s*(?:-\s+|(?P<number>\d+)\s*:\s*)(?P<name>.*?)\s*$")


def class_names(root: Path, others: Iterable[str]) -> tuple[dict[int, str], str]:
    """The name of each class by its number, and the file that says so; nothing where none does.

    Args:
        root: the folder of the data set.
        others: the paths of its files that are no images. Of several files, the outermost counts.

    Raises:
        DatasetError: such a file is too large or cannot be read.
    """
    for path in sorted(others, key=lambda path: (path.count("/"), path)):
        name = path.rpartition("/")[2]
        if name.lower().endswith((".yaml", ".yml")):
            names = names_in_yaml(_read(root / path))
        elif _LISTS.fullmatch(name):
            names = dict(enumerate(line.strip() for line in _read(root / path).splitlines() if line.strip()))
        else:
            continue
        if names:
            return names, path
    return {}, ""


def names_in_yaml(text: str) -> dict[int, str]:
    """The entry ``names`` of a data.yaml; empty where there is none that is a list or a table of names."""
    found = _NAMES.search(text)
    if found is None:
        return {}
    value = found["here"].strip()
    if value[:1] in ("[", "{"):
        return _in_brackets(value)
    return _in_lines(value.splitlines())


def _in_brackets(value: str) -> dict[int, str]:
    """``['fracture', metal]`` or ``{0: fracture, 1: metal}``."""
    inside = re.split(r"[\]}]", value[1:], maxsplit=1)[0]
    names: dict[int, str] = {}
    for item in _ITEM.finditer(inside):
        name = next((item[kind] for kind in ("single", "double", "bare") if item[kind] is not None), "").strip()
        if name:
            _add(names, item["number"], name)
    return names


def _in_lines(lines: Iterable[str]) -> dict[int, str]:
    """A line each, ``- fracture`` or ``0: fracture``."""
    names: dict[int, str] = {}
    for line in lines:
        item = _LINE.match(line.split(" #", 1)[0])
        if item and item["name"]:
            _add(names, item["number"], item["name"].strip("'\""))
    return names


def _add(names: dict[int, str], number: str | None, name: str) -> None:
    if len(names) < MAX_NAMES and len(number or "") < 10:
        names[len(names) if number is None else int(number)] = name


def _read(file: Path) -> str:
    try:
        with open_file(file) as opened:
            content = opened.read(MAX_NAMES_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}, which may name the classes of boxes, cannot be read: {error}.") from error
    if len(content) > MAX_NAMES_BYTES:
        raise DatasetError(f"The names of classes may have {MAX_NAMES_BYTES:,} bytes. Received: {file}, with more.")
    return text
