"""Images with boxes of several classes -> rows with one label each.

A box of a positive class makes an image positive. Otherwise a box of a class that is left out leaves the image out, and
one of a negative class makes it negative. An image without any box has the class :data:`UNANNOTATED`: somebody must say
that it is negative, because it may as well be one that nobody has looked at.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fracture.data.labels.choice import CHOSEN, KNOWN, LabelChoice, label_names, mapping_of, unknown_labels
from fracture.data.labels.class_folders import path_row
from fracture.data.labels.words import class_of, words_of
from fracture.data.layouts import Found, Skipped
from fracture.errors import RadiographError
from fracture.imaging.annotations import Box, boxes_text, scale_boxes
from fracture.imaging.radiograph import header_size

UNANNOTATED = "unannotated"
"""The class of images without any box."""

BOXED = ("YOLO", "COCO")
"""The layouts whose classes are of boxes."""

CLASSES = "classes of boxes"
"""What the classes are, in messages."""


class ClassBox(NamedTuple):
    """A box of a class."""

    name: str
    place: Box | None
    """x, y, w, h as fractions of the image's width and height; None where it is not known."""


class AnnotatedImage(NamedTuple):
    """An image of a data set and its boxes."""

    file: str
    """Its path from the data set's folder."""
    boxes: tuple[ClassBox, ...]
    split: str = ""
    """Where the path does not say it."""


def fractions(x: float, y: float, w: float, h: float) -> Box | None:
    """The part of a box within its image, all in fractions of the image's size; None where there is none."""
    left = max(x, 0.0)
    top = max(y, 0.0)
    width = min(x + w, 1.0) - left
    height = min(y + h, 1.0) - top
    # Also where one of them is no number.
    return (left, top, width, height) if width > 0 and height > 0 else None


def found_in(
    root: Path,
    layout: str,
    images: Sequence[AnnotatedImage],
    choice: LabelChoice | None,
    *,
    skipped: Iterable[Skipped] = (),
    files_read: Iterable[str] = (),
) -> Found:
    """The rows of a data set of annotated images.

    Raises LabelsError where nobody has said which classes are which, unless their names say so.
    """
    images_of = _count(images)
    label_of, origin = _labels(root, images_of, choice)
    rows = []
    left_out: dict[str, list[str]] = {}
    for image in images:
        label, name = _label(image, label_of)
        if label is None:
            left_out.setdefault(name, []).append(image.file)
        else:
            rows.append(_row(root, image, label, label_of))
    table = pd.DataFrame(rows)
    if "valid" not in set(table["split"]):  # train and test alone: the second one is for validation
        table["split"] = table["split"].replace("test", "valid")
    classes = (Skipped("class", name, len(files), files[0]) for name, files in sorted(left_out.items()))
    placeless = [image.file for image in images if any(box.place is None for box in image.boxes)]
    without = [Skipped("boxes", "boxes for another size", len(placeless), placeless[0])] if placeless else []
    return Found(
        layout,
        _answers(label_of, images_of, origin),
        table,
        mapping=mapping_of(
            root, {name: label for name, label in label_of.items() if name in images_of}, origin, choice
        ),
        skipped=(*classes, *without, *skipped),
        files_read=frozenset(files_read),
    )


def skip(problems: Mapping[str, Sequence[str]]) -> list[Skipped]:
    """Annotations that were left out, by what is wrong with them; each with its images or lines."""
    return [Skipped("annotation", what, len(where), where[0]) for what, where in sorted(problems.items()) if where]


def _count(images: Sequence[AnnotatedImage]) -> dict[str, int]:
    """The number of images with a box of each class, the largest first, and at last that of images without."""
    counts = Counter(name for image in images for name in {box.name for box in image.boxes})
    without = sum(not image.boxes for image in images)
    counted = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if without:
        # At the end, also where a class has this name.
        counted[UNANNOTATED] = counted.pop(UNANNOTATED, 0) + without
    return counted


def _labels(root: Path, images_of: Mapping[str, int], choice: LabelChoice | None) -> tuple[dict[str, int | None], str]:
    """The label of each class, and on whose word. A digit is the number of a class here, never an answer."""
    if choice:
        chosen = {name: label for name, label in choice.label_of().items() if name in images_of}
        if not {0, 1} <= set(chosen.values()):
            raise unknown_labels(root, CLASSES, images_of, choice)
        return chosen, CHOSEN
    known: dict[str, int | None] = {name: label for name in images_of if (label := class_of(name)) is not None}
    if {0, 1} <= set(known.values()):
        return known, KNOWN
    raise unknown_labels(root, CLASSES, images_of)


def _label(image: AnnotatedImage, label_of: Mapping[str, int | None]) -> tuple[int | None, str]:
    """The label of an image, None where it is left out, and the class that decides."""
    names = [box.name for box in image.boxes] or [UNANNOTATED]
    labels = {label_of.get(name): name for name in names}
    for label in (1, None, 0):
        if label in labels:
            return label, labels[label]
    raise AssertionError("an image has at least one class")


def _row(root: Path, image: AnnotatedImage, label: int, label_of: Mapping[str, int | None]) -> dict[str, object]:
    row = path_row(root, image.file)
    places = [box.place for box in image.boxes if label_of.get(box.name) == 1]
    return {**row, "split": row["split"] or image.split, "label": label, "boxes": _pixels(str(row["path"]), places)}


def _pixels(path: str, places: Sequence[Box | None]) -> str:
    """Boxes as text in px of the image; "" where the places or the size are not known."""
    known = [place for place in places if place is not None]
    if not known or len(known) < len(places):
        return ""
    width, height = size_of(Path(path))
    if not width:
        return ""
    pixels = scale_boxes(list(dict.fromkeys(known)), width, height)
    return boxes_text([(round(x, 2), round(y, 2), round(w, 2), round(h, 2)) for x, y, w, h in pixels])


def size_of(path: Path) -> tuple[int, int]:
    """Width and height in px; 0, 0 for a file that cannot be read, which the checks name."""
    try:
        return header_size(path)
    except RadiographError:
        return 0, 0


def _answers(label_of: Mapping[str, int | None], images_of: Mapping[str, int], origin: str) -> tuple[str, str]:
    """The words for labels 0 and 1: what is said of an image, where the classes are of boxes in it."""
    negative = [name for name, label in label_of.items() if label == 0 and name in images_of]
    positive = [name for name, label in label_of.items() if label == 1 and name in images_of]
    if all(word.startswith("fract") for name in positive for word in words_of(name)[:1]):
        return ("not fractured", "fractured")
    if len(positive) > 1:
        return ("negative", "positive")
    named = negative[0] if len(negative) == 1 and class_of(negative[0]) == 0 else f"no {positive[0]}"
    return label_names({0: named, 1: positive[0]}, origin)
