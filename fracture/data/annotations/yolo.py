"""YOLO's layout: a text file for each image, a line ``class x y w h`` for each box, in fractions of the image's size.

The text of ``train/images/a.jpg`` is ``train/labels/a.txt``, as Ultralytics and Roboflow write it, or the one beside
the image, as labelImg and CVAT do. A polygon (``class x1 y1 x2 y2 ...``) counts as the box around it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fracture.data.annotations.boxes import AnnotatedImage, ClassBox, found_in, fractions, skip
from fracture.data.annotations.class_names import class_names
from fracture.data.labels.choice import LabelChoice
from fracture.data.layouts import Found, Skipped, Tree
from fracture.errors import DatasetError
from fracture.files import open_file
from fracture.formatting import format_bytes
from fracture.imaging.annotations import Box

MAX_LABEL_BYTES = 2**20
"""Of one image's file; a box takes 40."""

MAX_BOXES = 1_000
"""Of one image. Radiographs have a handful."""

MAX_YOLO_BYTES = 50 * 2**20
"""Of the files of all images together, a million boxes. In memory they become 6 times as large, at most 20 times."""

TOLERANCE = 0.5
"""How far, in image sizes, a box may stick out. Larger numbers are no fractions but pixels."""

LINE = "a line that is not: class x y w h in fractions"
NO_NAME = "a class that the list of names lacks"
OUTSIDE = "a box outside of the image"
NO_IMAGE = "no such image"
NO_TEXT = "a file that is no text"
TOO_MANY = f"more than {MAX_BOXES:,} boxes in an image"


class _BoxError(ValueError):
    """What is wrong with an image's boxes."""


class _Texts(NamedTuple):
    """The label file of each image, and what they hold."""

    of_image: dict[str, str]
    boxes: dict[str, tuple[ClassBox, ...]]
    """By the path of the file."""
    problems: dict[str, list[str]]
    """The files that are damaged, by what is wrong with them."""


def yolo(root: Path, tree: Tree, choice: LabelChoice | None = None) -> Found | None:
    """Read a YOLO data set; None where there is none.

    Images of a folder of which no image has a label file are left out and counted.

    Raises:
        LabelsError: nobody has said which classes are which.
        DatasetError: the list of names cannot be read, or the label files are too large together.
    """
    of_image = _label_files(tree)
    # Before the names are read: a damaged YAML file beside reports must not refuse a data set of another layout.
    if not _hold_boxes(root, of_image.values()):
        return None
    names, names_file = class_names(root, tree.others)
    texts = _read_all(root, of_image, names)
    if not any(texts.boxes.values()):
        return None
    folders = {file.rpartition("/")[0] for file in of_image}
    listed = [file for file in tree.images if file.rpartition("/")[0] in folders]
    damaged = {path for files in texts.problems.values() for path in files}
    images = [
        AnnotatedImage(file, texts.boxes.get(of_image.get(file, ""), ()))
        for file in listed
        if of_image.get(file) not in damaged
    ]
    lonely = _without_image(tree, of_image, names_file)
    skipped = [*skip({**texts.problems, NO_IMAGE: lonely}), *_unlisted(tree.images, listed)]
    return found_in(root, "YOLO", images, choice, skipped=skipped, files_read={*of_image.values(), *lonely, names_file})


def _label_files(tree: Tree) -> dict[str, str]:
    """The label file of each image that has one."""
    texts = {path for path in tree.others if path.endswith(".txt")}
    found = {}
    for image in tree.images if texts else ():
        match = next((text for text in _places(image) if text in texts), None)
        if match:
            found[image] = match
    return found


def _places(image: str) -> list[str]:
    """Where the label file of an image may be."""
    folder, slash, file = image.rpartition("/")
    name = f"{file.rpartition('.')[0] or file}.txt"
    folders = folder.split("/")
    beside = f"{folder}{slash}{name}"
    if "images" not in folders:
        return [beside]
    last = len(folders) - 1 - folders[::-1].index("images")
    return ["/".join([*folders[:last], "labels", *folders[last + 1 :], name]), beside]


