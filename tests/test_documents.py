"""What JSON documents may hold, and the sentence about what they may not."""

import pytest
from pydantic import Field, ValidationError

from fracture.documents import Document, Finite, Moment, Number, Pair, Whole, sentence
from tests.faults.damage import WRONG


class Example(Document):
    whole: Whole = 0
    finite: Finite = 0.0
    number: Number = 0.0
    moment: Moment = 0.0
    pair: Pair = (0.0, 0.0)
    named: dict[str, str | Whole] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("whole", -3, -3),
        ("finite", 3, 3.0),
        ("number", float("inf"), float("inf")),
        ("moment", 1.7e9, 1.7e9),
        ("pair", [0, 1], (0.0, 1.0)),
        ("named", {"a": "b", "c": 1}, {"a": "b", "c": 1}),
    ],
)
def test_document_of_the_right_types_is_read(field, value, read):
    """Its other keys may be missing, and unknown ones are passed over."""
    document = Example.model_validate({field: value, "unknown": []})
    assert getattr(document, field) == read
    assert document.to_json() == {field: read}


@pytest.mark.parametrize("field", ["whole", "finite", "moment", "pair", "named"])
@pytest.mark.parametrize("how", [how for how in WRONG if how not in ("a number", "an object")])
def test_document_with_a_wrong_value_is_refused(field, how):
    """Also numbers that cannot be computed with; nothing but a ValidationError is raised."""
    with pytest.raises(ValidationError):
        Example.model_validate({field: WRONG[how]})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"whole": True}, "whole must be a valid integer. Received: True"),
        ({"moment": -1}, "moment must be greater than or equal to 0. Received: -1"),
        ({"pair": [1, "2"]}, "pair.1 must be a valid number. Received: '2'"),
        ([], "it must be a valid dictionary or instance of Example. Received: []"),
    ],
)
def test_sentence_says_where_what_is_allowed_and_what_came(document, words):
    """The first thing that is wrong."""
    with pytest.raises(ValidationError) as raised:
        Example.model_validate(document)
    assert sentence(raised.value) == words


def test_sentence_names_a_missing_key():
    """A key without a default must be there."""

    class Required(Document):
        name: str

    with pytest.raises(ValidationError) as raised:
        Required.model_validate({})
    assert sentence(raised.value) == "it lacks name"
