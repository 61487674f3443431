"""COCO's layout: a JSON file with ``images``, ``annotations`` with a ``bbox`` each, and ``categories``.

Roboflow writes ``_annotations.coco.json`` beside the images of each split, COCO itself ``instances_train2017.json``
into a folder beside them. A ``bbox`` is x, y, w, h in px, of the size that the file states (Lin et al., 2014,
arXiv:1405.0312).
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fracture.data.annotations.boxes import AnnotatedImage, ClassBox, found_in, fractions, size_of, skip
from fracture.data.annotations.coco_entries import (
    Annotation,
    Category,
    Entry,
    Image,
    image_id,
    names_of,
    parse,
    repeated_ids,
)
from fracture.data.annotations.coco_files import by_name, folder_split, on_disk, stated_split
from fracture.data.labels.choice import LabelChoice
from fracture.data.layouts import Found, Skipped, Tree
from fracture.errors import DatasetError
from fracture.files import open_file
from fracture.formatting import format_bytes

MAX_COCO_BYTES = 200 * 2**20
"""Of all files together, which become about ten times as large in memory."""

MAX_FILES = 50
"""JSON files that are looked into, those in the outer folders first."""

SAME_ASPECT = 0.02
"""By how much width / height may differ from the stated one in an image that was only resized."""

ENTRY = "an entry that is damaged"
NO_IMAGE = "an image that is not there"
NO_ID = "an image that the list of images lacks"
NO_CATEGORY = "a category that the list of categories lacks, or names twice"
OUTSIDE = "a box outside of the image"
AMBIGUOUS = "a name that several images have"
SAME_ID = "an id that several images have"
TWO_SPLITS = "an image that files of two splits list"

Size = tuple[float, float]
"""Width and height in px."""


class _Place(NamedTuple):
    """An image of a file."""

    file: str
    """Its path on disk from the data set's folder; empty where it is not there, or not sure."""
    stated: Size
    """The size that its boxes are for."""


class _Read(NamedTuple):
    """What the files say about the images on disk."""

    boxes: dict[str, list[ClassBox]]
    """By the path of the image."""
    split: dict[str, str]
    damaged: set[str]
    """Images of which not all boxes are known."""
    problems: dict[str, list[str]]


def coco(root: Path, tree: Tree, choice: LabelChoice | None = None) -> Found | None:
    """Read a data set with COCO's files; None where there is none.

    Images that no file lists are left out and counted.

    Raises:
        LabelsError: nobody has said which classes are which.
        DatasetError: a file is too large or damaged.
    """
    paths = sorted((path for path in tree.others if path.lower().endswith(".json")), key=lambda path: path.count("/"))
    documents = _documents(root, paths[:MAX_FILES])
    if not documents or not tree.images:
        return None
    read = _Read({}, {}, set(), defaultdict(list))
    named = by_name(tree.images)
    for path, document in documents.items():
        _add_file(root, path, document, named, read)
    if not read.boxes:
        return None
    listed = [file for file in read.boxes if file not in read.damaged]
    images = [AnnotatedImage(file, tuple(read.boxes[file]), read.split[file]) for file in sorted(listed)]
    unlisted = [file for file in tree.images if file not in read.boxes]
    names = ", ".join(documents)
    missing = [Skipped("unlisted", names, len(unlisted), unlisted[0])] if unlisted else []
    return found_in(root, "COCO", images, choice, skipped=[*missing, *skip(read.problems)], files_read=documents)


