"""The entries of COCO's three lists: images, categories and annotations.

Tools write one id in several types, ``1``, ``1.0`` and ``"1"``, also in one file. Here ids are texts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from fracture.documents import Document, Finite


def normalize_id(value: object) -> str:
    """An id as text: a whole number without a point, whatever its type. Raises ValueError for what is no id."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("must be a whole number or a text")


Id = Annotated[str, BeforeValidator(normalize_id)]
Entry = TypeVar("Entry", bound=Document)


class Image(Document):
    """An image, and the size in px that its boxes are stated for; 0 where it is not known."""

    id: Id
    file_name: str
    width: Finite = 0
    height: Finite = 0


class Category(Document):
    """A class of boxes."""

    id: Id
    name: Annotated[str, Field(min_length=1)]


class Annotation(Document):
    """A box of an image: x, y, w, h in px."""

    image_id: Id
    category_id: Id
    bbox: Annotated[list[Finite], Field(min_length=4, max_length=4)]


def parse(kind: type[Entry], entry: Any) -> Entry | None:
    """An entry; None where it is damaged."""
    try:
        return kind.model_validate(entry)
    except ValidationError:
        return None


def image_id(entry: Any) -> str:
    """The image of an annotation, also of a damaged one; "" where it names none."""
    found = entry.get("image_id") if isinstance(entry, dict) else None
    try:
        return normalize_id(found)
    except ValueError:
        return ""


def names_of(categories: Iterable[Category]) -> dict[str, str]:
    """The name of each category by its id; an id that stands for two names stands for none."""
    pairs = {(each.id, each.name) for each in categories}
    count = Counter(number for number, _ in pairs)
    return {number: name for number, name in pairs if count[number] == 1}


def repeated_ids(images: Sequence[Image]) -> set[str]:
    """The ids of several images: nobody can tell whose their boxes are."""
    count = Counter(number for number, _ in {(image.id, image.file_name) for image in images})
    return {number for number, times in count.items() if times > 1}
