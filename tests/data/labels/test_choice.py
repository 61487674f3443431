"""Parsing and reading choices of labels."""

import pytest

from fracture.data.labels.choice import (
    ANSWERS,
    CHOSEN,
    KNOWN,
    LabelMapping,
    parse_choice,
)
from fracture.errors import DatasetError


def test_parse_choice_reads_lists_of_names():
    """Names are separated by commas, blanks around them do not count, and a kind may come twice."""
    choice = parse_choice(["negative=A, B", "positive=C", "ignore=D", "negative=E"])
    assert (choice.negative, choice.positive, choice.ignore) == (["A", "B", "E"], ["C"], ["D"])
    assert choice.label_of() == {"A": 0, "B": 0, "E": 0, "C": 1, "D": None}
    assert parse_choice(["negative=not broken", "positive=C"]).command() == "'negative=not broken' positive=C"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A"], "negative=A,B positive=C.*Received: 'A'"),
        (["benign=A"], "Received: 'benign=A'"),
        (["negative=A", "positive=A"], "Received twice: 'A'"),
        (["negative=A"], "none that is positive"),
        (["negative=", "positive=B"], "none that is negative"),
    ],
)
def test_parse_choice_of_other_words_is_refused(words, message):
    """A choice that says less or more than which classes are which is refused."""
    with pytest.raises(DatasetError, match=message):
        parse_choice(words)


def test_mapping_describes_what_the_names_do_not_say():
    """Digits and choices are described; known words need no words."""
    digits = LabelMapping("set", ("0",), ("1",), (), ANSWERS)
    assert "'0' is read as negative and '1' as positive" in digits.describe()
    assert digits.swapped().command() == "negative=1 positive=0"
    chosen = LabelMapping("set", ("A", "B"), ("C",), ("D",), CHOSEN)
    assert chosen.describe() == "By choice, 'A', 'B' is negative and 'C' positive in set; left out: 'D'."
    assert LabelMapping("set", ("normal",), ("fracture",), (), KNOWN).describe() == ""
    assert LabelMapping.from_json(chosen.to_json()) == chosen