def _documents(root: Path, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The content of each of COCO's files. Raises DatasetError as :func:`_document` does."""
    documents = {}
    room = MAX_COCO_BYTES
    for path in paths:
        document, size = _document(root / path, room)
        if document is not None:
            documents[path] = document
            room -= size
    return documents


def _document(file: Path, room: int) -> tuple[dict[str, Any] | None, int]:
    """A file's content, None where it is not COCO's, and its size in bytes.

    Raises DatasetError where it is COCO's, but has more than ``room`` bytes or cannot be used.
    """
    try:
        with open_file(file) as opened:
            content = opened.read(room + 1)
    except OSError as error:
        raise DatasetError(f"{file} cannot be read: {error.strerror}; change its permissions or move it.") from error
    if not all(key in content for key in (b'"images"', b'"annotations"', b'"categories"')):
        return None, 0
    if len(content) > room:
        raise DatasetError(
            f"The COCO annotations of a data set may have {format_bytes(MAX_COCO_BYTES)}. Received: more, with {file}; "
            "leave out what is not needed, such as segmentations."
        )
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{file} must be JSON. Received: {error}; export the annotations again.") from error
    keys = ("images", "annotations", "categories")
    if not isinstance(document, dict) or not all(isinstance(document.get(key), list) for key in keys):
        return None, 0
    return document, len(content)


def _add_file(
    root: Path, path: str, document: Mapping[str, Any], named: Mapping[str, Sequence[str]], read: _Read
) -> None:
    """Add what one file says."""
    place_of = _place_images(path, document["images"], named, read)
    names = names_of(_entries(Category, document["categories"], read.problems, path))
    scale_of: dict[str, Size | None] = {}
    for entry in document["annotations"]:
        place = place_of.get(image_id(entry))
        if place is None:
            read.problems[NO_ID].append(path)
        elif place.file:  # else the image itself is counted already
            if place.file not in scale_of:
                scale_of[place.file] = _scale(root / place.file, place.stated)
            _add_box(read, place.file, entry, names, scale_of[place.file])


def _place_images(
    path: str, entries: Sequence[Any], named: Mapping[str, Sequence[str]], read: _Read
) -> dict[str, _Place]:
    """The place of each image of a file by its id; those on disk are added to what was read."""
    split = stated_split(path)
    images = _entries(Image, entries, read.problems, path)
    repeated = repeated_ids(images)
    place_of = {}
    for image in images:
        files = on_disk(image.file_name, path, named)
        file = files[0] if len(files) == 1 else ""
        place_of[image.id] = _Place(file, (image.width, image.height))
        if not file:
            read.problems[AMBIGUOUS if files else NO_IMAGE].append(image.file_name)
            continue
        _add_image(read, file, split)
        if image.id in repeated:
            _damage(read, file, SAME_ID)
    return place_of


def _add_image(read: _Read, file: str, split: str) -> None:
    """Add an image that a file lists; one that two splits list is left out, because it would leak."""
    read.boxes.setdefault(file, [])
    stated = split or folder_split(file)
    known = read.split.get(file) or stated
    read.split[file] = known
    if stated not in ("", known):
        _damage(read, file, TWO_SPLITS)


def _add_box(read: _Read, file: str, entry: Any, names: Mapping[str, str], scale: Size | None) -> None:
    """Add the box of an annotation; ``scale``: the size that it is stated for, None where the image has another."""
    annotation = parse(Annotation, entry)
    if annotation is None or annotation.category_id not in names:
        _damage(read, file, ENTRY if annotation is None else NO_CATEGORY)
        return
    name = names[annotation.category_id]
    if scale is None:
        read.boxes[file].append(ClassBox(name, None))
        return
    x, y, w, h = annotation.bbox
    place = fractions(x / scale[0], y / scale[1], w / scale[0], h / scale[1])
    if place is None:
        _damage(read, file, OUTSIDE)
    else:
        read.boxes[file].append(ClassBox(name, place))


def _scale(image: Path, stated: Size) -> Size | None:
    """The size that boxes are stated for; None where the image has another shape, or cannot be read."""
    width, height = size_of(image)
    if not width:
        return None
    if min(stated) <= 0:
        return width, height
    aspect = (stated[0] / stated[1]) / (width / height)
    return stated if abs(aspect - 1) <= SAME_ASPECT else None


def _damage(read: _Read, file: str, problem: str) -> None:
    read.damaged.add(file)
    read.problems[problem].append(file)


def _entries(kind: type[Entry], entries: Sequence[Any], problems: dict[str, list[str]], path: str) -> list[Entry]:
    """The entries of a list that can be used; the others are counted."""
    parsed = [parse(kind, entry) for entry in entries]
    good = [entry for entry in parsed if entry is not None]
    problems[ENTRY] += [path] * (len(parsed) - len(good))
    return good