def _read_all(root: Path, of_image: Mapping[str, str], names: Mapping[int, str]) -> _Texts:
    """What the label files hold. Raises DatasetError where they have too many bytes together."""
    boxes = {}
    problems: dict[str, list[str]] = defaultdict(list)
    room = MAX_YOLO_BYTES
    for path in dict.fromkeys(of_image.values()):
        try:
            content = _content(root / path)
            room -= len(content)
            if room < 0:
                raise _too_large(root)
            boxes[path] = parse_labels(_text(content), names)
        except _BoxError as error:
            problems[str(error)].append(path)
    return _Texts(dict(of_image), boxes, problems)


def _too_large(root: Path) -> DatasetError:
    return DatasetError(
        f"The YOLO labels of a data set may have {format_bytes(MAX_YOLO_BYTES)}. Received: more, in {root}; "
        "move a part of the images and labels elsewhere, or write boxes instead of polygons."
    )


def _hold_boxes(root: Path, paths: Iterable[str]) -> bool:
    """Whether one of the texts has boxes; reports and other notes have none. After the bound no more are read."""
    room = MAX_YOLO_BYTES
    for path in paths:
        try:
            content = _content(root / path)
            room -= len(content)
            if room < 0:
                return False
            if parse_labels(_text(content), {}):
                return True
        except _BoxError:
            continue
    return False


def _content(file: Path) -> bytes:
    """The bytes of a label file, at most one more than are allowed."""
    try:
        with open_file(file) as opened:
            return opened.read(MAX_LABEL_BYTES + 1)
    except OSError as error:
        raise _BoxError(NO_TEXT) from error


def _text(content: bytes) -> str:
    if len(content) > MAX_LABEL_BYTES:
        raise _BoxError(f"a file of more than {MAX_LABEL_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _BoxError(NO_TEXT) from error


def parse_labels(text: str, names: Mapping[int, str]) -> tuple[ClassBox, ...]:
    """The boxes of one image. Raises ValueError, with what is wrong, for too many, or a line that is no box."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_BOXES:
        raise _BoxError(TOO_MANY)
    return tuple(_box(line.split(), names) for line in lines)


def _box(words: Sequence[str], names: Mapping[int, str]) -> ClassBox:
    try:
        number = int(words[0])
        values = [float(word) for word in words[1:]]
    except ValueError as error:
        raise _BoxError(LINE) from error
    if number < 0 or not all(-TOLERANCE <= value <= 1 + TOLERANCE for value in values):
        raise _BoxError(LINE)
    if names and number not in names:
        raise _BoxError(NO_NAME)
    place = fractions(*_corner_and_size(values))
    if place is None:
        raise _BoxError(OUTSIDE)
    return ClassBox(names.get(number, f"class id {number}"), place)


def _corner_and_size(values: Sequence[float]) -> Box:
    """x, y, w, h, the upper left corner first, of a box around its center or of the points of a polygon."""
    if len(values) in (4, 5):  # the fifth is the confidence of a prediction
        x, y, w, h = values[:4]
        return x - w / 2, y - h / 2, w, h
    if len(values) < 6 or len(values) % 2:
        raise _BoxError(LINE)
    across = values[::2]
    down = values[1::2]
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


def _without_image(tree: Tree, of_image: Mapping[str, str], names_file: str) -> list[str]:
    """The label files, by their folders, that belong to no image."""
    used = set(of_image.values())
    folders = {path.rpartition("/")[0] for path in used}
    texts = (path for path in tree.others if path.endswith(".txt") and path != names_file)
    return [path for path in texts if path not in used and path.rpartition("/")[0] in folders]


def _unlisted(images: Sequence[str], listed: Sequence[str]) -> list[Skipped]:
    named = set(listed)
    others = [file for file in images if file not in named]
    return [Skipped("unlisted", "a folder of labels", len(others), others[0])] if others else []
