"""Entries of COCO's lists, and the types of their ids."""

import pytest

from fracture.data.annotations.coco_entries import (
    Annotation,
    Category,
    Image,
    image_id,
    names_of,
    normalize_id,
    parse,
    repeated_ids,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), ("1", "1"), (" 1 ", "1"), (-0.0, "0"), ("a7", "a7"), (2.0**60, str(2**60))],
)
def test_normalize_id_is_the_same_for_each_type(value, text):
    """Numbers with and without a point, and texts, are one id."""
    assert normalize_id(value) == text


@pytest.mark.parametrize("value", [None, True, 1.5, float("nan"), float("inf"), [1], {}])
def test_normalize_id_refuses_what_is_no_id(value):
    """A part of a number, an answer or a list is no id, and its entry is damaged."""
    with pytest.raises(ValueError, match="whole number or a text"):
        normalize_id(value)
    assert parse(Image, {"id": value, "file_name": "1.png"}) is None
    assert image_id({"image_id": value}) == ""


def test_parse_gives_entries_with_ids_as_texts():
    """Other values are not converted: a size in quotes is damage."""
    assert parse(Annotation, {"image_id": 1.0, "category_id": "2", "bbox": [0, 0, 1, 1.5]}) == Annotation(
        image_id="1", category_id="2", bbox=[0, 0, 1, 1.5]
    )
    assert parse(Image, {"id": 1, "file_name": "1.png", "width": "8"}) is None
    assert parse(Image, []) is None
    assert image_id([]) == ""


def test_ids_that_stand_for_two_things_stand_for_none():
    """Which of two names or images is meant is not guessed; one that is listed twice is no problem."""
    listed = [(1, "text"), ("1", "fracture"), (2, "metal"), (2.0, "metal")]
    assert names_of([Category(id=number, name=name) for number, name in listed]) == {"2": "metal"}
    assert repeated_ids([Image(id=number, file_name=name) for number, name in listed]) == {"1"}
